from django.db import migrations


def fill_code(apps, schema_editor):
    """Give every customer that was there before the code a code of its own."""
    customers = apps.get_model("customers", "Customer").objects.using(schema_editor.connection.alias)
    for customer in customers.filter(code=None).order_by("pk"):
        customers.filter(pk=customer.pk).update(code=f"C{customer.pk:06d}")


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0004_customer_code"),
    ]

    operations = [
        migrations.RunPython(fill_code, migrations.RunPython.noop),
    ]
