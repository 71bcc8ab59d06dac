from django.db import migrations
from django.utils.text import slugify


def fill_slug(apps, schema_editor):
    """Give every carrier a slug of its own, so that the next migration can ask for it."""
    carriers = apps.get_model("carriers", "Carrier").objects.using(schema_editor.connection.alias)
    taken = set(carriers.exclude(slug="").values_list("slug", flat=True))
    for carrier in carriers.filter(slug="").order_by("pk"):
        stem = slugify(carrier.name)[:190] or "carrier"
        slug = stem if stem not in taken else f"{stem}-{carrier.pk}"
        taken.add(slug)
        carriers.filter(pk=carrier.pk).update(slug=slug)


class Migration(migrations.Migration):
    dependencies = [
        ("carriers", "0002_carrier_slug"),
    ]

    operations = [
        migrations.RunPython(fill_slug, migrations.RunPython.noop),
    ]
