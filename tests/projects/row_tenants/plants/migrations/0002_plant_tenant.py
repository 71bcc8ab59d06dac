import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
        ("plants", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="plant",
            name="tenant",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="plants",
                to="tenants.tenant",
            ),
        ),
    ]
