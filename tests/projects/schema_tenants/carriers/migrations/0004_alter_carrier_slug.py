from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carriers", "0003_fill_carrier_slug"),
    ]

    operations = [
        migrations.AlterField(
            model_name="carrier",
            name="slug",
            field=models.SlugField(max_length=200, unique=True),
        ),
    ]
