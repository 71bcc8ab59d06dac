from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0004_alter_supplier_tenant"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="supplier",
            index=models.Index(fields=["tenant", "name"], name="supplier_tenant_name_idx"),
        ),
    ]
