# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan takes away of what is there now, by the names that it has now."""

from __future__ import annotations

from typing import Any

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.forecast import Effect
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.losses import losses


def effect(kind: str, table: str = "", **more: Any) -> Effect:
    return Effect(("plants", "0002"), 0, kind, table, **more)


def lost(*effects: Effect) -> list[tuple[str, str]]:
    return [(loss.table, loss.column) for loss in losses(effects)]


def test_what_the_plan_makes_is_not_there_to_be_lost() -> None:
    assert lost(effect("create_table", "a"), effect("drop_table", "a")) == []
    assert lost(effect("add_column", "a", column="b"), effect("drop_column", "a", column="b")) == []
    assert lost(effect("drop_table", "a"), effect("create_table", "a"), effect("drop_table", "a")) == [("a", "")]
    # It may have been there before.
    assert lost(effect("create_table", "a", lenient=True), effect("drop_table", "a")) == [("a", "")]


def test_new_names_are_followed_back() -> None:
    moved = effect("rename_table", "a", new="b"), effect("rename_column", "b", column="c", new="d")
    assert lost(*moved, effect("drop_column", "b", column="d"), effect("drop_table", "b")) == [("a", "c"), ("a", "")]
    assert lost(*moved, effect("drop_table", "a"), effect("drop_column", "b", column="c")) == []


def test_what_code_may_do_is_not_sure_and_leaves_the_rest_there() -> None:
    found = losses([effect("drop_table", "a", sure=False), effect("drop_table", "a")])
    assert [loss.sure for loss in found] == [False, True]


def test_rows_that_a_statement_deletes_are_those_of_a_table_that_is_there() -> None:
    statement = effect("run_sql", detail=["DELETE FROM a WHERE b", "TRUNCATE c"])
    found = losses([effect("create_table", "c"), statement])
    assert [(loss.table, loss.condition, loss.rows_only) for loss in found] == [("a", "b", True)]


def test_code_of_the_app_that_runs_before_is_named() -> None:
    (loss,) = losses([Effect(("plants", "0001"), 0, "run_python"), effect("drop_table", "a")])
    assert loss.before == "plants.0001"
    (loss,) = losses([Effect(("docks", "0001"), 0, "run_python"), effect("drop_table", "a")])
    assert loss.before == ""
