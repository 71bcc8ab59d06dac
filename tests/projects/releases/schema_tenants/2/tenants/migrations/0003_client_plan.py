from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_client_on_trial_client_paid_until"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="plan",
            field=models.CharField(default="standard", max_length=20),
        ),
    ]
