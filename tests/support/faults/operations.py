# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases with a migration that the database or the project's own Python refuses once it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import (
    EMPTY_ROW,
    EMPTY_SCHEMA,
    OLD_ROW,
    OLD_SCHEMA,
    add_field,
    add_to_carriers,
    add_to_tenants,
    fault,
    operation_nickname,
)

if TYPE_CHECKING:
    from tests.support.variants import Variant


def _python(release: Variant, body: str, name: str = "0005_python") -> None:
    """Add a Python migration to carriers, with this body."""
    add_to_carriers(release, name, "migrations.RunPython(forwards, migrations.RunPython.noop)")
    _define(release, f"carriers/migrations/{name}.py", body)


def _define(release: Variant, path: str, body: str) -> None:
    release.replace(path, "\n\n\nclass", f"\n\n\ndef forwards(apps, schema_editor):\n    {body}\n\n\nclass")


def _sql(release: Variant, statement: str, name: str = "0005_sql") -> None:
    add_to_carriers(release, name, f"migrations.RunSQL({statement!r}, migrations.RunSQL.noop)")


_POLICY = (
    "ALTER TABLE carriers_carrier ENABLE ROW LEVEL SECURITY;"
    "CREATE POLICY own ON carriers_carrier USING (current_setting('app.tenant', true) IS NOT NULL)"
)


def policies_after_their_table(release: Variant) -> None:
    policies_before_their_table(release)
    release.replace(
        "tenants/migrations/0005_policies.py",
        "dependencies = [",
        "dependencies = [('carriers', '0004_alter_carrier_tenant'), ",
    )


@fault(EMPTY_ROW, words=("carriers_carrier", "0005_policies"), twin=policies_after_their_table)
def policies_before_their_table(release: Variant) -> None:
    add_to_tenants(release, "0005_policies", f"migrations.RunSQL({_POLICY!r}, migrations.RunSQL.noop)")


def tenants_policies(release: Variant) -> None:
    _sql(release, _POLICY, "0005_policies")


@fault(EMPTY_SCHEMA, words=("carriers_carrier", "0003_policies"), twin=tenants_policies)
def policies_in_the_public_schema_for_tables_of_the_tenants(release: Variant) -> None:
    add_to_tenants(release, "0003_policies", f"migrations.RunSQL({_POLICY!r}, migrations.RunSQL.noop)")


_SUPPLIERS = "INSTALLED_APPS += ['suppliers']"


def suppliers_in_their_turn(release: Variant) -> None:
    release.settings(_SUPPLIERS)


@fault(EMPTY_ROW, words=("No tenant exists", "0003_fill_supplier_tenant"), twin=suppliers_in_their_turn, playbook=True)
def tenant_wanted_before_there_can_be_one(release: Variant) -> None:
    """The tenant model's own app depends on what fills the tenants' foreign key."""
    release.settings(_SUPPLIERS)
    add_to_tenants(release, "0005_after_suppliers", "")
    release.replace(
        "tenants/migrations/0005_after_suppliers.py",
        "dependencies = [",
        "dependencies = [('suppliers', '0003_fill_supplier_tenant'), ",
    )


@fault(
    EMPTY_ROW,
    words=("No tenant exists", "0003_fill_supplier_tenant"),
    options={"tenancy_tenants": []},
    twin=suppliers_in_their_turn,
    twin_options={},
)
def tenant_wanted_where_none_is_declared(release: Variant) -> None:
    release.settings(_SUPPLIERS)


def public_tenant_if_there(release: Variant) -> None:
    _public_tenant(release, "filter(schema_name='public').first()")


@fault(EMPTY_SCHEMA, words=("DoesNotExist", "0003_public"), twin=public_tenant_if_there)
def public_tenant_wanted_before_there_can_be_one(release: Variant) -> None:
    _public_tenant(release, "get(schema_name='public')")


def _public_tenant(release: Variant, query: str) -> None:
    add_to_tenants(release, "0003_public", "migrations.RunPython(forwards, migrations.RunPython.noop)")
    _define(release, "tenants/migrations/0003_public.py", f"apps.get_model('tenants', 'Client').objects.{query}")


@fault(EMPTY_SCHEMA, OLD_ROW, words=("0005_python", "nobody"))
def python_that_crashes(release: Variant) -> None:
    _python(release, "{}['nobody']")


def asks_for_what_is_there(release: Variant) -> None:
    _python(release, "apps.get_model('carriers', 'Carrier').objects.filter(mc_number='').update(mc_number='none')")


@fault(EMPTY_ROW, words=("0005_python", "nickname"), twin=asks_for_what_is_there)
def python_that_asks_for_a_field_that_comes_later(release: Variant) -> None:
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    _python(release, "apps.get_model('carriers', 'Carrier').objects.filter(nickname='').update(nickname='none')")
    add_to_carriers(release, "0006_nickname", operation_nickname(), after="0005_python")


def historical_model(release: Variant) -> None:
    _later_field(release, "apps.get_model('carriers', 'Carrier').objects.filter(name='x').first()")


@fault(EMPTY_SCHEMA, OLD_ROW, words=("nickname", "0005_python"), twin=historical_model)
def python_that_imports_the_model_of_today(release: Variant) -> None:
    """The class has a column that the table gets only later."""
    _later_field(release, "from carriers.models import Carrier; Carrier.objects.filter(name='x').first()")


def _later_field(release: Variant, body: str) -> None:
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    _python(release, body)
    add_to_carriers(release, "0006_nickname", operation_nickname(), after="0005_python")


def permission_made_if_missing(release: Variant) -> None:
    _permission(release, "filter(codename='add_carrier').first()")


@fault(EMPTY_ROW, words=("DoesNotExist", "0005_python"), twin=permission_made_if_missing)
def permission_wanted_before_the_signal_makes_it(release: Variant) -> None:
    _permission(release, "get(codename='add_carrier')")


def _permission(release: Variant, query: str) -> None:
    _python(release, f"apps.get_model('auth', 'Permission').objects.{query}")
    release.replace(
        "carriers/migrations/0005_python.py",
        "dependencies = [",
        "dependencies = [('auth', '0012_alter_user_first_name_max_length'), ",
    )


def right_sql(release: Variant) -> None:
    _sql(release, "UPDATE carriers_carrier SET mc_number = '' WHERE mc_number = 'none'")


@fault(EMPTY_SCHEMA, OLD_ROW, words=("0005_sql", "42601"), twin=right_sql, playbook=True)
def syntax_error_in_sql(release: Variant) -> None:
    _sql(release, "UPDATE carriers_carrier SETT mc_number = ''")


@fault(EMPTY_ROW, words=("0005_sql", "42601"), twin=right_sql)
def sql_of_sqlite(release: Variant) -> None:
    _sql(release, "INSERT OR IGNORE INTO carriers_carrier (name, mc_number) VALUES ('x', '')")


def public_extension(release: Variant) -> None:
    _plain_names(release, "CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;")


@fault(EMPTY_SCHEMA, OLD_ROW, words=("0005_sql", "unaccent"), twin=public_extension)
def function_of_an_extension_that_nobody_made(release: Variant) -> None:
    _plain_names(release, "")


def _plain_names(release: Variant, before: str) -> None:
    _sql(release, f"{before}UPDATE carriers_carrier SET name = unaccent(name)")


def concurrent_index_alone(release: Variant) -> None:
    _concurrent_index(release, "atomic = False")


@fault(EMPTY_SCHEMA, words=("0005_index", "atomic"), twin=concurrent_index_alone)
def concurrent_index_in_a_transaction(release: Variant) -> None:
    _concurrent_index(release, "")


def _concurrent_index(release: Variant, body: str) -> None:
    release.replace("carriers/models.py", "    def __str__", _META + "\n    def __str__")
    operation = "AddIndexConcurrently('carrier', models.Index(fields=['name'], name='carrier_name'))"
    add_to_carriers(release, "0005_index", operation, body)
    release.replace(
        "carriers/migrations/0005_index.py",
        "\n\n\nclass",
        "\nfrom django.contrib.postgres.operations import AddIndexConcurrently\n\n\nclass",
    )


_META = "    class Meta:\n        indexes = [models.Index(fields=['name'], name='carrier_name')]\n"


@fault(OLD_SCHEMA, words=("0006_again", "carrier_name"))
def index_name_taken(release: Variant) -> None:
    index = "migrations.RunSQL('CREATE INDEX carrier_name ON carriers_carrier (name)', migrations.RunSQL.noop)"
    add_to_carriers(release, "0005_index", index)
    release.replace("carriers/models.py", "    def __str__", _META + "\n    def __str__")
    add_to_carriers(
        release,
        "0006_again",
        "migrations.AddIndex('carrier', models.Index(fields=['name'], name='carrier_name'))",
        after="0005_index",
    )


@fault(OLD_ROW, words=("carriers", "0005_gone"))
def field_removed_that_is_not_there(release: Variant) -> None:
    add_to_carriers(release, "0005_gone", "migrations.RemoveField('carrier', 'gone')")


@fault(EMPTY_ROW, words=("carriers", "0005_gone"))
def model_altered_that_is_not_there(release: Variant) -> None:
    add_to_carriers(release, "0005_gone", "migrations.AlterField('lorry', 'name', models.TextField())")


@fault(EMPTY_ROW, OLD_SCHEMA, words=("0006_uuid", "42846"))
def type_that_cannot_be_cast(release: Variant) -> None:
    release.replace(
        "carriers/models.py", "    name = models.CharField(max_length=200)", "    name = models.IntegerField()"
    )
    add_to_carriers(release, "0005_number", "migrations.AlterField('carrier', 'name', models.IntegerField(default=0))")
    release.replace("carriers/models.py", "    name = models.IntegerField()", "    name = models.UUIDField()")
    add_to_carriers(
        release, "0006_uuid", "migrations.AlterField('carrier', 'name', models.UUIDField())", after="0005_number"
    )


def own_schema_only(release: Variant) -> None:
    _sql(release, "SELECT (SELECT oid FROM pg_class WHERE oid = 'carriers_carrier'::regclass)")


@fault(EMPTY_SCHEMA, OLD_SCHEMA, words=("0005_sql", "21000"), twin=own_schema_only)
def sql_that_expects_a_table_in_one_schema_only(release: Variant) -> None:
    """As django-watson's first migration does."""
    _sql(release, "SELECT (SELECT oid FROM pg_class WHERE relname = 'carriers_carrier')")
