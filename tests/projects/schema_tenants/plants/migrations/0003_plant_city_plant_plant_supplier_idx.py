from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0003_supplier_country_supplier_supplier_country_name_idx"),
        ("plants", "0002_plant_carriers"),
    ]

    operations = [
        migrations.AddField(
            model_name="plant",
            name="city",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
        migrations.AddIndex(
            model_name="plant",
            index=models.Index(fields=["supplier", "name"], name="plant_supplier_idx"),
        ),
    ]
