# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where what migrations do meets what is there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.conflicts import Catalog, conflicts
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.forecast import Effect


def effect(kind: str, table: str = "a", number: int = 1, **more: Any) -> Effect:
    return Effect(("things", f"{number:04}_step"), 0, kind, table, **more)


def found(*effects: Effect, there: Any = None, **more: Any) -> list[tuple[str, str, str]]:
    return [(item.kind, item.table, item.column) for item in conflicts(effects, there or {}, **more)]


def test_a_table_that_is_made_twice_names_the_one_who_made_it() -> None:
    first, second = effect("create_table", number=1), effect("create_table", number=2)
    [conflict] = conflicts([first, second], {})
    assert (conflict.kind, conflict.effect, conflict.maker) == ("table_there", second, first)


def test_a_table_that_was_there_has_no_maker() -> None:
    [conflict] = conflicts([effect("create_table")], {"a": ["id"]})
    assert conflict.maker is None


def test_a_table_may_be_made_again_once_it_is_dropped_or_has_another_name() -> None:
    make = effect("create_table")
    assert found(make, effect("drop_table"), make) == []
    assert found(make, effect("rename_table", new="b"), make) == []


def test_a_table_is_not_renamed_to_one_that_is_there() -> None:
    assert found(effect("rename_table", new="b"), there={"a": [], "b": []}) == [("table_there", "b", "")]


def test_a_column_that_is_there_is_not_added_and_not_the_name_of_another() -> None:
    there = {"a": ["x", "y"]}
    assert found(effect("add_column", column="x"), there=there) == [("column_there", "a", "x")]
    assert found(effect("rename_column", column="y", new="x"), there=there) == [("column_there", "a", "x")]
    assert found(effect("drop_column", column="x"), effect("add_column", column="x"), there=there) == []


def test_what_is_not_there_is_missed_and_what_took_it_is_named() -> None:
    for kind in ("drop_table", "use_table", "add_index", "add_column"):
        assert found(effect(kind, column="x")) == [("no_table", "a", "")], kind
    for kind in ("drop_column", "alter_column", "rename_column"):
        assert found(effect(kind, column="x", new="z"), there={"a": ["y"]}) == [("no_column", "a", "x")], kind
    gone = effect("drop_table")
    [conflict] = conflicts([gone, effect("use_table")], {"a": []})
    assert conflict.taker is gone


def test_a_table_of_another_schema_on_the_search_path_is_there() -> None:
    assert found(effect("use_table"), elsewhere={"a"}) == []


def test_a_statement_on_a_named_schema_is_of_that_schema_only() -> None:
    make = effect("create_table", schema="public")
    assert found(make, there={"a": []}, schema="public") == [("table_there", "a", "")]
    assert found(make, there={"a": []}, schema="acme") == []


def test_lenient_statements_meet_nothing() -> None:
    assert found(effect("create_table", lenient=True), there={"a": []}) == []
    assert found(effect("drop_table", lenient=True), effect("use_table", lenient=True)) == []


def test_nothing_is_said_of_a_table_that_code_may_have_changed() -> None:
    make = effect("create_table", columns=("id",))
    for kind in ("drop_table", "create_table", "drop_column"):
        assert found(make, effect(kind, column="id", sure=False), make, effect("drop_column", column="id")) == [], kind
    assert found(effect("foreign_table"), make, effect("alter_column", column="x")) == []


def test_after_code_that_may_do_anything_only_what_is_made_since_is_certain() -> None:
    make, other = effect("create_table"), effect("create_table", "b")
    anything = effect("anything", "", sure=False)
    assert found(make, anything, make, effect("drop_table", "c"), other) == []


def test_of_a_table_whose_columns_are_not_known_none_is_missed() -> None:
    assert found(effect("create_table", columns=None), effect("drop_column", column="x")) == []


def test_the_catalog_follows_tables_and_columns() -> None:
    catalog = Catalog({"a": ["x"]})
    for item in (
        effect("add_column", column="y"),
        effect("rename_column", column="x", new="z"),
        effect("rename_table", new="b"),
        effect("create_table", "c", columns=("id",)),
    ):
        assert catalog.meet(item) is None
    assert catalog.columns == {"b": {"y", "z"}, "c": {"id"}}


def index(kind: str = "add_index", name: str = "by_x", **more: Any) -> Effect:
    return effect(kind, detail=SimpleNamespace(name=name) if kind.startswith("add") else name, **more)


def test_an_index_or_constraint_made_twice_is_named() -> None:
    make = effect("create_table", detail=("by_x",))
    assert found(make, index()) == [("index_there", "a", "by_x")]
    assert found(make, index("add_constraint", "one"), index("add_constraint", "one")) == [("index_there", "a", "one")]
    assert found(make, index("remove_index"), index()) == []
    catalog = Catalog({"a": []}, named={"a": {"by_x"}})
    conflict = catalog.meet(index())
    assert conflict is not None
    assert conflict.maker is None


def sends(apps: Any, editor: Any) -> None:
    editor.execute("SELECT 1")


def reads(apps: Any, editor: Any) -> None:
    apps.get_model("a", "b").objects.count()


@pytest.mark.parametrize(
    ("between", "certain"),
    [
        (effect("drop_column", column="x"), False),
        (effect("run_sql", "", detail=["DROP INDEX by_x"]), False),
        (effect("run_sql", "", detail=["UPDATE a SET x = 1"]), True),
        (effect("run_python", "", detail=sends), False),
        (effect("run_python", "", detail=reads), True),
        (effect("custom", ""), False),
        (effect("rename_index", detail="by_y"), False),
    ],
)
def test_an_index_that_may_be_gone_is_not_made_twice(between: Effect, certain: bool) -> None:
    made = [effect("create_table", columns=("x",)), index(), between, index()]
    assert ("index_there" in [kind for kind, _table, _name in found(*made)]) is certain
