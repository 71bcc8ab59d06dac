# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fleet import SchemaState
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.plan import SchemaPlan
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.rehearsal_plan import (
    failed_message,
    standing_for_all,
    steps,
)

FIRST = frozenset({("plants", "0001_initial")})


def plan(name: str, recorded: frozenset[tuple[str, str]] = FIRST, tenant_type: str | None = None) -> SchemaPlan:
    return SchemaPlan(SchemaState(name, True, True, recorded, tenant_type), (("plants", "0002_dock"),))


def standing(*plans: SchemaPlan, **structures: str) -> list[dict[str, object]]:
    return [one.as_reply() for one in standing_for_all(plans, structures)]


def test_one_schema_stands_for_all_that_are_alike() -> None:
    plans = [plan(f"t{number}") for number in range(8)]
    assert standing(*plans) == [{"schema": "t0", "stands_for": 8, "like": ["t1", "t2", "t3", "t4", "t5"]}]


def test_other_records_another_type_and_another_structure_are_other_states() -> None:
    plans = [plan("a"), plan("b", frozenset()), plan("c", tenant_type="shop"), plan("d")]
    assert [one["schema"] for one in standing(*plans, a="1", b="1", c="1", d="2")] == ["a", "b", "c", "d"]


OPTIONS: dict[str, Any] = {
    "schemas": ["acme"],
    "exclude": [],
    "migrate_first": ["plants"],
    "target": None,
    "fake_initial": True,
}


def test_a_task_that_says_nothing_of_later_tenants_is_rehearsed_alone() -> None:
    options = {**OPTIONS, "scope": "shared", "rehearse_tenants": None}
    assert steps(options) == [("migrate", options)]


def test_a_task_that_says_which_tenants_come_is_rehearsed_with_all_that_comes_after_it() -> None:
    options = {**OPTIONS, "scope": "shared", "rehearse_tenants": []}
    (first, shared), (second, _tenants), (third, everything), _newcomer = steps(options)
    assert (first, second, third) == ("migrate", "tenants", "migrate")
    assert (shared["scope"], shared["schemas"], shared["migrate_first"]) == ("shared", [], ["plants"])
    assert (everything["scope"], everything["schemas"], everything["migrate_first"]) == ("all", [], [])
    assert everything["fake_initial"]


def test_a_task_for_tenants_keeps_what_it_says_of_them() -> None:
    options = {**OPTIONS, "scope": "tenants", "rehearse_tenants": []}
    (_first, shared), _tenants, (_third, tenants), _newcomer = steps(options)
    assert (shared["scope"], shared["migrate_first"]) == ("shared", [])
    assert (tenants["schemas"], tenants["migrate_first"]) == (["acme"], ["plants"])


FAILURE = {
    "schema": "acme",
    "migration": "plants.0002_dock",
    "operation": "Create model Dock",
    "place": None,
    "statement": 'CREATE TABLE "plants_dock" ()',
    "sqlstate": "42P07",
    "message": 'relation "plants_dock" already exists',
    "hint": "Look at it.",
    "stands_for": 57,
}


def test_the_message_says_what_fails_where_for_how_many_and_what_to_do() -> None:
    assert failed_message([FAILURE]) == (
        "The rehearsal failed, so nothing was written: plants.0002_dock (Create model Dock) would fail in acme, like 56 others, with: "
        'relation "plants_dock" already exists (SQLSTATE 42P07) in: CREATE TABLE "plants_dock" (). Look at it.'
    )


def test_a_failure_without_a_migration_reads_as_a_sentence_too() -> None:
    tenant = {"schema": "acme", "message": "The model refuses it: too long."}
    assert failed_message([tenant, FAILURE]) == (
        "The rehearsal failed, so nothing was written: it would fail for acme with: The model refuses it: too long. "
        "(and 1 more, in rehearsal.failures)"
    )
