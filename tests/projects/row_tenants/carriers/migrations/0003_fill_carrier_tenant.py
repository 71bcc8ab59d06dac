from django.db import migrations


def fill_tenant(apps, schema_editor):
    """Give the rows from before there were tenants to the first one, if there is one."""
    alias = schema_editor.connection.alias
    tenants = apps.get_model("tenants", "Tenant").objects.using(alias)
    tenant = tenants.order_by("created_at").first()
    if tenant is None:
        return
    carriers = apps.get_model("carriers", "Carrier").objects.using(alias)
    carriers.filter(tenant=None).update(tenant=tenant)


class Migration(migrations.Migration):
    dependencies = [
        ("carriers", "0002_carrier_tenant"),
    ]

    operations = [
        migrations.RunPython(fill_tenant, migrations.RunPython.noop),
    ]
