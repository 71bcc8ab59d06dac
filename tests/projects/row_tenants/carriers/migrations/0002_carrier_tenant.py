import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
        ("carriers", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="carrier",
            name="tenant",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="carriers",
                to="tenants.tenant",
            ),
        ),
    ]
