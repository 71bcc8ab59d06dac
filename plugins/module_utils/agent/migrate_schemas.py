# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The command behind django_migrate_schemas: bring schemas to the migrations on disk."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from .database import quoted, require_create
from .deploy_lock import DeployLock, Shard
from .fleet import Fleet, SchemaState, public_schema, read_fleet
from .fleet_run import Limits, migrate_fleet
from .graph import Graphs
from .guards import require_session
from .kinds_ahead import KindsAhead
from .migration_reply import reply
from .planning import SHARED, TENANTS, choose, make_plan
from .public_tenant import require_public_tenant
from .structure import read_tables

if TYPE_CHECKING:
    from .loading import Context
    from .outcome import Outcome
    from .plan import Plan, SchemaPlan


def run(context: Context, options: dict[str, Any]) -> dict[str, Any]:
    """Plan, and unless ``check`` is set, migrate.

    :param options: ``scope``, ``schemas``, ``exclude``, ``migrate_first``, ``target``, ``fake_initial``, ``check``,
        ``planned`` and ``planned_migrations`` (what earlier steps of a check would have made and applied),
        ``signals`` (``pending`` or ``always``), ``report`` (whether to list every schema).
    :returns: ``tenancy``, ``pending`` and ``migrated`` (groups), ``failed``, ``counts``, ``warnings``, and ``schemas`` for a report.
    :raises AgentError: the request as a whole can't be done; nothing has been written.
    """
    context.wire.doing("loading the migrations")
    graphs = Graphs()
    if options["check"]:
        fleet, plan, warnings = _plan(context, graphs, options)
        rehearsed = _rehearse(context, graphs, fleet, plan, options, warnings)
        return {**reply(context, plan, [], options, warnings), "rehearsal": rehearsed}
    shard = Shard(**options["shard"], run_id=options["run_id"]) if options.get("shard") else None
    context.wire.doing("waiting for the deploy lock")
    with DeployLock(context, options["lock_wait"], shard):
        # Read under the lock: what another run has just done is not done again.
        fleet, plan, warnings = _plan(context, graphs, options)
        outcomes: list[Outcome] = []
        todo = _to_run(plan, options.get("signals"))
        if todo:
            _require_rights(context, plan)
            require_session(context, plan.pending, lambda item: graphs.for_recorded(item.schema.recorded).graph.nodes)
        rehearsed = _rehearse(context, graphs, fleet, plan, options, warnings)
        if todo:
            outcomes = _execute(context, graphs, todo, limits_of(options))
    return {**reply(context, plan, outcomes, options, warnings), "rehearsal": rehearsed}


def _rehearse(
    context: Context, graphs: Graphs, fleet: Fleet, plan: Plan, options: dict[str, Any], warnings: list[str]
) -> dict[str, Any] | None:
    """Find what will fail before the first write; what could not be found out is added to the warnings."""
    if not options.get("rehearse_skip") and options.get("rehearse", "none") == "none":
        return None
    from .rehearsal import rehearse

    rehearsed, found = rehearse(context, graphs, fleet, plan, options, limits_of(options), _execute)
    warnings += found
    return rehearsed


def _to_run(plan: Plan, signals: str | None) -> list[SchemaPlan]:
    """The schemas with something to apply; with ``signals: always`` also those that are only to be told of it. Pure."""
    return [item for item in plan.schemas if not item.problem and (item.lines or signals == "always")]


def _plan(context: Context, graphs: Graphs, options: dict[str, Any]) -> tuple[Fleet, Plan, list[str]]:
    """What would be done, and what the user should know of it. Nothing is written."""
    context.wire.doing("reading what every schema has recorded")
    planned = set(options["planned"]) if options["check"] and context.tenancy.by_schema else set()
    fleet = read_fleet(context, planned)
    if options["check"] and options["planned_migrations"]:
        _count_as_applied(fleet, options["planned_migrations"])
    chosen = choose(fleet, options, by_schema=context.tenancy.by_schema, planned=planned)
    if context.tenancy.by_schema and options["scope"] == TENANTS:
        require_public_tenant(context, fleet, planned)
    plan = make_plan(context, graphs, fleet, chosen, options)
    return fleet, plan, _warnings(context, fleet, plan, options, planned)


def _count_as_applied(fleet: Fleet, planned: list[str]) -> None:
    """Take for recorded, in the public schema, what earlier steps of a check would have applied there."""
    state = fleet.schemas[fleet.public]
    keys = {(app, name) for app, found, name in (item.partition(".") for item in planned) if found}
    fleet.schemas[fleet.public] = replace(state, recorded=state.recorded | keys)


def limits_of(options: dict[str, Any]) -> Limits:
    """How the run behaves, as the task's options say."""
    return Limits(**{item.name: options[item.name] for item in fields(Limits) if options.get(item.name) is not None})


def _require_rights(context: Context, plan: Plan) -> None:
    """What can be known before the first write: that the role may create tables where all build on them."""
    for item in plan.pending:
        if item.schema.name == public_schema(context):
            require_create(context.connection, item.schema.name if item.schema.exists else None)


def _warnings(context: Context, fleet: Fleet, plan: Plan, options: dict[str, Any], planned: set[str]) -> list[str]:
    if context.tenancy.by_schema or options["scope"] == SHARED or not plan.pending or planned:
        return []
    model = context.tenancy.tenant
    with_table = model._meta.db_table in read_tables(context.connection, [fleet.public])[fleet.public]
    if with_table and model._base_manager.using(context.alias).exists():
        return []
    return [
        (
            f"There is no {model._meta.label} row yet: migrations that fill a tenant's foreign key may fail, or leave it empty. "
            "Migrate scope: shared, make the tenants with django_tenant, then run this task."
        )
    ]


def _execute(context: Context, graphs: Graphs, todo: list[SchemaPlan], limits: Limits) -> list[Outcome]:
    """Migrate the public schema, then the tenants'. If the public one fails that ends it, since tenants build on it."""
    outcomes: list[Outcome] = []
    total = len(todo)

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        context.wire.event(
            "schema",
            schema=outcome.schema,
            number=len(outcomes),
            of=total,
            failed=outcome.failure is not None,
            seconds=outcome.seconds,
        )

    # What the controller shows while the run lasts: how many, which is begun, which has ended.
    context.wire.event("work", of=total)
    public = public_schema(context)
    shared = [item for item in todo if item.schema.name == public]
    for item in shared:
        context.wire.doing(f"migrating {item.schema.name}")
        _make_public_schema(context, item.schema)
    tenants = [item for item in todo if item.schema.name != public]
    with KindsAhead(context, [item.schema.name for item in tenants] if limits.executor == "auto" else []) as ahead:
        migrate_fleet(context, graphs, shared, limits, note)
        if not any(outcome.failure for outcome in outcomes):
            migrate_fleet(context, graphs, tenants, limits, note, ahead.digests)
    return outcomes


def _make_public_schema(context: Context, state: SchemaState) -> None:
    """PUBLIC_SCHEMA_NAME may name one that no database has from the start."""
    if context.connection.vendor == "postgresql" and not state.exists:
        with context.connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(state.name)}")
