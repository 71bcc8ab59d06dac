# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For an empty schema a column that comes or changes later is made so at once, where nothing could tell the difference."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.folding import folded
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

NAME = models.CharField(max_length=9)
LONGER = models.CharField(max_length=99)
NUMBER = models.IntegerField(default=3)
ITEM = migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)), ("name", NAME)])
OTHER = migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True)), ("name", NAME)])
ADD = migrations.AddField("Item", "number", NUMBER)
LENGTHEN = migrations.AlterField("Item", "name", LONGER)
TO_OTHER = migrations.AddField("Item", "other", models.ForeignKey("shop.Other", models.CASCADE))


def migration(name: str, *operations: Any, app: str = "shop") -> migrations.Migration:
    made = migrations.Migration(name, app)
    made.operations = list(operations)
    return made


def left(*operations: Any) -> list[Any]:
    """What is left of operations, each in a migration of its own, where there is another model already."""
    plan = [migration(f"{number:04}", operation) for number, operation in enumerate(operations)]
    before = ProjectState()
    OTHER.state_forwards("shop", before)
    found = [operation for node in folded(plan, before, connection) for operation in node.operations]
    assert list(before.models["shop", "other"].fields) == ["id", "name"]
    return found


def columns(operation: Any) -> list[tuple[str, str]]:
    return [(name, type(field).__name__ + str(field.max_length or "")) for name, field in operation.fields]


def test_a_column_that_is_added_later_is_made_with_the_table() -> None:
    (create,) = left(ITEM, ADD)
    assert columns(create) == [("id", "BigAutoField"), ("name", "CharField9"), ("number", "IntegerField")]


def test_a_column_that_changes_later_is_made_as_it_ends() -> None:
    (create,) = left(ITEM, LENGTHEN, migrations.AlterField("item", "name", models.CharField(max_length=7, null=True)))
    assert columns(create) == [("id", "BigAutoField"), ("name", "CharField7")]
    assert create.fields[1][1].null


def test_the_migrations_stay_and_those_of_the_graph_are_as_they_were() -> None:
    plan = [migration("0001", ITEM), migration("0002", ADD)]
    new = folded(plan, ProjectState(), connection)
    assert [node.name for node in new] == ["0001", "0002"]
    assert [node.operations for node in plan] == [[ITEM], [ADD]]
    assert len(ITEM.fields) == 2


def test_a_default_for_the_rows_of_that_moment_is_not_kept() -> None:
    added = migrations.AddField("Item", "code", models.CharField(max_length=3, default="x"), preserve_default=False)
    (create,) = left(ITEM, added)
    assert not create.fields[2][1].has_default()
    assert added.field.has_default()


@pytest.mark.parametrize(
    "between",
    [
        OTHER,
        migrations.AddIndex("Item", models.Index(fields=["name"], name="item_name")),
        migrations.AddConstraint("Item", models.UniqueConstraint(fields=["name"], name="one_name")),
        migrations.AlterModelOptions("Item", {"ordering": ["name"]}),
        migrations.AddField("Item", "others", models.ManyToManyField("shop.Other")),
        migrations.RemoveField("Other", "name"),
        migrations.RenameField("Other", "name", "title"),
        migrations.RunPython(migrations.RunPython.noop),
    ],
)  # fmt: skip
def test_what_has_nothing_to_do_with_the_columns_is_passed(between: Any) -> None:
    first, *others = left(ITEM, between, ADD, LENGTHEN)
    assert columns(first) == [("id", "BigAutoField"), ("name", "CharField99"), ("number", "IntegerField")]
    assert [type(one) for one in others] == [type(between)]


@pytest.mark.parametrize(
    "between",
    [
        TO_OTHER,
        migrations.AddField("Item", "key", models.IntegerField(unique=True)),
        migrations.AlterField("Item", "name", models.TextField()),
        migrations.RemoveField("Item", "name"),
        migrations.RenameField("Item", "name", "title"),
        migrations.AlterModelTable("Item", "items"),
        migrations.AlterModelOptions("Item", {"managed": False}),
        migrations.AlterOrderWithRespectTo("Item", "other"),
        migrations.RenameModel("Other", "Thing"),
        migrations.RunSQL("CREATE VIEW v AS SELECT * FROM shop_item"),
        migrations.SeparateDatabaseAndState(state_operations=[ADD]),
    ],
)
def test_nothing_is_moved_over_what_may_see_or_order_the_columns(between: Any) -> None:
    operations = (ITEM, between, ADD, LENGTHEN)
    assert [type(one) for one in left(*operations)] == [type(one) for one in operations]


def test_nothing_is_added_to_a_model_before_it_is_renamed() -> None:
    assert len(left(ITEM, migrations.RenameModel("Item", "Thing"), migrations.AddField("Thing", "number", NUMBER))) == 3


class Own(migrations.AddField):
    """An operation of the project's."""


@pytest.mark.parametrize(
    "second",
    [
        Own("Item", "number", NUMBER),
        migrations.AddField("Item", "number", models.PositiveIntegerField(default=0)),
        migrations.AddField("Item", "number", models.IntegerField(db_index=True, default=0)),
        migrations.AddField("Item", "number", models.IntegerField(unique=True)),
        migrations.AddField("Item", "number", models.IntegerField(db_default=4)),
        migrations.AddField("Item", "number", models.IntegerField(db_comment="how many", default=0)),
        migrations.AlterField("Item", "name", models.TextField()),
        migrations.AlterField("Item", "name", models.CharField(max_length=9, db_column="n")),
        migrations.AlterField("Item", "name", models.CharField(max_length=9, db_collation="C")),
        migrations.AlterField("Item", "name", models.CharField(max_length=9, unique=True)),
        migrations.AlterField("Item", "id", models.AutoField(primary_key=True)),
    ],
)
def test_what_is_more_than_a_column_stays_where_it_is(second: Any) -> None:
    assert [type(one) for one in left(ITEM, second)] == [type(ITEM), type(second)]


@pytest.mark.parametrize(
    "create",
    [
        migrations.CreateModel("Item", [("name", NAME)], {"managed": False}),
        migrations.CreateModel("Item", [("name", NAME)], {"proxy": True}, ("shop.Other",)),
        migrations.CreateModel("Item", [("name", NAME)], bases=("shop.Other",)),
        migrations.CreateModel("Item", [("name", NAME)], {"order_with_respect_to": "other"}),
    ],
)
def test_a_table_that_is_more_than_its_columns_is_left_as_it_is(create: Any) -> None:
    assert len(left(OTHER, create, ADD)) == 3


def test_a_column_that_comes_after_one_that_stays_is_not_moved_before_it() -> None:
    assert len(left(OTHER, ITEM, TO_OTHER, ADD)) == 4


# PostgreSQL 18 names NOT NULL constraints by table and column, and counts where two names are the same in a schema.


@pytest.mark.parametrize(
    "other",
    [
        migrations.CreateModel("Item_group", [("code", NAME)]),
        migrations.CreateModel("Any", [("code", NAME)], {"db_table": "shop_item_group"}),
        migrations.AddConstraint(
            "Other", models.UniqueConstraint(fields=["name"], name="shop_item_group_code_not_null")
        ),
    ],
)
def test_a_table_whose_constraints_may_be_called_otherwise_is_left_as_it_is(other: Any) -> None:
    added = migrations.AddField("Item", "group_code", NUMBER)
    assert len(left(ITEM, other, added)) == 3
    assert len(left(ITEM, added)) == 1


@pytest.mark.parametrize(
    "renamed",
    [
        [
            migrations.AlterModelTable("Other", "shop_item_group"),
            migrations.AddField("Other", "code", models.TextField()),
        ],
        [
            migrations.AlterModelTable("Other", "shop_item_group"),
            migrations.RenameField("Other", "name", "code"),
            migrations.AlterField("Other", "code", models.CharField(max_length=9, null=True)),
        ],
        [
            migrations.RenameModel("Other", "Item_group"),
            migrations.AlterField("Item_group", "name", models.CharField(max_length=9, db_column="code")),
        ],
    ],
)
def test_tables_and_columns_that_are_renamed_count_with_their_new_names(renamed: list[Any]) -> None:
    added = migrations.AddField("Item", "group_code", NUMBER)
    assert left(*renamed, ITEM, added)[-1] is added


def test_a_columns_name_counts_with_those_of_the_models_own_tables_between() -> None:
    between = migrations.AddField("Item", "group", models.ManyToManyField("shop.Other"))
    assert len(left(ITEM, between, migrations.AddField("Item", "group_id", NUMBER))) == 3
    assert len(left(ITEM, between, migrations.AddField("Item", "group_key", NUMBER))) == 2


def test_a_constraint_that_is_called_like_a_column_is_in_nobodys_way() -> None:
    constraint = models.UniqueConstraint(fields=["name"], name="shop_item_number")
    assert len(left(ITEM, migrations.AddConstraint("Item", constraint), ADD)) == 2


def test_a_name_that_postgresql_would_cut_is_left_as_it_is() -> None:
    assert len(left(ITEM, migrations.AddField("Item", "n" * 50, NUMBER))) == 2
