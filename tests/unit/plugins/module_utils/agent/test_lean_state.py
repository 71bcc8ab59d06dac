# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state that makes few classes anew leaves Django the same SQL to write, letter for letter."""

from __future__ import annotations

import datetime
import difflib
import uuid
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.lean_state import lean
from django.db import connections, migrations, models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.state import ModelState, ProjectState, StateApps
from hypothesis import given, settings

from tests.differential.generate import cases
from tests.differential.operations import first_migrations, released

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.migrations.operations.base import Operation

    from tests.differential.generate import Case
    from tests.differential.operations import Migrations


NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Editor(DatabaseSchemaEditor):
    """Writes SQL with no server behind it: what it would look for there, it finds."""

    def _constraint_names(self, model: Any, column_names: Any = None, **kinds: Any) -> list[str]:
        wanted = sorted(name for name, is_so in kinds.items() if is_so is True)
        return ["_".join([model._meta.db_table, *(column_names or ()), *wanted])]


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    connection = DatabaseWrapper({"TIME_ZONE": None, "NAME": "none", "OPTIONS": {}, "HOST": "/nowhere"}, "none")
    connection.__dict__["pg_version"] = 180000
    connection.ops.compose_sql = lambda sql, params: f"{sql} with {params}"
    connections["none"] = connection
    yield connection
    del connections["none"]


def written(connection: Any, state: ProjectState, plan: Migrations) -> list[str]:
    """What Django writes for migrations (``Migration.apply``)."""
    sql: list[str] = []
    state.apps  # noqa: B018  (a cached property)
    for app, operations in plan:
        editor = Editor(connection, collect_sql=True, atomic=False)
        with editor:
            for operation in operations:
                before = state.clone()
                operation.state_forwards(app, state)
                operation.database_forwards(app, editor, before, state)
        sql += editor.collected_sql
    return sql


def both(connection: Any, plan: Migrations) -> list[str]:
    usual = written(connection, ProjectState(real_apps=set()), plan)
    ours = written(connection, lean(ProjectState(real_apps=set())), plan)
    assert ours == usual, "\n".join(difflib.unified_diff(usual, ours, "usual", "ours", "", "", 3, ""))
    return usual


@settings(max_examples=60)
@given(cases())
def test_random_migrations_have_the_same_sql(connection: Any, case: Case) -> None:
    with patch("django.utils.timezone.now", lambda: NOW), patch("uuid.uuid4", lambda: uuid.UUID(int=4)):
        both(connection, [*first_migrations(), *released(case)])


def model(name: str, *bases: str, options: dict[str, Any] | None = None, **fields: Any) -> migrations.CreateModel:
    key = {} if bases else {"id": models.BigAutoField(primary_key=True)}
    return migrations.CreateModel(name, [*key.items(), *fields.items()], options, bases or None)


def to(name: str, **options: Any) -> Any:
    return models.ForeignKey(name, models.CASCADE, **options)


KEY = models.CharField(primary_key=True, max_length=9)
WIDER = models.CharField(primary_key=True, max_length=99)
PARENT = models.OneToOneField("one.Place", models.CASCADE, parent_link=True, primary_key=True)
PLACES = [
    migrations.CreateModel("Place", [("code", KEY)]),
    model("Shop", place=to("one.Place")),
    model("Till", shop=to("one.Shop"), near=to("one.Place", related_name="+")),
]


@pytest.mark.parametrize(
    "operations",
    [
        [*PLACES, migrations.AlterField("Place", "code", WIDER)],
        [*PLACES, migrations.AlterModelTable("Place", "elsewhere"), migrations.AddField("Till", "at", to("one.Place"))],
        [*PLACES, migrations.RenameModel("Place", "Site"), migrations.AlterField("Site", "code", WIDER)],
        [*PLACES, migrations.RenameField("Place", "code", "key"), migrations.AddField("Till", "at", to("one.Place"))],
        [
            *PLACES,
            migrations.AddField("Place", "number", models.IntegerField(unique=True, null=True)),
            migrations.AddField("Shop", "by_number", to("one.Place", to_field="number", null=True)),
            migrations.AlterField("Place", "number", models.BigIntegerField(unique=True, null=True)),
        ],
        [
            migrations.CreateModel("Place", [("code", KEY)]),
            migrations.CreateModel(
                "Inn", [("place_ptr", PARENT), ("beds", models.IntegerField())], bases=("one.Place",)
            ),
            model("Room", inn=to("one.Inn")),
            migrations.AlterField("Place", "code", WIDER),
        ],
        [
            *PLACES,
            migrations.CreateModel("Spot", [], {"proxy": True}, ("one.Place",)),
            model("Flag", spot=to("one.Spot")),
            migrations.AlterField("Place", "code", WIDER),
        ],
        [
            *PLACES,
            model("Stay", place=to("one.Place"), till=to("one.Till")),
            migrations.AddField(
                "Till", "places", models.ManyToManyField("one.Place", through="one.Stay", related_name="+")
            ),
            migrations.AddField("Stay", "note", models.TextField()),
            migrations.AlterModelTable("Stay", "stays"),
            migrations.AlterField("Place", "code", WIDER),
        ],
        [
            *PLACES,
            migrations.AddField("Till", "places", models.ManyToManyField("one.Place", related_name="+")),
            migrations.AlterField("Place", "code", WIDER),
            migrations.RenameModel("Till", "Desk"),
        ],
        [
            model("Node", up=to("self", null=True)),
            migrations.AddField("Node", "others", models.ManyToManyField("self")),
            migrations.RenameModel("Node", "Leaf"),
        ],
        [
            *PLACES,
            migrations.RemoveField("Till", "near"),
            migrations.DeleteModel("Till"),
            migrations.AlterField("Place", "code", WIDER),
        ],
        [*PLACES, migrations.AlterOrderWithRespectTo("Till", "shop"), migrations.AlterField("Place", "code", WIDER)],
    ],
    ids=lambda operations: operations[-1].describe().lower().replace(" ", "-") + f"-{len(operations)}",
)
def test_a_change_reaches_every_class_that_holds_the_changed_one(connection: Any, operations: list[Operation]) -> None:
    assert both(connection, [("one", [operation]) for operation in operations])


@pytest.mark.parametrize("make", [ProjectState, lambda real_apps: lean(ProjectState(real_apps=real_apps))])
def test_a_model_that_refers_to_none_is_refused(connection: Any, make: Any) -> None:
    with pytest.raises(ValueError, match=r"Related model 'two\.place' cannot be resolved"):
        written(connection, make(real_apps=set()), [("one", [model("Shop", place=to("two.Place"))])])


def made(plan: Iterable[Operation], state: ProjectState) -> list[str]:
    """The classes that a plan makes once there are some."""
    names: list[str] = []
    plain = ModelState.render

    def render(self: ModelState, apps: StateApps) -> Any:
        names.append(self.name)
        return plain(self, apps)

    state.apps  # noqa: B018  (a cached property)
    with patch.object(ModelState, "render", render):
        for operation in plan:
            operation.state_forwards("one", state)
    return names


def test_only_what_changed_and_what_holds_it_is_made_anew() -> None:
    state = lean(ProjectState(real_apps=set()))
    assert made(PLACES, state) == ["Place", "Shop", "Till"]
    assert made([migrations.AddField("Till", "note", models.TextField())], state) == ["Till"]
    assert sorted(made([migrations.AlterField("Shop", "id", models.AutoField(primary_key=True))], state)) == [
        "Shop",
        "Till",
    ]
