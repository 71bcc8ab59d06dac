import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("places", "0001_initial"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [
        migrations.CreateModel(
            "Tag",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=30, unique=True)),
            ],
        ),
        migrations.CreateModel(
            "Item",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=30)),
                ("code", models.CharField(max_length=12, null=True, db_index=True)),
                ("amount", models.IntegerField(default=0)),
                ("price", models.DecimalField(max_digits=10, decimal_places=2, null=True)),
                ("note", models.TextField(default="")),
                ("made", models.DateTimeField(null=True)),
                ("country", models.ForeignKey("places.Country", models.SET_NULL, null=True)),
                ("tags", models.ManyToManyField("things.Tag")),
            ],
        ),
        migrations.CreateModel(
            "Part",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("label", models.SlugField(max_length=20)),
                ("number", models.IntegerField(null=True)),
                ("item", models.ForeignKey("things.Item", django.db.models.deletion.CASCADE)),
            ],
            options={"unique_together": {("item", "label")}},
        ),
    ]
