from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carriers", "0004_alter_carrier_tenant"),
    ]

    operations = [
        migrations.AddField(
            model_name="carrier",
            name="home_state",
            field=models.CharField(blank=True, db_index=True, default="", max_length=2),
        ),
    ]
