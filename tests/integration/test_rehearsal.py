# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rehearsal of a whole deploy to an empty database: what will fail is found before the first write, and nothing is left behind."""

from __future__ import annotations

import pytest

from tests.support import samples
from tests.support.rehearsals import ACME, rehearsed, scratch_databases, warnings
from tests.support.variants import PUBLIC, Variant, few_apps

LAST = "0004_alter_carrier_slug"


@pytest.fixture
def empty(schema_variant):
    """The schema sample and an empty database."""
    return schema_variant(template=None)


@pytest.fixture
def rows(database, tmp_path):
    """The row sample and an empty database."""
    copy = samples.copy_sample(
        "row_tenants", tmp_path / "rows", release="1", stack="current", environment="dev", database_url=database.url
    )
    return Variant(few_apps(copy), database)


def test_a_failing_migration_late_in_a_tenants_app_is_found_before_public_is_written(empty):
    empty.migration(
        "carriers", "0005_twice", LAST, "migrations.AddField('carrier', 'slug', models.TextField(null=True))"
    )
    result = rehearsed(empty)
    assert result["msg"].startswith(
        "The rehearsal failed, so nothing was written: carriers.0005_twice (Add field slug to carrier) would fail in acme with: "
        'column "slug" of relation "carriers_carrier" already exists (SQLSTATE 42701) in: ALTER TABLE "carriers_carrier" ADD COLUMN "slug"'
    )
    assert "another pending migration makes it as well" in result["msg"]
    (failure,) = result["rehearsal"]["failures"]
    assert (failure["migration"], failure["sqlstate"], failure["schema"]) == ("carriers.0005_twice", "42701", "acme")
    assert scratch_databases(empty.database) == []


def test_that_no_tenant_could_be_made_is_found_where_there_is_none_yet(empty):
    empty.migration(
        "carriers", "0005_twice", LAST, "migrations.AddField('carrier', 'slug', models.TextField(null=True))"
    )
    result = rehearsed(empty, rehearse_tenants=[])
    assert "carriers.0005_twice (Add field slug to carrier) would fail in a new tenant with:" in result["msg"]


def test_python_that_may_only_miss_the_row_of_a_tenant_that_nobody_declared_is_a_warning(empty):
    with_python(empty, NEEDS_ITS_OWN_ROW)
    result = rehearsed(empty, rehearse_tenants=[])
    assert not result.get("failed"), result
    assert "Perhaps only because nobody has declared one" in warnings(result)[0]


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_healthy_deploy_passes_and_is_then_carried_out(stack, schema_variant):
    variant = schema_variant(stack, template=None)
    result = rehearsed(variant)
    assert not result.get("failed"), result
    assert "warnings" not in result
    rehearsal = result["rehearsal"]
    assert (rehearsal["method"], rehearsal["failures"], rehearsal["notices"]) == ("scratch", [], [])
    assert rehearsal["schemas"] == [{"schema": "public", "stands_for": 1, "like": []}]
    # Of public and of a tenant that this task does not make.
    assert rehearsal["migrations"] > result["summary"]["migrated"]
    assert "sql" not in rehearsal
    assert variant.database.schemas() == ["public"]
    assert scratch_databases(variant.database) == []
    made = variant.tenants(PUBLIC, ACME)
    assert not made.get("failed"), made
    done = rehearsed(variant, scope="tenants")
    assert (done["changed"], "rehearsal" in done) == (False, False)


NEEDS_ITS_OWN_ROW = """
def work(apps, schema_editor):
    schema = schema_editor.connection.schema_name
    if schema != 'public':
        apps.get_model('tenants', 'Client').objects.get(schema_name=schema)
"""
NEEDS_A_TENANT = """
def work(apps, schema_editor):
    if not apps.get_model('tenants', 'Tenant').objects.exists():
        raise ValueError('No tenant exists')
"""


def with_python(variant, body, app="carriers", name="0005_work", after=LAST):
    variant.migration(app, name, after, "migrations.RunPython(work)")
    text = f"{app}/migrations/{name}.py"
    return variant.replace(text, "class Migration", f"{body}\n\nclass Migration")


def test_python_that_wants_a_tenant_passes_where_one_is_declared_and_fails_where_none_is(rows):
    with_python(rows, NEEDS_A_TENANT, after="0004_alter_carrier_tenant")
    acme = {
        "key": {"slug": "acme"},
        "defaults": {"name": "Acme", "contact_email": "a@acme.example"},
        "domains": ["acme.example"],
    }
    result = rehearsed(rows, rehearse_tenants=[])
    assert (
        "carriers.0005_work (Raw Python operation (work), carriers/migrations/0005_work.py:7) would fail"
        in result["msg"]
    )
    assert "ValueError: No tenant exists" in result["msg"]
    result = rehearsed(rows, rehearse_tenants=[acme])
    assert not result.get("failed"), result
    assert "warnings" not in result


def test_row_level_security_before_its_table_is_found(rows):
    rows.migration(
        "carriers",
        "0005_policy",
        "0004_alter_carrier_tenant",
        "migrations.RunSQL('ALTER TABLE carriers_load ENABLE ROW LEVEL SECURITY')",
    )
    rows.migration(
        "carriers",
        "0006_load",
        "0005_policy",
        "migrations.CreateModel('Load', [('id', models.BigAutoField(primary_key=True))])",
    )
    result = rehearsed(rows, rehearse_tenants=[])
    assert "carriers.0005_policy (Raw SQL operation) would fail in public" in result["msg"]
    assert result["rehearsal"]["failures"][0]["sqlstate"] == "42P01"


def test_on_sqlite_too_what_fails_is_found_on_a_copy(row_variant):
    row_variant.migration(
        "carriers",
        "0005_twice",
        "0004_alter_carrier_tenant",
        "migrations.AddField('carrier', 'name', models.TextField(null=True))",
    )
    result = rehearsed(row_variant, scope="all", rehearse_tenants=None)
    assert "carriers.0005_twice (Add field name to carrier) would fail in main" in result["msg"]


def test_the_python_of_a_migration_that_is_named_is_left_out_and_nothing_else_of_it(empty):
    with_python(empty, "def work(apps, schema_editor):\n    raise ValueError('asks the weather')")
    empty.replace(
        "carriers/migrations/0005_work.py", "RunPython(work)", "RunPython(work), migrations.RunSQL('SELECT 1 / 0')"
    )
    result = rehearsed(empty, rehearse_skip=["carriers.0005_work"])
    (failure,) = result["rehearsal"]["failures"]
    assert (failure["operation"], failure["message"]) == ("Raw SQL operation", "division by zero")
    assert result["rehearsal"]["skipped"] == ["carriers.0005_work"]
    result = rehearsed(empty, rehearse_skip=["carriers.0005_wrok"])
    assert result["msg"] == "rehearse_skip: there is no migration 'carriers.0005_wrok'."


def test_check_mode_rehearses_only_where_scratch_is_asked_for(empty):
    empty.migration(
        "carriers", "0005_twice", LAST, "migrations.AddField('carrier', 'slug', models.TextField(null=True))"
    )
    for method in ("auto", "rollback", "none"):
        result = rehearsed(empty, rehearse=method, check=True)
        assert not result.get("failed"), result
        assert "rehearsal" not in result
    result = rehearsed(empty, check=True)
    assert "carriers.0005_twice" in result["msg"]
    assert empty.database.tables() == []
    assert scratch_databases(empty.database) == []


def test_a_statement_for_the_whole_server_is_not_run_and_what_follows_on_it_is_no_alarm(empty):
    role = f"made_by_a_rehearsal_{empty.database.name}"
    empty.migration("carriers", "0005_role", LAST, f"migrations.RunSQL('CREATE ROLE {role}')")
    empty.migration(
        "carriers", "0006_grant", "0005_role", f"migrations.RunSQL('GRANT SELECT ON carriers_carrier TO {role}')"
    )
    result = rehearsed(empty)
    assert not result.get("failed"), result
    assert "a statement for the whole server was left out: CREATE ROLE" in warnings(result)[0]
    assert empty.query(f"SELECT FROM pg_roles WHERE rolname = '{role}'") == []


def test_tenants_that_the_real_database_would_refuse_too_fail_the_rehearsal(empty):
    result = rehearsed(empty, rehearse_tenants=[PUBLIC, {**ACME, "attributes": {"colour": "red"}}])
    assert result["failed"], result
    assert "The declared tenants would be refused" in result["msg"]
    assert "colour" in result["msg"]


LOOP = """
from django_tenants.utils import get_tenant_model, schema_context
from carriers.models import Carrier


def work(apps, schema_editor):
    for tenant in get_tenant_model().objects.exclude(schema_name='public'):
        with schema_context(tenant.schema_name):
            Carrier.objects.create(name='Of all', slug='of-all')
            assert Carrier.objects.count() == 1
"""


def test_a_shared_migration_that_goes_from_tenant_to_tenant_is_no_alarm(schema_variant):
    variant = schema_variant()
    made = variant.tenants(
        *({**ACME, "schema": name, "domains": [f"{name}.localhost"]} for name in ("acme", "globex", "initech"))
    )
    assert not made.get("failed"), made
    with_python(variant, LOOP, "tenants", "0003_loop", "0002_client_on_trial_client_paid_until")
    for declared in (None, []):
        result = rehearsed(variant, check=True, rehearse_tenants=declared)
        assert not result.get("failed"), result["msg"]
        assert warnings(result) == []
        assert result["rehearsal"]["migrations"] == (1 if declared is None else 2)
    # One by one, the same as in the rehearsal.
    done = variant.module("django_migrate_schemas", scope="shared")
    assert not done.get("failed"), done
    assert {
        tuple(variant.query(f"SELECT slug FROM {name}.carriers_carrier")) for name in ("acme", "globex", "initech")
    } == {(("of-all",),)}
