# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("contenttypes", "0001_initial")]
    operations = [
        migrations.CreateModel(
            "Account", [("id", models.AutoField(primary_key=True)), ("number", models.IntegerField())]
        )
    ]
