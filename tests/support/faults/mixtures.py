# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that are half of one tenancy and half of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import EMPTY_ROW, EMPTY_SCHEMA, OLD_SCHEMA, fault

if TYPE_CHECKING:
    from tests.support.variants import Variant


@fault(OLD_SCHEMA, words=("mix", "django_tenants", "engine"))
def schema_tenants_without_the_engine(release: Variant) -> None:
    release.settings("DATABASES['default']['ENGINE'] = 'django.db.backends.postgresql'")


@fault(EMPTY_SCHEMA, words=("DATABASE_ROUTERS", "TenantSyncRouter"))
def schema_tenants_without_the_router(release: Variant) -> None:
    release.settings("DATABASE_ROUTERS = []")


@fault(EMPTY_SCHEMA, words=("TENANT_MODEL",))
def schema_tenants_without_the_model(release: Variant) -> None:
    release.settings("del TENANT_MODEL")


@fault(EMPTY_SCHEMA, words=("domain model",))
def schema_tenants_without_the_domain_model(release: Variant) -> None:
    release.settings("del TENANT_DOMAIN_MODEL")


@fault(EMPTY_SCHEMA, words=("SHARED_APPS",))
def schema_tenants_without_shared_apps(release: Variant) -> None:
    release.settings("del SHARED_APPS")


@fault(OLD_SCHEMA, words=("TENANT_APPS",))
def schema_tenants_without_tenant_apps(release: Variant) -> None:
    release.settings("TENANT_APPS = []")


@fault(EMPTY_SCHEMA, words=("tenants", "SHARED_APPS"))
def tenant_model_among_the_tenants_apps(release: Variant) -> None:
    release.settings("SHARED_APPS.remove('tenants')\nTENANT_APPS.append('tenants')")


@fault(EMPTY_SCHEMA, words=("tenants.Client", "TenantMixin"))
def tenant_model_that_is_none(release: Variant) -> None:
    release.replace("tenants/models.py", "class Client(TenantMixin):", "class Client(models.Model):")
    release.replace(
        "tenants/models.py",
        "    auto_drop_schema",
        "    schema_name = models.CharField(max_length=63, unique=True)\n    auto_drop_schema",
    )


@fault(EMPTY_ROW, words=("mix", "django_tenants.postgresql_backend"))
def row_tenants_with_the_engine(release: Variant) -> None:
    release.settings("DATABASES['default']['ENGINE'] = 'django_tenants.postgresql_backend'")


@fault(EMPTY_ROW, words=("TenantSyncRouter",))
def row_tenants_with_the_router(release: Variant) -> None:
    release.settings("DATABASE_ROUTERS = ['django_tenants.routers.TenantSyncRouter']")


@fault(EMPTY_ROW, words=("tenants.Tenant", "TenantMixin"))
def row_tenants_as_the_tenant_model_of_schemas(release: Variant) -> None:
    release.settings(
        "DATABASES['default']['ENGINE'] = 'django_tenants.postgresql_backend'\n"
        "DATABASE_ROUTERS = ['django_tenants.routers.TenantSyncRouter']\n"
        "SHARED_APPS = ['django_tenants', *INSTALLED_APPS[:3]]\nTENANT_APPS = INSTALLED_APPS[3:]\n"
        "INSTALLED_APPS = ['django_tenants', *INSTALLED_APPS]\n"
        "TENANT_MODEL = 'tenants.Tenant'\nTENANT_DOMAIN_MODEL = 'tenants.Domain'"
    )


@fault(EMPTY_SCHEMA, words=("tenants.Domain", "tenant"), playbook=True)
def domain_that_points_at_something_else(release: Variant) -> None:
    """The domain's foreign key leads to another model than the tenant's."""
    release.replace("tenants/models.py", "class Domain(DomainMixin):", _OTHER + "class Domain(models.Model):")
    release.append("tenants/models.py", _OTHER_FIELDS)
    release.replace(
        "tenants/migrations/0001_initial.py",
        '        migrations.CreateModel(\n            name="Domain"',
        _OTHER_MIGRATION + '        migrations.CreateModel(\n            name="Domain"',
    )
    release.replace("tenants/migrations/0001_initial.py", 'to="tenants.client"', 'to="tenants.company"')


_OTHER = 'class Company(models.Model):\n    """Not the tenant."""\n\n\n'
_OTHER_FIELDS = """
    domain = models.CharField(max_length=253, unique=True, db_index=True)
    is_primary = models.BooleanField(default=True, db_index=True)
    tenant = models.ForeignKey(Company, related_name="domains", on_delete=models.CASCADE)
"""
_OTHER_MIGRATION = """        migrations.CreateModel(
            name="Company",
            fields=[("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))],
        ),
"""


@fault(EMPTY_ROW, words=("tenants.Tenant", "auth.User"))
def domain_of_row_tenants_that_points_at_a_user(release: Variant) -> None:
    release.replace(
        "tenants/models.py",
        'tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")',
        'tenant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="domains")',
    )
    path = "tenants/migrations/0001_initial.py"
    release.replace(path, 'to="tenants.tenant"', "to=settings.AUTH_USER_MODEL")
    release.replace(path, "from django.db import", "from django.conf import settings\nfrom django.db import")
    release.replace(
        path, "dependencies = []", "dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]"
    )
