import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0003_fill_contact_tenant"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="contacts",
                to="tenants.tenant",
            ),
        ),
    ]
