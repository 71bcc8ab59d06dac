from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0002_supplier_is_active"),
    ]

    operations = [
        migrations.AddField(
            model_name="supplier",
            name="country",
            field=models.CharField(default="US", max_length=2),
        ),
        migrations.AddIndex(
            model_name="supplier",
            index=models.Index(fields=["country", "name"], name="supplier_country_name_idx"),
        ),
    ]
