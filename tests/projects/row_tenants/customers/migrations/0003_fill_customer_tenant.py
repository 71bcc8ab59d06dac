from django.db import migrations


def fill_tenant(apps, schema_editor):
    """Give the rows from before there were tenants to the first one.

    Without such rows there is nothing to give and no tenant is needed.
    """
    alias = schema_editor.connection.alias
    customers = apps.get_model("customers", "Customer").objects.using(alias)
    orphans = customers.filter(tenant=None)
    count = orphans.count()
    if not count:
        return
    tenants = apps.get_model("tenants", "Tenant").objects.using(alias)
    tenant = tenants.order_by("created_at").first()
    if tenant is None:
        raise RuntimeError(f"No tenant exists, and {count} customers need one.")
    orphans.update(tenant=tenant)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_customer_tenant"),
    ]

    operations = [
        migrations.RunPython(fill_tenant, migrations.RunPython.noop),
    ]
