# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release with which a project gives up a schema for each tenant: the same apps and migrations, all in one schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .variants import Variant


def to_rows(release: Variant) -> Variant:
    """Take django-tenants out of the settings and the models of the schema sample; its migrations stay."""
    release.settings(
        "DATABASES['default']['ENGINE'] = 'django.db.backends.postgresql'\n"
        "INSTALLED_APPS = [app for app in INSTALLED_APPS if app != 'django_tenants']\n"
        "MIDDLEWARE = [path for path in MIDDLEWARE if 'django_tenants' not in path]\n"
        "DATABASE_ROUTERS = []\n"
        "del TENANT_MODEL, TENANT_DOMAIN_MODEL, SHARED_APPS, TENANT_APPS"
    )
    release.write(
        "tenants/models.py",
        '''"""Who is served, and under which host name."""

from django.db import models
from django_tenants.postgresql_backend.base import _check_schema_name


class Client(models.Model):
    """A company, whose schema is no more."""

    schema_name = models.CharField(max_length=63, unique=True, db_index=True, validators=[_check_schema_name])
    name = models.CharField(max_length=100)
    paid_until = models.DateField()
    on_trial = models.BooleanField(default=True)
    created_on = models.DateField(auto_now_add=True)


class Domain(models.Model):
    """A host name that leads to one client."""

    domain = models.CharField(max_length=253, unique=True, db_index=True)
    is_primary = models.BooleanField(default=True, db_index=True)
    tenant = models.ForeignKey(Client, db_index=True, related_name="domains", on_delete=models.CASCADE)
''',
    )
    return release
