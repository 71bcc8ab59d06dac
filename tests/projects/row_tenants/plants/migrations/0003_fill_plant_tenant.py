from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill_tenant(apps, schema_editor):
    """Put a plant where its supplier is, which by then is with a tenant."""
    alias = schema_editor.connection.alias
    suppliers = apps.get_model("suppliers", "Supplier").objects.using(alias)
    found = suppliers.filter(pk=OuterRef("supplier_id")).values("tenant_id")[:1]
    plants = apps.get_model("plants", "Plant").objects.using(alias)
    plants.filter(tenant=None).update(tenant_id=Subquery(found))


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0004_alter_supplier_tenant"),
        ("plants", "0002_plant_tenant"),
    ]

    operations = [
        migrations.RunPython(fill_tenant, migrations.RunPython.noop),
    ]
