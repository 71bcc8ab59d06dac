# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.errors import OptionProblem
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fleet import NOTHING
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.graph import Graphs, resolve

FIRST, SECOND, THIRD = (("ledger", name) for name in ("0001_initial", "0002_account_name", "0003_account_closed"))
SQUASHED = ("ledger", "0001_squashed_0002_account_name")


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    return Graphs()


def ledger(graphs: Graphs, *recorded: tuple[str, str]) -> list[tuple[str, str]]:
    """The migrations of ``ledger`` that make up the graph of a schema with these recorded."""
    return sorted(key for key in graphs.for_recorded(frozenset(recorded)).graph.nodes if key[0] == "ledger")


def test_where_nothing_is_recorded_the_squashed_migration_stands_for_what_it_replaces(graphs: Graphs) -> None:
    assert ledger(graphs) == [SQUASHED, THIRD]


def test_where_a_part_is_recorded_the_parts_stand_for_themselves(graphs: Graphs) -> None:
    assert ledger(graphs, FIRST) == [FIRST, SECOND, THIRD]


def test_where_all_parts_are_recorded_the_squashed_migration_stands_again(graphs: Graphs) -> None:
    assert ledger(graphs, FIRST, SECOND) == [SQUASHED, THIRD]


def test_a_squashed_migration_counts_as_applied_once_all_its_parts_are(graphs: Graphs) -> None:
    assert SQUASHED not in graphs.applied(frozenset({FIRST}))
    assert graphs.applied(frozenset({FIRST, SECOND})) == {FIRST, SECOND, SQUASHED}
    assert graphs.applied(NOTHING) == NOTHING


def test_what_is_recorded_of_other_apps_stays_applied(graphs: Graphs) -> None:
    ghost = ("ghosts", "0001_gone")
    assert graphs.applied(frozenset({ghost, THIRD, FIRST, SECOND})) >= {ghost, THIRD}


def test_a_squashed_migration_without_a_record_is_to_be_recorded_once_its_parts_are_applied(graphs: Graphs) -> None:
    assert graphs.to_record(frozenset({FIRST, SECOND})) == (SQUASHED,)
    assert graphs.to_record(frozenset({FIRST})) == ()
    assert graphs.to_record(frozenset({FIRST, SECOND, SQUASHED})) == ()


def test_one_graph_serves_all_schemas_that_differ_in_other_migrations_only(graphs: Graphs) -> None:
    one = graphs.for_recorded(frozenset({("auth", "0001_initial"), FIRST}))
    assert graphs.for_recorded(frozenset({FIRST})) is one
    assert graphs.for_recorded(frozenset({FIRST, SECOND})) is not one


def test_an_app_without_migrations_is_known_as_one(graphs: Graphs) -> None:
    assert "ledger" in graphs.migrated_apps
    assert "directory" in graphs.unmigrated_apps
    assert set(graphs.on_disk) >= {FIRST, SECOND, THIRD, SQUASHED}


def test_an_app_means_its_last_migration(graphs: Graphs) -> None:
    assert resolve(graphs.for_recorded(NOTHING), "ledger") == [THIRD]


def test_a_migration_may_be_named_as_short_as_it_is_clear(graphs: Graphs) -> None:
    loader = graphs.for_recorded(NOTHING)
    assert resolve(loader, "ledger:0003") == resolve(loader, "ledger:0003_account_closed") == [THIRD]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nobody", "There is no app 'nobody' with migrations"),
        ("directory", "There is no app 'directory' with migrations"),
        ("", "There is no app '' with migrations"),
        ("ledger:0001", "More than one migration of 'ledger' starts with '0001'"),
        ("ledger:0009", "The app 'ledger' has no migration that starts with '0009'"),
        ("ledger:zero", "this module never takes migrations back"),
    ],
)
def test_a_target_that_is_not_one_migration_is_refused_by_name(graphs: Graphs, target: str, message: str) -> None:
    with pytest.raises(OptionProblem, match=message):
        resolve(graphs.for_recorded(NOTHING), target)


def test_the_record_of_a_squashed_migration_does_not_count_where_its_parts_are_not_recorded(graphs: Graphs) -> None:
    """As in Django, which would run it, and as ``migrate`` never leaves it."""
    assert graphs.applied(frozenset({SQUASHED, ("auth", "0001_initial")})) == {("auth", "0001_initial")}
