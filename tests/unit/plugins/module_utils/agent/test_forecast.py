# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is foretold of migrations is what they do, on a real database."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.conflicts import Catalog
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.forecast import Effect, effects
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.kinds import SchemaKind
from django.db import connections, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN = SchemaKind("main", None, True, "the database")
KEY = ("id", models.AutoField(primary_key=True))


@pytest.fixture
def database() -> Iterator[Any]:
    """An SQLite of the test's own, under an alias of its own."""
    connections.databases["forecast"] = {**connections.databases["default"], "NAME": ":memory:"}
    yield connections["forecast"]
    connections["forecast"].close()
    del connections["forecast"]
    del connections.databases["forecast"]


class Project:
    """Migrations in a line, as a loader has them."""

    def __init__(self, *steps: Any) -> None:
        self.nodes: dict[tuple[str, str], Any] = {}
        self.unmigrated_apps: set[str] = set()
        self.graph = self
        for number, step in enumerate(steps, 1):
            app, operations = step if isinstance(step, tuple) else ("things", step)
            migration = migrations.Migration(f"{number:04}_step", app)
            migration.operations = operations if isinstance(operations, list) else [operations]
            self.nodes[app, migration.name] = migration

    def leaf_nodes(self) -> list[tuple[str, str]]:
        return list(self.nodes)[-1:]

    def forwards_plan(self, target: object) -> list[tuple[str, str]]:
        return list(self.nodes)

    def foretold(self, connection: Any, applied: int = 0) -> list[Effect]:
        context: Any = SimpleNamespace(
            alias=connection.alias, connection=connection, tenancy=SimpleNamespace(by_schema=False)
        )
        keys = list(self.nodes)
        return effects(context, MAIN, self, keys[applied:], keys[:applied])  # type: ignore[arg-type]

    def run(self, connection: Any) -> dict[str, set[str]]:
        """Apply all; the tables and columns that are there then."""
        state = ProjectState()
        for migration in self.nodes.values():
            with connection.schema_editor(atomic=migration.atomic) as editor:
                state = migration.apply(state, editor)
        with connection.cursor() as cursor:
            read = connection.introspection
            return {
                table: {info.name for info in read.get_table_description(cursor, table)}
                for table in read.table_names(cursor)
            }


def things(name: str = "Thing", *fields: Any, **options: Any) -> migrations.CreateModel:
    return migrations.CreateModel(name, [KEY, *fields], options=options)


class OwnAddField(migrations.AddField):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        pass


class MakeShelf(Operation):
    def state_forwards(self, app_label, state):
        migrations.CreateModel("Shelf", [KEY]).state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.create_model(to_state.apps.get_model(app_label, "Shelf"))


TEXT = models.TextField(default="")
LINK = models.ForeignKey("things.Thing", models.CASCADE, null=True)
MANY = models.ManyToManyField("things.Thing")

HISTORIES: dict[str, list[Any]] = {
    "a model with relations": [things(), things("Box", ("thing", LINK), ("others", MANY))],
    "a table's own name": [things(db_table="Odd Name")],
    "a long name": [things("T" * 80, ("many", models.ManyToManyField("self")))],
    "a model without a key": [migrations.CreateModel("Thing", [("name", TEXT)])],
    "a child of a model with a table": [
        things(),
        migrations.CreateModel("Special", [("note", TEXT)], bases=("things.thing",)),
    ],
    "a proxy and an unmanaged model": [
        things(),
        migrations.CreateModel("Proxy", [], options={"proxy": True}, bases=("things.thing",)),
        things("Legacy", managed=False),
    ],
    "a deleted model": [
        things(),
        things("Box", ("others", MANY)),
        migrations.DeleteModel("Box"),
    ],
    "a model that comes back": [things(), migrations.DeleteModel("Thing"), things("Thing", ("name", TEXT))],
    "a renamed model": [
        things(),
        things("Box", ("things", MANY), ("thing", LINK)),
        migrations.RenameModel("Thing", "Item"),
        migrations.RenameModel("Box", "Crate"),
    ],
    "a model renamed with its own table": [things(db_table="mine"), migrations.RenameModel("Thing", "Item")],
    "a many-to-many field to its own model": [
        things("Thing", ("peers", models.ManyToManyField("self"))),
        migrations.RenameModel("Thing", "Item"),
    ],
    "a table that gets another name": [
        things(),
        things("Box", ("others", MANY)),
        migrations.AlterModelTable("Box", "boxes"),
        migrations.AlterModelTable("Box", None),
    ],
    "fields that come and go": [
        things("Thing", ("old", TEXT)),
        things("Box"),
        migrations.AddField("Thing", "new", TEXT),
        migrations.AddField("Thing", "box", models.ForeignKey("things.Box", models.CASCADE, null=True)),
        migrations.AddField("Thing", "boxes", models.ManyToManyField("things.Box", related_name="+")),
        migrations.RemoveField("Thing", "old"),
        migrations.AddField("Thing", "more", models.ManyToManyField("things.Box", related_name="+", db_table="more")),
        migrations.RemoveField("Thing", "more"),
    ],
    "renamed fields": [
        things("Thing", ("name", TEXT), ("kept", models.TextField(db_column="kept", default=""))),
        things("Box", ("things", MANY), ("thing", LINK)),
        migrations.RenameField("Thing", "name", "title"),
        migrations.RenameField("Thing", "kept", "hold"),
        migrations.RenameField("Box", "thing", "item"),
        migrations.RenameField("Box", "things", "items"),
    ],
    "an altered column": [
        things("Thing", ("name", TEXT)),
        migrations.AlterField("Thing", "name", models.CharField(max_length=9, default="", db_column="called")),
    ],
    "a link through a model": [
        things(),
        things("Box"),
        things("Between", ("thing", LINK), ("box", models.ForeignKey("things.Box", models.CASCADE))),
        migrations.AddField("Box", "things", models.ManyToManyField("things.Thing", through="things.Between")),
    ],
    "an order": [
        things(),
        things("Box", ("thing", LINK)),
        migrations.AlterOrderWithRespectTo("Box", "thing"),
        things("Crate", ("thing", LINK), order_with_respect_to="thing"),
        migrations.AlterOrderWithRespectTo("Crate", None),
    ],
    "the state and the database apart": [
        migrations.SeparateDatabaseAndState(state_operations=[things()]),
        migrations.SeparateDatabaseAndState(database_operations=[things()]),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("ALTER TABLE things_thing ADD COLUMN name text")],
            state_operations=[migrations.AddField("Thing", "name", TEXT)],
        ),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.AlterModelTable("Thing", "things_thing")]),
        migrations.RemoveField("Thing", "name"),
    ],
    "statements": [
        migrations.RunSQL(
            [
                'CREATE TABLE IF NOT EXISTS "Odd one" (id integer PRIMARY KEY, -- a, b\n "Name" text CHECK ("Name" <> \'),\'), UNIQUE ("Name"))',
                ("CREATE TABLE other (id integer, gone text)", None),
            ],
            state_operations=[things("Other", db_table="another")],
        ),
        migrations.RunSQL(
            "ALTER TABLE other ADD note text; ALTER TABLE other DROP COLUMN gone; ALTER TABLE other RENAME COLUMN note TO remark"
        ),
        migrations.RunSQL("CREATE TABLE short (id integer); DROP TABLE short; DROP TABLE IF EXISTS never"),
        migrations.RunSQL("ALTER TABLE other RENAME TO another; CREATE INDEX some ON another (remark)"),
        migrations.AddField("Other", "more", models.TextField(null=True)),
    ],
    "data": [
        things(),
        migrations.RunSQL("INSERT INTO things_thing (id) VALUES (1)"),
        migrations.RunPython(lambda apps, editor: apps.get_model("things", "Thing").objects.using("forecast").count()),
    ],
    "several apps": [("things", things()), ("places", things("Place", ("thing", LINK)))],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_is_foretold_is_what_migrations_leave_behind(name: str, database: Any) -> None:
    project = Project(*HISTORIES[name])
    catalog = Catalog({}, schema="main")
    refused = [catalog.meet(effect) for effect in project.foretold(database)]
    assert not any(refused), refused
    unmanaged = {"things_legacy"}
    assert {table: columns for table, columns in catalog.columns.items() if table not in unmanaged} == project.run(
        database
    )


@pytest.mark.parametrize("name", HISTORIES)
def test_what_is_foretold_of_the_rest_is_the_rest_of_what_is_foretold_of_all(name: str, database: Any) -> None:
    project = Project(*HISTORIES[name])
    whole = [
        (effect.name, effect.kind, effect.table, effect.column, effect.new) for effect in project.foretold(database)
    ]
    for applied in range(len(project.nodes) + 1):
        rest = project.foretold(database, applied)
        start = sum(name in list(map(".".join, project.nodes))[:applied] for name, *_more in whole)
        assert [(item.name, item.kind, item.table, item.column, item.new) for item in rest] == whole[start:]


def kinds(project: Project, database: Any) -> list[tuple[str, str]]:
    return [(effect.kind, effect.table) for effect in project.foretold(database)]


def test_an_operation_that_does_its_own_to_the_database_is_not_sure(database: Any) -> None:
    added = Project(things(), OwnAddField("Thing", "name", TEXT)).foretold(database)[-1]
    assert (added.kind, added.column, added.sure) == ("add_column", "name", False)


def test_what_an_operation_of_the_project_changes_in_the_state_is_uncertain(database: Any) -> None:
    assert kinds(Project(things(), MakeShelf()), database)[1:] == [("custom", ""), ("foreign_table", "things_shelf")]


def helper(schema_editor):
    schema_editor.execute("DROP TABLE things_old")


def calls_a_helper(apps, schema_editor):
    helper(schema_editor)


def edits(apps, schema_editor):
    schema_editor.create_model(apps.get_model("things", "Thing"))


def alters(apps, schema_editor):
    schema_editor.alter_field(apps.get_model("things", "Thing"), None, None)


def fills_a_gap(apps, schema_editor):
    for table in ("a", "b"):
        schema_editor.execute(f'DROP TABLE IF EXISTS "{table}"')


def fills_a_gap_with_columns(apps, schema_editor):
    for table in ("a", "b"):
        schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS x")


def secures_rows(apps, schema_editor):
    for table in ("a", "b"):
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def only_rows(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("UPDATE things_thing SET id = id WHERE id IN (%s)" % ", ".join(["1"]))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (calls_a_helper, [("drop_table", "things_old")]),
        (functools.partial(calls_a_helper), [("drop_table", "things_old")]),
        (edits, [("anything", "")]),
        (alters, []),
        (fills_a_gap, [("anything", "")]),
        (fills_a_gap_with_columns, [("anything", "")]),
        (secures_rows, []),
        (only_rows, []),
        (migrations.RunPython.noop, []),
    ],
)
def test_what_python_may_do_is_read_from_its_code_and_never_sure(
    function: Any, expected: list[tuple[str, str]], database: Any
) -> None:
    found = Project(migrations.RunPython(function)).foretold(database)
    assert [
        (effect.kind, effect.table) for effect in found[1:] if effect.kind in ("anything", "drop_table")
    ] == expected
    assert not any(effect.sure for effect in found[1:])


def test_of_models_that_python_edits_only_those_it_names_are_uncertain(database: Any) -> None:
    project = Project(things(), things("Box", ("many", MANY)), things("Other"), migrations.RunPython(edits))
    assert kinds(project, database)[4:] == [("run_python", ""), ("foreign_table", "things_thing")]


def test_indexes_constraints_and_altered_columns_are_told_with_what_they_are(database: Any) -> None:
    index = models.Index(fields=["name"], name="by_name")
    unique = models.UniqueConstraint(fields=["name"], name="one_name")
    project = Project(
        things("Thing", ("name", TEXT)),
        migrations.AddIndex("Thing", index),
        migrations.AddConstraint("Thing", unique),
        migrations.AlterField("Thing", "name", models.IntegerField(default=0)),
        migrations.RemoveIndex("Thing", "by_name"),
        migrations.AlterUniqueTogether("Thing", {("id", "name")}),
        migrations.AlterModelOptions("Thing", {"ordering": ["name"]}),
    )
    found = project.foretold(database)[1:]
    assert [effect.kind for effect in found] == [
        "add_index",
        "add_constraint",
        "alter_column",
        "remove_index",
        "alter_unique",
    ]
    assert (found[0].detail, found[1].detail) == (index, unique)
    assert (found[2].before.get_internal_type(), found[2].after.get_internal_type()) == ("TextField", "IntegerField")


def test_what_the_routers_refuse_is_not_foretold(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import router

    asked = []

    class OnlyThings:
        def allow_migrate(self, db, app_label, model_name=None, **hints):
            asked.append((db, app_label, model_name, hints.get("model") and hints["model"]._meta.label_lower))
            return app_label == "things" and not hints.get("never")

    monkeypatch.setattr(router, "routers", [OnlyThings()])
    project = Project(
        ("places", things("Place")),
        things(),
        migrations.RunSQL("CREATE TABLE other (id integer)", hints={"never": True}),
        migrations.RunPython(migrations.RunPython.noop, hints={"never": True}),
    )
    assert kinds(project, database) == [("create_table", "things_thing")]
    assert asked[:2] == [
        ("forecast", "places", "place", "places.place"),
        ("forecast", "things", "thing", "things.thing"),
    ]
