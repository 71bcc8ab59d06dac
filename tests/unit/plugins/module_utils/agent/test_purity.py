# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be replayed, judged operation by operation as each stands."""

from __future__ import annotations

import importlib
import uuid

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.purity import has_sql, impurity, statement_kind
from django.contrib.contenttypes.management import RenameContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.state import ModelState, ProjectState
from django.utils import timezone


class Salted(models.TextField):
    def get_prep_value(self, value):
        return f"{value}{uuid.uuid4()}"


class OwnSQL(migrations.RunSQL):
    pass


def of(*operations, **attributes):
    migration = migrations.Migration("0002_more", "things")
    migration.operations = list(operations)
    for name, value in attributes.items():
        setattr(migration, name, value)
    return impurity(migration)


def added(field):
    return of(migrations.AddField("Item", "it", field))


@pytest.mark.parametrize(
    "field",
    [
        models.TextField(default=""),
        models.TextField(null=True),
        models.JSONField(default=dict),
        models.IntegerField(default=int),
        models.UUIDField(default=uuid.UUID(int=5)),
        models.DateTimeField(default=timezone.now().replace(year=2020)),
        models.DateTimeField(auto_now=False, null=True),
        models.ForeignKey("Item", models.CASCADE, null=True),
        models.ManyToManyField("Item"),
        ArrayField(models.IntegerField(), default=list),
    ],
)
def test_a_value_that_is_the_same_for_all_is_replayed(field):
    assert added(field) is None


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (models.UUIDField(default=uuid.uuid4), "the default of it is computed"),
        (models.UUIDField(default=uuid.uuid4, null=True), "the default of it is computed"),
        (models.IntegerField(default=lambda: 1), "the default of it is computed"),
        (models.DateTimeField(auto_now=True), "it takes the time of the migration"),
        (models.DateField(auto_now_add=True), "it takes the time of the migration"),
        (Salted(default="x"), "Salted has its own get_prep_value()"),
        (ArrayField(Salted(), default=list), "Salted has its own get_prep_value()"),
    ],
)
def test_a_value_that_each_schema_computes_is_not(field, reason):
    assert added(field) == reason
    assert of(migrations.AlterField("Item", "it", field)) == reason
    inner = migrations.SeparateDatabaseAndState(database_operations=[migrations.AddField("Item", "it", field)])
    assert of(inner) == reason


def test_python_that_sends_nothing_in_any_schema_is_replayed():
    assert of(migrations.RunPython(migrations.RunPython.noop, print)) is None


def test_sql_of_the_project_is_found_also_within():
    within = migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("SELECT 1")])
    assert has_sql([migrations.DeleteModel("Item"), within])
    assert not has_sql([migrations.DeleteModel("Item"), migrations.SeparateDatabaseAndState()])


def test_the_python_of_auth_sends_nothing_where_no_model_is_a_proxy():
    module = importlib.import_module("django.contrib.auth.migrations.0011_update_proxy_permissions")
    reason = "RunPython may do something else in every schema"
    without, with_proxy = ProjectState(), ProjectState()
    for state in (without, with_proxy):
        state.add_model(ModelState("things", "Item", [("id", models.AutoField(primary_key=True))]))
    with_proxy.add_model(ModelState("things", "Same", [], options={"proxy": True}, bases=("things.item",)))
    assert impurity(module.Migration("0011", "auth"), without) is None
    assert impurity(module.Migration("0011", "auth"), with_proxy) == reason
    # Without the models it can't be told.
    assert impurity(module.Migration("0011", "auth")) == reason


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (migrations.RunPython(print), "RunPython may do something else in every schema"),
        (RenameContentType("things", "a", "b"), "RenameContentType may do something else in every schema"),
        (OwnSQL("SELECT 1"), "OwnSQL may do something else in every schema"),
        (
            AddIndexConcurrently("Item", models.Index(fields=["name"], name="i")),
            "AddIndexConcurrently may do something else in every schema",
        ),
    ],
)
def test_an_operation_that_is_not_known_is_not_replayed(operation, reason):
    assert of(migrations.RunSQL("DELETE FROM a"), operation) == reason


def test_what_changes_the_state_alone_is_not_asked():
    assert of(migrations.SeparateDatabaseAndState(state_operations=[migrations.RunPython(print)])) is None


def test_a_migration_that_is_not_atomic_or_applies_itself_is_not_replayed():
    assert of(atomic=False) == "it is not atomic"

    class Own(migrations.Migration):
        def apply(self, project_state, schema_editor, collect_sql=False):
            return project_state

    assert impurity(Own("0002_more", "things")) == "it has its own apply()"


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DELETE FROM a WHERE b LIKE '%'",
        "-- gone\nDELETE FROM a -- all",
        ["ALTER TABLE a ADD b int", ("DROP TABLE c", None), ("DROP TABLE d", [])],
        "INSERT INTO a SELECT * FROM b ON CONFLICT DO NOTHING",
        "UPDATE a SET b = CASE WHEN c THEN 1 END; CREATE INDEX i ON a (b)",
        "ALTER TABLE a SET SCHEMA_NOTE",
        migrations.RunSQL.noop,
    ],
)
def test_sql_with_one_text_for_all_is_replayed(sql):
    assert of(migrations.RunSQL(sql)) is None


@pytest.mark.parametrize(
    "sql",
    [
        "SET search_path = public",
        "set schema 'public'",
        "SET LOCAL ROLE owner",
        "SELECT set_config('search_path', 'public', false)",
        "COMMIT",
        "/* x */ Begin; DROP TABLE a",
        "START TRANSACTION",
        "CREATE INDEX CONCURRENTLY i ON a (b)",
        "VACUUM a",
        "DISCARD ALL",
        "DO $$ BEGIN END $$",
        "do language plpgsql 'BEGIN END'",
        "CALL work()",
        "SELECT 1",
        "  ( SELECT setval('a', 1) FROM pg_class)",
        "WITH a AS (DELETE FROM b RETURNING c) SELECT * FROM a",
        "VALUES (1)",
        'INSERT INTO "django_migrations" (app) VALUES (1)',
        "DELETE FROM auth_permission",
        "UPDATE django_content_type SET model = 'x'",
        ["DROP TABLE a", "SELECT 1"],
        [("DELETE FROM a WHERE b = %s", [1])],
        [(b"DROP TABLE a", None)],
    ],
)
def test_sql_that_leaves_the_schema_or_looks_at_rows_is_not(sql):
    assert of(migrations.RunSQL(sql)).startswith("RunSQL ")


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SET search_path = 'a','public'", "skip"),
        ('INSERT INTO "django_migrations" ("app") VALUES (%s)', "skip"),
        ("SELECT c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON true", "skip"),
        ("SELECT a FROM information_schema.columns JOIN pg_class ON true", "skip"),
        ('SELECT max("id") FROM "things_item"', "reads"),
        ("SELECT a FROM pg_class JOIN things_item ON true", "reads"),
        ("SELECT nextval('a')", "reads"),
        ("SHOW server_version", "reads"),
        ('SAVEPOINT "s1_x1"', "skip"),
        ('RELEASE SAVEPOINT "s1_x1"', "skip"),
        ('ROLLBACK TO SAVEPOINT "s1_x1"', "reads"),
        ('ALTER TABLE "a" ADD "b" int', "keep"),
        ("CREATE VIEW v AS SELECT 1", "keep"),
    ],
)
def test_djangos_own_questions_are_told_from_what_is_to_be_sent(sql, kind):
    assert statement_kind(sql) == kind
