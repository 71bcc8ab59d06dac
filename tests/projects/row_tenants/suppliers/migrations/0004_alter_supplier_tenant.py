import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0003_fill_supplier_tenant"),
    ]

    operations = [
        migrations.AlterField(
            model_name="supplier",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="suppliers",
                to="tenants.tenant",
            ),
        ),
    ]
