# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fleet import NOTHING, SchemaState
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.plan import (
    Plan,
    Problem,
    SchemaPlan,
    grouped,
    inconsistency,
    name,
    pending,
    taken_back,
)
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.migration import Migration
from hypothesis import given
from hypothesis import strategies as st

Key = tuple[str, str]


def graph_of(dependencies: dict[Key, list[Key]]) -> MigrationGraph:
    """Django's own graph of migrations and what each depends on."""
    graph = MigrationGraph()
    for key in dependencies:
        graph.add_node(key, None)
    for key, parents in dependencies.items():
        for parent in parents:
            graph.add_dependency(None, key, parent)
    graph.validate_consistency()
    return graph


# plants builds on carriers from its second migration on.
C1, C2, C3 = ("carriers", "0001"), ("carriers", "0002"), ("carriers", "0003")
P1, P2 = ("plants", "0001"), ("plants", "0002")
FLEET = graph_of({C1: [], C2: [C1], C3: [C2], P1: [], P2: [P1, C2]})


def test_nothing_recorded_means_all_is_pending_in_the_order_of_the_dependencies() -> None:
    assert pending(FLEET, [C3, P2], NOTHING) == (C1, C2, C3, P1, P2)
    assert pending(FLEET, [P2, C3], NOTHING) == (*FLEET.forwards_plan(P2), C3)


def test_all_recorded_means_nothing_is_pending() -> None:
    assert pending(FLEET, [C3, P2], frozenset(FLEET.nodes)) == ()


def test_a_target_brings_what_it_depends_on_in_other_apps_and_no_more() -> None:
    assert pending(FLEET, [P2], frozenset({P1})) == (C1, C2, P2)


def test_a_target_that_is_recorded_asks_for_nothing() -> None:
    assert pending(FLEET, [C2], frozenset({C1, C2})) == ()


def test_migrations_recorded_of_apps_that_are_gone_do_no_harm() -> None:
    assert pending(FLEET, [C1], frozenset({("ghosts", "0001")})) == (C1,)


@st.composite
def histories(draw: st.DrawFn) -> tuple[MigrationGraph, list[Key], frozenset[Key]]:
    """A graph without circles, some targets in it, and any set of recorded migrations, a fitting history or not."""
    keys: list[Key] = []
    dependencies: dict[Key, list[Key]] = {}
    for number in range(draw(st.integers(1, 12))):
        key = (draw(st.sampled_from(["a", "b", "c"])), f"{number:04}")
        dependencies[key] = draw(st.lists(st.sampled_from(keys), unique=True, max_size=3)) if keys else []
        keys.append(key)
    targets = draw(st.lists(st.sampled_from(keys), unique=True))
    return graph_of(dependencies), targets, frozenset(draw(st.sets(st.sampled_from(keys))))


@given(histories())
def test_pending_is_all_that_the_targets_need_less_what_is_recorded_each_once_and_in_order(
    history: tuple[MigrationGraph, list[Key], frozenset[Key]],
) -> None:
    graph, targets, recorded = history
    plan = pending(graph, targets, recorded)
    needed = {key for target in targets for key in graph.forwards_plan(target)}
    assert set(plan) == needed - recorded
    assert len(set(plan)) == len(plan)
    for position, key in enumerate(plan):
        parents = {parent.key for parent in graph.node_map[key].parents}
        assert parents <= recorded | set(plan[:position])


@given(histories())
def test_after_what_is_pending_nothing_is_pending(
    history: tuple[MigrationGraph, list[Key], frozenset[Key]],
) -> None:
    graph, targets, recorded = history
    assert pending(graph, targets, recorded | set(pending(graph, targets, recorded))) == ()


def test_a_target_behind_what_is_recorded_would_take_back_the_later_migrations_of_its_app() -> None:
    assert taken_back(FLEET, [C1], frozenset({C1, C2, C3, P1, P2})) == (C2,)


def test_later_migrations_of_other_apps_are_not_taken_back() -> None:
    assert taken_back(FLEET, [C2], frozenset({C1, C2, P1, P2})) == ()


def test_a_target_that_is_not_recorded_takes_nothing_back() -> None:
    assert taken_back(FLEET, [C2], frozenset({C1, C3})) == ()


def test_a_recorded_migration_whose_dependency_is_not_is_named_with_it() -> None:
    assert inconsistency(FLEET, frozenset({C1, P1, P2}), {}) == (P2, C2)


def test_a_history_in_order_is_consistent() -> None:
    assert inconsistency(FLEET, frozenset({C1, C2, P1, P2}), {}) is None
    assert inconsistency(FLEET, NOTHING, {}) is None


def test_a_ghost_is_no_inconsistency() -> None:
    assert inconsistency(FLEET, frozenset({("carriers", "0009_gone")}), {}) is None


def squashed() -> tuple[MigrationGraph, dict[Key, Migration]]:
    """A migration that replaces two others, and one that builds on it."""
    both, third = ("carriers", "0001_squashed_0002"), ("carriers", "0003")
    replacement = Migration(both[1], both[0])
    replacement.replaces = [C1, C2]
    return graph_of({both: [], third: [both]}), {both: replacement}


def test_a_squashed_dependency_counts_where_all_that_it_replaces_is_recorded() -> None:
    graph, replacements = squashed()
    assert inconsistency(graph, frozenset({C1, C2, C3}), replacements) is None


def test_a_squashed_dependency_does_not_count_where_a_part_is_missing() -> None:
    graph, replacements = squashed()
    assert inconsistency(graph, frozenset({C1, C3}), replacements) == (C3, ("carriers", "0001_squashed_0002"))


@given(histories())
def test_what_a_plan_leads_to_is_a_consistent_history(
    history: tuple[MigrationGraph, list[Key], frozenset[Key]],
) -> None:
    graph, targets, recorded = history
    reached = frozenset(pending(graph, targets, NOTHING))
    assert inconsistency(graph, reached, {}) is None
    found = inconsistency(graph, recorded, {})
    if found:
        migration, parent = found
        assert migration in recorded
        assert parent not in recorded
        assert parent in {node.key for node in graph.node_map[migration].parents}


def test_schemas_with_the_same_migrations_are_one_entry_in_the_order_in_which_they_come() -> None:
    items = [(("a.1", "b.1"), "acme", 0.5), (("a.1",), "old", 0.25), (("a.1", "b.1"), "globex", 0.1234)]
    assert grouped(items) == [
        {"migrations": ["a.1", "b.1"], "schemas": ["acme", "globex"], "count": 2, "seconds": 0.623},
        {"migrations": ["a.1"], "schemas": ["old"], "count": 1, "seconds": 0.25},
    ]


def test_the_same_migrations_in_another_order_are_another_entry() -> None:
    assert [entry["schemas"] for entry in grouped([(("a", "b"), "x", None), (("b", "a"), "y", None)])] == [["x"], ["y"]]


def test_seconds_are_told_only_where_they_are_known() -> None:
    assert "seconds" not in grouped([(("a",), "x", None)])[0]
    assert grouped([(("a",), "x", None), (("a",), "y", 0.0)])[0]["seconds"] == 0.0


@given(st.lists(st.tuples(st.lists(st.sampled_from("ab"), max_size=2).map(tuple), st.integers().map(str), st.none())))
def test_grouping_loses_no_schema_and_adds_none(items: list[tuple[tuple[str, ...], str, None]]) -> None:
    entries = grouped(items)
    flat = [(tuple(entry["migrations"]), schema) for entry in entries for schema in entry["schemas"]]  # type: ignore[attr-defined]
    assert sorted(flat) == sorted((migrations, schema) for migrations, schema, _seconds in items)
    assert len({tuple(entry["migrations"]) for entry in entries}) == len(entries)  # type: ignore[arg-type]


def test_a_plan_lists_migrations_and_then_what_is_only_recorded() -> None:
    plan = SchemaPlan(SchemaState("acme", exists=True), migrations=(C1, C2), to_record=(P1,))
    assert plan.lines == ("carriers.0001", "carriers.0002", "plants.0001 (record only)")


def test_a_schema_with_a_problem_is_not_pending() -> None:
    state = SchemaState("acme", exists=True)
    ready = SchemaPlan(state, migrations=(C1,))
    stuck = SchemaPlan(state, migrations=(C1,), problem=Problem("It is stuck.", "Free it."))
    record_only = SchemaPlan(state, to_record=(C1,))
    plan = Plan([ready, stuck, record_only, SchemaPlan(state)])
    assert plan.pending == [ready, record_only]
    assert plan.problems == [stuck]


def test_a_migration_is_named_with_its_app() -> None:
    assert name(C1) == "carriers.0001"
