from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill_tenant(apps, schema_editor):
    """Put a contact where its supplier or its customer is; a lone one goes to the first tenant."""
    alias = schema_editor.connection.alias
    contacts = apps.get_model("contacts", "Contact").objects.using(alias)
    for employer, label in (("supplier", "suppliers"), ("customer", "customers")):
        owners = apps.get_model(label, employer).objects.using(alias)
        found = owners.filter(pk=OuterRef(f"{employer}_id")).values("tenant_id")[:1]
        contacts.filter(tenant=None).update(tenant_id=Subquery(found))
    lone = contacts.filter(tenant=None)
    if not lone.exists():
        return
    tenants = apps.get_model("tenants", "Tenant").objects.using(alias)
    tenant = tenants.order_by("created_at").first()
    if tenant is None:
        raise RuntimeError(f"No tenant exists, and {lone.count()} contacts need one.")
    lone.update(tenant=tenant)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_alter_customer_tenant"),
        ("suppliers", "0004_alter_supplier_tenant"),
        ("contacts", "0002_contact_tenant"),
    ]

    operations = [
        migrations.RunPython(fill_tenant, migrations.RunPython.noop),
    ]
