import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="client",
            name="on_trial",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="client",
            name="paid_until",
            field=models.DateField(default=datetime.date(2099, 12, 31)),
            preserve_default=False,
        ),
    ]
