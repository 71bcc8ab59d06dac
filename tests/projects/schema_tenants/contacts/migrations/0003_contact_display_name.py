from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Concat


def fill_display_name(apps, schema_editor):
    """Write out the names that were there before the column was."""
    apps.get_model("contacts", "Contact").objects.using(schema_editor.connection.alias).update(
        display_name=Concat(F("first_name"), Value(" "), F("last_name"))
    )


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0002_contact_account_manager_contact_customer"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="display_name",
            field=models.CharField(blank=True, default="", max_length=201),
        ),
        migrations.RunPython(fill_display_name, migrations.RunPython.noop),
    ]
