# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tenancy a project uses: found in its settings and models, said in every result, and refused where it is half of one."""

from __future__ import annotations

import pytest

from tests.support.variants import PUBLIC

ACME = {
    "schema": "acme",
    "defaults": {"name": "Acme", "paid_until": "2099-12-31"},
    "domains": ["acme.localhost"],
}
PLAIN_ENGINE = 'DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"'


def test_the_tenancy_is_said_in_every_result(schema_variant, row_variant):
    assert schema_variant().tenants(check=True)["tenancy"] == {
        "kind": "schema",
        "database": "default",
        "engine": "django_tenants.postgresql_backend",
        "router": ["django_tenants.routers.TenantSyncRouter"],
        "tenant_model": "tenants.Client",
        "domain_model": "tenants.Domain",
        "public_schema": "public",
    }
    tenancy = row_variant.module("django_tenant_info")["tenancy"]
    assert (tenancy["kind"], tenancy["tenant_model"], tenancy["domain_model"]) == (
        "row",
        "tenants.Tenant",
        "tenants.Domain",
    )
    assert tenancy["engine"] == "django.db.backends.sqlite3"


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_every_setting_of_django_tenants_at_once(schema_variant, new_database, stack):
    """Another public schema, another alias, another backend below, more on the search path, and a hook that prints."""
    project = schema_variant(stack, template=None)
    other = new_database()
    project.write("tenants/hook.py", "def entered(connection, tenant):\n    print('now in', tenant.schema_name)\n")
    project.write("tenants/backend/__init__.py", "")
    project.write(
        "tenants/backend/base.py",
        "from django.db.backends.postgresql import base\n\n\nclass DatabaseWrapper(base.DatabaseWrapper):\n    of_the_project = True\n",
    )
    project.write(
        "tenants/routing.py",
        """class ToTenants:
    def db_for_read(self, model, **hints):
        return "tenants"

    db_for_write = db_for_read
""",
    )
    project.settings(
        f"""
DATABASES["tenants"] = DATABASES["default"]
DATABASES["default"] = {{**DATABASES["default"], "NAME": {other.name!r}, "ENGINE": "django.db.backends.postgresql"}}
DATABASE_ROUTERS = ["tenants.routing.ToTenants", "django_tenants.routers.TenantSyncRouter"]
TENANT_DB_ALIAS = "tenants"
PUBLIC_SCHEMA_NAME = "commons"
PG_EXTRA_SEARCH_PATHS = ["extensions"]
ORIGINAL_BACKEND = "tenants.backend"
EXTRA_SET_TENANT_METHOD_PATH = "tenants.hook.entered"
TENANT_MIGRATION_ORDER = ["-schema_name"]
TENANT_LIMIT_SET_CALLS = True
"""
    )
    for database in (project.database, other):
        database.execute("CREATE SCHEMA extensions")
    untouched = other.dump()
    migrated = project.module("django_migrate_schemas", scope="shared")
    assert not migrated.get("failed"), migrated
    refused = project.refused({**ACME, "schema": "extensions"})
    assert "PG_EXTRA_SEARCH_PATHS" in refused["msg"]
    result = project.ensure({**PUBLIC, "schema": "commons"}, ACME, {**ACME, "schema": "globex", "domains": []})
    assert result["tenancy"]["database"] == "tenants"
    assert result["tenancy"]["public_schema"] == "commons"
    assert "carriers_carrier" in project.database.tables("acme")
    assert project.database.query("SELECT count(*) FROM commons.tenants_client") == [(3,)]
    assert project.database.tables("public") == []
    assert other.dump() == untouched
    project.migration("carriers", "0005_more", "0004_alter_carrier_slug", "migrations.RunSQL('SELECT 1')")
    pending = project.module("django_migrate_schemas", scope="tenants", check=True)["pending"]
    assert pending[0]["schemas"] == ["globex", "acme"]
    refused = project.refused(ACME, database="default")
    assert "database" in refused["msg"]


def test_tenants_of_several_types_get_the_apps_of_their_type(schema_variant):
    project = schema_variant()
    project.replace(
        "tenants/models.py",
        "    on_trial =",
        '    kind = models.CharField(max_length=10, default="shop")\n    on_trial =',
    )
    project.migration(
        "tenants",
        "0003_kind",
        "0002_client_on_trial_client_paid_until",
        "migrations.AddField('client', 'kind', models.CharField(max_length=10, default='shop'))",
    )
    project.settings(
        """
HAS_MULTI_TYPE_TENANTS = True
MULTI_TYPE_DATABASE_FIELD = "kind"
TENANT_TYPES = {
    "public": {"APPS": SHARED_APPS, "URLCONF": "config.public_urls"},
    "shop": {"APPS": ["django.contrib.contenttypes", "carriers"], "URLCONF": "config.urls"},
    "desk": {"APPS": ["django.contrib.contenttypes"], "URLCONF": "config.urls"},
}
del SHARED_APPS, TENANT_APPS
"""
    )
    # Check mode answers before the column is there; the real run names the task that makes it.
    desk = {**ACME, "schema": "desk", "attributes": {"kind": "desk"}, "domains": []}
    assert project.tenants(ACME, desk, check=True)["changed"]
    ahead = project.tenants(ACME, desk)
    assert "tenants.Client is ahead of the database: public.tenants_client lacks kind." in ahead["msg"]
    assert "django_migrate_schemas: {scope: shared}" in ahead["hint"]

    assert not project.module("django_migrate_schemas", scope="shared").get("failed")
    refused = project.refused({**ACME, "attributes": {"kind": "barn"}})
    assert "acme: kind: 'barn' is none of the tenants' types (desk, shop)." in refused["msg"]
    project.ensure(ACME, desk)
    assert project.database.tables("acme") == ["carriers_carrier", "django_content_type", "django_migrations"]
    assert project.database.tables("desk") == ["django_content_type", "django_migrations"]
    assert project.module("django_tenant_info")["missing"] == []


def test_a_project_without_a_domain_model(schema_variant):
    project = schema_variant()
    project.replace("tenants/models.py", "class Domain(DomainMixin):", "class Unused(models.Model):")
    project.settings("del TENANT_DOMAIN_MODEL")
    acme = {**ACME, "domains": []}
    result = project.ensure(acme, {"schema": "public", "attributes": {"name": "The public one"}})
    assert result["tenancy"]["domain_model"] is None
    assert "the project has no domain model" in project.refused(ACME)["msg"]
    assert project.ensure({"schema": "acme", "state": "absent"})["tenants"][0]["actions"] == ["delete the row"]


def test_tables_of_tenants_and_domains_that_stand_empty_in_every_schema_do_no_harm(schema_variant):
    project = schema_variant().settings('TENANT_APPS = [*TENANT_APPS, "tenants"]')
    project.ensure(ACME, {**ACME, "schema": "globex", "domains": ["globex.localhost"]})
    assert project.query("SELECT count(*) FROM acme.tenants_client") == [(0,)]
    result = project.ensure(
        {**ACME, "attributes": {"name": "New"}, "domains": ["new.localhost"], "exclusive_domains": True}
    )
    assert result["tenants"][0]["state"] == "updated"
    assert project.query("SELECT name FROM public.tenants_client WHERE schema_name = 'acme'") == [("New",)]
    project.ensure({"schema": "acme", "state": "absent", "drop_schema": True, "confirm": "acme"})
    assert project.query("SELECT count(*) FROM globex.tenants_domain") == [(0,)]


def test_the_projects_own_migrate_command_and_executor_are_called(schema_variant):
    project = schema_variant()
    project.write(
        "tenants/custom.py",
        """from django.core.management.commands import migrate
from django_tenants.migration_executors.standard import StandardExecutor


def note(what):
    with open("called", "a") as file:
        file.write(what + "\\n")


class Command(migrate.Command):
    def handle(self, *args, **options):
        note("command")
        return super().handle(*args, **options)


class Executor(StandardExecutor):
    codename = "ours"

    def run_migrations(self, tenants=None):
        note("executor " + ",".join(tenants))
        return super().run_migrations(tenants=tenants)


def choose(codename=None):
    return Executor
""",
    )
    project.settings('TENANT_BASE_MIGRATE_COMMAND = "tenants.custom.Command"')
    called = project.sample.directory / "called"
    project.ensure(ACME)
    assert set(called.read_text().split("\n")) == {"command", ""}
    called.unlink()
    project.settings('GET_EXECUTOR_FUNCTION = "tenants.custom.choose"')
    project.ensure({**ACME, "schema": "globex", "domains": []})
    assert set(called.read_text().split("\n")) == {"executor globex", "command", ""}
    assert project.database.tables("globex") == project.database.tables("acme")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (PLAIN_ENGINE, "'django_tenants' in INSTALLED_APPS, but not an engine of django-tenants"),
        (
            'INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in ("django_tenants", "tenants")]\nDATABASE_ROUTERS = []',
            "the engine django_tenants.postgresql_backend, but not 'django_tenants' in INSTALLED_APPS",
        ),
        ('TENANT_MODEL = "tenants.Nobody"', "Nobody"),
        ('TENANT_DOMAIN_MODEL = "auth.User"', "auth.User has no foreign key to the tenant model tenants.Client"),
        ('TENANT_DB_ALIAS = "elsewhere"', "there is no alias 'elsewhere'"),
    ],
)
def test_settings_that_make_half_a_tenancy_are_refused(schema_variant, settings, message):
    result = schema_variant().settings(settings).tenants(ACME)
    assert result["failed"]
    assert message in result["msg"]


def test_two_models_that_could_be_the_tenant_are_both_named_until_one_is(row_variant):
    row_variant.append("carriers/models.py", "\n\nclass Tenant(models.Model):\n    slug = models.SlugField()\n")
    result = row_variant.tenants({"key": {"slug": "acme"}})
    assert result["failed"]
    assert "carriers.Tenant and tenants.Tenant" in result["msg"]
    acme = {
        "key": {"slug": "acme"},
        "defaults": {"name": "Acme", "contact_email": "a@b.example"},
        "domains": ["a.example"],
    }
    named = row_variant.tenants(acme, tenant_model="tenants.Tenant")
    assert named["tenancy"]["domain_model"] == "tenants.Domain"
    wrong = row_variant.tenants(acme, tenant_model="carriers.Tenant", domain_model="tenants.Domain")
    assert (
        "tenants.Domain has no foreign key to the tenant model carriers.Tenant (tenant → tenants.Tenant)"
        in wrong["msg"]
    )
    wrong = row_variant.tenants(acme, tenant_model="carriers.Tenant")
    assert "tenants.Domain has no foreign key to the tenant model carriers.Tenant" in wrong["msg"]
    wrong = row_variant.tenants(acme, tenant_model="nobody.Tenant")
    assert "tenant_model: there is no model 'nobody.Tenant'" in wrong["msg"]


def test_models_of_other_names_are_found_by_their_foreign_keys(row_variant):
    """The tenant by what points at it, the domain by its host name; and a model that only looks like one is passed over."""
    row_variant.append(
        "carriers/models.py",
        """

class MailDomain(models.Model):
    name = models.CharField(max_length=100)


class Company(models.Model):
    slug = models.SlugField(unique=True)


class Host(models.Model):
    hostname = models.CharField(max_length=100, unique=True)
    tenant = models.ForeignKey(Company, on_delete=models.CASCADE)
""",
    )
    row_variant.settings('INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "carriers"]')
    row_variant.replace(
        "carriers/models.py", 'tenant = models.ForeignKey("tenants.Tenant"', 'company = models.ForeignKey("Company"'
    )
    for table in (
        "company (id integer PRIMARY KEY, slug varchar(50))",
        "host (id integer PRIMARY KEY, hostname varchar(100), tenant_id integer)",
    ):
        row_variant.execute(f"CREATE TABLE carriers_{table}")
    result = row_variant.ensure({"key": {"slug": "acme"}, "domains": ["a.example", "B.example"]})
    assert result["tenancy"]["tenant_model"] == "carriers.Company"
    assert result["tenancy"]["domain_model"] == "carriers.Host"
    assert row_variant.query("SELECT hostname FROM carriers_host") == [("a.example",), ("b.example",)]
