from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carriers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="carrier",
            name="slug",
            field=models.SlugField(blank=True, default="", max_length=200),
        ),
    ]
