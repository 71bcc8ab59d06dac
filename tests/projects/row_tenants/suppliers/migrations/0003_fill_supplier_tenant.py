from django.db import migrations


def fill_tenant(apps, schema_editor):
    """Give the rows from before there were tenants to the first one, who must be there."""
    alias = schema_editor.connection.alias
    tenants = apps.get_model("tenants", "Tenant").objects.using(alias)
    tenant = tenants.order_by("created_at").first()
    if tenant is None:
        raise LookupError("No tenant exists: make one, then migrate suppliers again.")
    suppliers = apps.get_model("suppliers", "Supplier").objects.using(alias)
    suppliers.filter(tenant=None).update(tenant=tenant)


class Migration(migrations.Migration):
    dependencies = [
        ("suppliers", "0002_supplier_tenant"),
    ]

    operations = [
        migrations.RunPython(fill_tenant, migrations.RunPython.noop),
    ]
