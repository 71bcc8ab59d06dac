from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0003_tenantinvitation"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="schema_name",
            field=models.CharField(blank=True, max_length=63, null=True, unique=True),
        ),
    ]
