from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carriers", "0004_alter_carrier_slug"),
        ("plants", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="plant",
            name="carriers",
            field=models.ManyToManyField(related_name="plants", to="carriers.carrier"),
        ),
    ]
