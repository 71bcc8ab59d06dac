# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.cohorts import (
    Cohort,
    Look,
    by_record,
    expected,
    gathered,
    last_looks,
    looks,
    split,
)
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.compiler import Compiled
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fingerprint import Print, Relations
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fleet import SchemaState
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.footprint import Footprint
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.permissions import Kinds
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.plan import SchemaPlan

BEFORE = Relations(
    {
        ("item", "columns"): Print(2, 10),
        ("item", "others"): Print(1, 5),
        ("item", "ties"): Print(1, 7),
        ("line", "columns"): Print(3, 100),
        ("seen", "others"): Print(1, 1000),
        ("", "others"): Print(1, 10000),
    },
    {"item": "item", "line": "line", "seen": "seen"},
    frozenset({"seen"}),
)
FOOTPRINT = Footprint(frozenset({"item"}), frozenset({"item", "line"}))
SOME = (Print(6, 11022), 2)


def plan(name: str, *recorded: str) -> SchemaPlan:
    return SchemaPlan(
        SchemaState(name, exists=True, has_recorder=True, recorded=frozenset(("app", r) for r in recorded))
    )


def cohort(*names: str, footprint: Footprint | None = FOOTPRINT) -> Cohort:
    return Cohort([plan(name) for name in names], Compiled("first", before=BEFORE, footprint=footprint), "kinds")


def test_schemas_with_the_same_recorded_come_together() -> None:
    found = by_record([plan("a", "1"), plan("b"), plan("c", "1")])
    assert [[one.schema.name for one in group.plans] for group in found] == [["a", "c"], ["b"]]


def test_a_look_at_some_relations_is_shared_out_and_one_at_all_is_not() -> None:
    some, all_ = Compiled("first", footprint=FOOTPRINT), Compiled("first")
    assert looks(some, ["a", "b", "c"], ["c"], processes=2) == [
        Look("some", ("a",)),
        Look("some", ("b", "c")),
        Look("kinds", ("c",)),
    ]
    whole = [Look("columns", ("a", "b")), Look("others", ("a", "b"))]
    assert looks(all_, ["a", "b"], [], processes=2) == whole
    assert last_looks(all_, ["a", "b"], processes=2) == whole


@pytest.mark.parametrize(("schemas", "portions"), [(0, 0), (1, 1), (2, 2), (800, 2), (801, 4), (5000, 14)])
def test_a_look_is_at_no_more_schemas_than_the_server_has_room_for(schemas: int, portions: int) -> None:
    names = [f"tenant_{number:04}" for number in range(schemas)]
    found = looks(Compiled("first", footprint=FOOTPRINT), names, [], processes=2)
    assert [name for one in found for name in one.schemas] == names
    sizes = {len(one.schemas) for one in found}
    assert len(found) == portions
    assert max(sizes, default=0) <= 400
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


def test_the_last_look_is_at_the_outline_and_at_the_kinds_if_there_are_new_ones() -> None:
    assert last_looks(Compiled("first", footprint=FOOTPRINT), ["a", "b"], 2) == [
        Look("outline", ("a",)),
        Look("outline", ("b",)),
    ]
    with_new = Compiled("first", footprint=FOOTPRINT, new_kinds=Kinds((("things", "item"),)))
    assert last_looks(with_new, ["a"], 2) == [Look("outline", ("a",)), Look("kinds", ("a",))]


def test_what_is_expected_is_what_the_first_was_where_it_counts() -> None:
    assert expected(cohort()) == {"kinds": "kinds", "some": SOME}
    assert expected(cohort(footprint=None)) == {
        "kinds": "kinds",
        "columns": Print(5, 110),
        "others": Print(3, 11005),
    }


def test_those_that_are_otherwise_leave_the_cohort_each_with_its_like() -> None:
    group = cohort("a", "b", "c", "d", "e")
    seen = gathered(
        [
            (Look("some", ()), {"a": SOME, "b": (Print(6, 0), 2), "c": SOME, "d": (Print(6, 0), 2), "e": (SOME[0], 1)}),
            (Look("kinds", ()), {"a": "kinds", "b": "kinds", "e": "kinds"}),
        ],
        {"c": "others", "d": "kinds"},
    )
    others = split(group, seen)
    assert [one.schema.name for one in group.plans] == ["a"]
    assert [[one.schema.name for one in plans] for plans in others] == [["b", "d"], ["c"], ["e"]]


def test_a_schema_of_which_nothing_was_seen_is_not_alike() -> None:
    group = cohort("a")
    assert [[one.schema.name for one in plans] for plans in split(group, {})] == [["a"]]
