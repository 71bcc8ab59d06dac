# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An app with a history: two of its migrations are squashed, and the third builds on them."""

from django.db import models


class Account(models.Model):
    number = models.IntegerField()
    name = models.CharField(max_length=20)
    closed = models.BooleanField(default=False)
