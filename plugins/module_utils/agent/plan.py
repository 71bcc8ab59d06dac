# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who lacks which migrations, and in what order they come: pure functions of the graph and of what is recorded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Protocol

if TYPE_CHECKING:
    from .fleet import Migration, Recorded, SchemaState


class Graph(Protocol):
    """What is needed of ``django.db.migrations.graph.MigrationGraph``."""

    nodes: Mapping[Any, Any]
    node_map: Mapping[Any, Any]

    def forwards_plan(self, target: Any) -> list[Any]: ...


@dataclass(frozen=True)
class Problem:
    """Why nothing can be planned for a schema."""

    message: str
    hint: str


@dataclass
class SchemaPlan:
    """What one schema would get: migrations in order, or the problem that stands in the way.

    ``applied`` counts squashed migrations whose parts are all recorded; ``to_record`` are those of them without a record.
    """

    schema: SchemaState
    migrations: tuple[Migration, ...] = ()
    applied: Recorded = frozenset()
    to_record: tuple[Migration, ...] = ()
    problem: Problem | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The plan as results list it."""
        return tuple([name(key) for key in self.migrations] + [f"{name(key)} (record only)" for key in self.to_record])


@dataclass
class Plan:
    """What would be done, schema by schema; the only source of ``changed``, of the diff and of the list of actions."""

    schemas: list[SchemaPlan] = field(default_factory=list)

    @property
    def pending(self) -> list[SchemaPlan]:
        return [plan for plan in self.schemas if plan.lines and not plan.problem]

    @property
    def problems(self) -> list[SchemaPlan]:
        return [plan for plan in self.schemas if plan.problem]


def pending(graph: Graph, targets: Iterable[Migration], recorded: Recorded) -> tuple[Migration, ...]:
    """The migrations that lead to ``targets`` and are not recorded, in the order in which Django runs them.

    The rule is that of ``MigrationExecutor.migration_plan``, forwards only.
    """
    plan: dict[Migration, None] = {}
    for target in targets:
        for node in graph.forwards_plan(target):
            if node not in recorded:
                plan.setdefault(node, None)
    return tuple(plan)


def taken_back(graph: Graph, targets: Iterable[Migration], recorded: Recorded) -> tuple[Migration, ...]:
    """The recorded migrations that Django would un-apply to come to ``targets`` (later ones of the same apps)."""
    later = set()
    for target in targets:
        if target in recorded:
            later |= {node.key for node in graph.node_map[target].children if node.key[0] == target[0]} & recorded
    return tuple(sorted(later))


def inconsistency(
    graph: Graph, recorded: Recorded, replacements: Mapping[Migration, Any]
) -> tuple[Migration, Migration] | None:
    """A recorded migration whose dependency is not, and that dependency.

    The rule is that of ``MigrationLoader.check_consistent_history``: a squashed dependency counts
    where all that it replaces is recorded.
    """
    for migration in sorted(recorded):
        if migration not in graph.nodes:
            continue
        for parent in sorted(node.key for node in graph.node_map[migration].parents):
            if parent in recorded:
                continue
            if parent in replacements and all(key in recorded for key in replacements[parent].replaces):
                continue
            return migration, parent
    return None


def grouped(items: Iterable[tuple[tuple[str, ...], str, float | None]]) -> list[dict[str, object]]:
    """Schemas with the same list of migrations as one entry, in the order in which they come.

    :param items: (migrations, schema, seconds or None).
    """
    groups: dict[tuple[str, ...], list[tuple[str, float | None]]] = defaultdict(list)
    for migrations, schema, seconds in items:
        groups[migrations].append((schema, seconds))
    result: list[dict[str, object]] = []
    for migrations, members in groups.items():
        entry: dict[str, object] = {
            "migrations": list(migrations),
            "schemas": [schema for schema, seconds in members],
            "count": len(members),
        }
        known = [seconds for schema, seconds in members if seconds is not None]
        if known:
            entry["seconds"] = round(sum(known), 3)
        result.append(entry)
    return result


def name(migration: Migration) -> str:
    """A migration as results name it."""
    return f"{migration[0]}.{migration[1]}"
