# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause


"""Which schemas a request is about, and what each of them lacks."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Iterable

from .errors import OptionProblem
from .graph import Graphs, resolve
from .plan import Plan, Problem, SchemaPlan, inconsistency, name, pending, taken_back

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

    from .fleet import Fleet, Migration, Recorded, SchemaState
    from .loading import Context

SHARED, TENANTS = "shared", "tenants"

# All that a schema lacks, as a plan's options.
WHOLE: dict[str, Any] = {"scope": "all", "migrate_first": [], "target": None}


def choose(fleet: Fleet, options: dict[str, Any], by_schema: bool, planned: set[str]) -> list[SchemaState]:
    """The schemas that the task is about, the public one first.

    :raises OptionProblem: a name in ``schemas`` or ``exclude`` that the fleet does not have.
    """
    for option in ("schemas", "exclude"):
        unknown = sorted(set(options[option]) - set(fleet.schemas) - planned)
        if unknown:
            raise OptionProblem(
                f"{option}: no tenant has the schema {', '.join(map(repr, unknown))}.",
                hint=f"The tenants' schemas are: {_some(fleet.schemas)}. A new one is made by django_tenant.",
            )
    scope = options["scope"]
    names = [state.name for state in fleet.tenant_schemas] if by_schema and scope != SHARED else []
    if scope != TENANTS or not by_schema:
        names = [fleet.public, *names]
    shard = options.get("shard")
    if shard:
        if not 0 <= shard["index"] < shard["of"]:
            raise OptionProblem(f"shard: index {shard['index']} is not one of {shard['of']} shares, counted from 0.")
        names = [name for name in names if name != fleet.public and share(name, shard["of"]) == shard["index"]]
    wanted = set(options["schemas"]) or set(names)
    # A schema that earlier steps of a check would have made has no migrations left.
    made = {state.name for state in fleet.tenant_schemas if state.name in planned and not state.exists}
    return [
        fleet.schemas[name] for name in names if name in wanted and name not in options["exclude"] and name not in made
    ]


def share(schema: str, of: int) -> int:
    """Which of so many shards a schema belongs to: a stable hash of its name, the same on every host. Pure."""
    return zlib.crc32(schema.encode("utf-8")) % of


def _some(names: Iterable[str], most: int = 20) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def make_plan(
    context: Context, graphs: Graphs, fleet: Fleet, chosen: list[SchemaState], options: dict[str, Any]
) -> Plan:
    """What every chosen schema lacks. Computed once for all schemas that have the same recorded."""
    known: dict[Recorded, SchemaPlan] = {}
    plans = []
    for state in chosen:
        if not state.exists and state.name != fleet.public:
            plans.append(SchemaPlan(state, problem=without_schema(state.name)))
            continue
        if state.recorded not in known:
            known[state.recorded] = _plan_one(context, graphs, state, options)
        same = known[state.recorded]
        plans.append(SchemaPlan(state, same.migrations, same.applied, same.to_record, same.problem))
    return Plan(plans)


def without_schema(schema: str) -> Problem:
    """A tenant's row without its schema."""
    return Problem(
        f"The tenant {schema!r} has a row, but its schema does not exist.",
        f"Make it with the task meatscentral.tenancy.django_tenant: {{schema: {schema!r}}}, or remove the row with state: absent.",
    )


def _plan_one(context: Context, graphs: Graphs, state: SchemaState, options: dict[str, Any]) -> SchemaPlan:
    loader = graphs.for_recorded(state.recorded)
    applied = graphs.applied(state.recorded)
    targets = _targets(context, loader, options)
    out_of_order = inconsistency(loader.graph, applied, loader.replacements)
    if out_of_order:
        migration, parent = map(name, out_of_order)
        return SchemaPlan(
            state,
            problem=Problem(
                f"{migration} is recorded as applied, but {parent}, which it depends on, is not.",
                "Django refuses such a history. The rule history-out-of-order of django_tenancy_check says how to mend it.",
            ),
        )
    back = taken_back(loader.graph, targets, applied) if options["target"] else ()
    if back:
        later = ", ".join(map(name, back))
        return SchemaPlan(
            state,
            problem=Problem(
                f"{options['target']} is behind what is applied: {later} would have to be taken back.",
                "This module goes forwards only, since going back drops what later migrations made.",
            ),
        )
    return SchemaPlan(state, pending(loader.graph, targets, applied), applied, graphs.to_record(state.recorded))


def _targets(context: Context, loader: MigrationLoader, options: dict[str, Any]) -> list[Migration]:
    """Where to migrate to: ``migrate_first`` in order, then ``target``, or what the scope means."""
    targets = [node for item in options["migrate_first"] for node in resolve(loader, item)]
    if options["target"]:
        return targets + resolve(loader, options["target"])
    if context.tenancy.by_schema or options["scope"] != SHARED:
        return targets + sorted(loader.graph.leaf_nodes())
    named = {item.partition(":")[0] for item in options["migrate_first"]}
    models = [model for model in (context.tenancy.tenant, context.tenancy.domain) if model]
    apps = dict.fromkeys(model._meta.app_label for model in models)
    # An app that migrate_first names goes no further than it says.
    return targets + [
        node
        for app in apps
        if app not in named and app in loader.migrated_apps
        for node in loader.graph.leaf_nodes(app)
    ]
