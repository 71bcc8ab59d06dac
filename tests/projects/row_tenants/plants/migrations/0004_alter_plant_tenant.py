import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plants", "0003_fill_plant_tenant"),
    ]

    operations = [
        migrations.AlterField(
            model_name="plant",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="plants",
                to="tenants.tenant",
            ),
        ),
    ]
