# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The command behind django_migrate_schemas: bring schemas to the migrations on disk."""

from __future__ import annotations

import zlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Iterable

from .database import quoted, require_create
from .deploy_lock import DeployLock, Shard
from .errors import OptionProblem, Refusal
from .executor import migrate_schema
from .fleet import Fleet, SchemaState, in_public, public_schema, read_fleet
from .fleet_run import Limits, grouped_reasons, migrate_fleet
from .graph import Graphs, resolve
from .outcome import Failure, Outcome
from .plan import Plan, Problem, SchemaPlan, grouped, inconsistency, name, pending, taken_back

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

    from .fleet import Migration, Recorded
    from .loading import Context

SHARED, TENANTS = "shared", "tenants"

# All that a schema lacks, as a plan's options.
WHOLE: dict[str, Any] = {"scope": "all", "migrate_first": [], "target": None}


def run(context: Context, options: dict[str, Any]) -> dict[str, Any]:
    """Plan, and unless ``check`` is set, migrate.

    :param options: ``scope``, ``schemas``, ``exclude``, ``migrate_first``, ``target``, ``fake_initial``, ``check``,
        ``planned`` (schemas that earlier steps of a check would have made), ``report`` (whether to list every schema).
    :returns: ``tenancy``, ``pending`` and ``migrated`` (groups), ``failed``, ``counts``, ``warnings``, and ``schemas`` for a report.
    :raises AgentError: the request as a whole can't be done; nothing has been written.
    """
    context.wire.doing("loading the migrations")
    graphs = Graphs()
    if options["check"]:
        plan, warnings = _plan(context, graphs, options)
        return _reply(context, plan, [], options, warnings)
    shard = Shard(**options["shard"], run_id=options["run_id"]) if options.get("shard") else None
    context.wire.doing("waiting for the deploy lock")
    with DeployLock(context, options["lock_wait"], shard):
        # Read under the lock: what another run has just done is not done again.
        plan, warnings = _plan(context, graphs, options)
        outcomes: list[Outcome] = []
        if plan.pending:
            _require_rights(context, plan)
            outcomes = _execute(context, graphs, plan, limits_of(options))
    return _reply(context, plan, outcomes, options, warnings)


def _plan(context: Context, graphs: Graphs, options: dict[str, Any]) -> tuple[Plan, list[str]]:
    """What would be done, and what the user should know of it. Nothing is written."""
    context.wire.doing("reading what every schema has recorded")
    fleet = read_fleet(context)
    planned = set(options["planned"]) if options["check"] else set()
    chosen = choose(fleet, options, by_schema=context.tenancy.by_schema, planned=planned)
    if context.tenancy.by_schema and options["scope"] == TENANTS:
        _require_public_tenant(context, fleet, planned)
    plan = make_plan(context, graphs, fleet, chosen, options)
    return plan, _warnings(context, fleet, plan, options, planned)


def limits_of(options: dict[str, Any]) -> Limits:
    """How the run behaves, as the task's options say."""
    return Limits(**{item.name: options[item.name] for item in fields(Limits) if options.get(item.name) is not None})


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
    # What earlier steps of a check would have made has no migrations left.
    return [
        fleet.schemas[name]
        for name in names
        if name in wanted and name not in options["exclude"] and (name not in planned or name == fleet.public)
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
            plans.append(SchemaPlan(state, problem=_without_schema(state.name)))
            continue
        if state.recorded not in known:
            known[state.recorded] = _plan_one(context, graphs, state, options)
        same = known[state.recorded]
        plans.append(SchemaPlan(state, same.migrations, same.applied, same.to_record, same.problem))
    return Plan(plans)


def _without_schema(schema: str) -> Problem:
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
                f"Django refuses such a history. If what {parent} makes is there, record it with 'migrate --fake'; if not, restore the records.",
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


def _require_public_tenant(context: Context, fleet: Fleet, planned: set[str]) -> None:
    """Tenants are migrated only where the public tenant and its domain are: without them nothing routes."""
    from .structure import read_tables

    if fleet.public in planned:
        return
    tenancy = context.tenancy
    domain = ", domains: ['<the host name of this environment>']" if tenancy.domain else ""
    task = f"meatscentral.tenancy.django_tenant: {{schema: {fleet.public!r}{domain}}}"
    row = next((row for row in fleet.tenants if row.key == fleet.public), None)
    tables = read_tables(context.connection, [fleet.public])[public_schema(context)]
    if tenancy.tenant._meta.db_table not in tables:
        raise Refusal(
            f"The table {fleet.public}.{tenancy.tenant._meta.db_table} of the tenants does not exist yet: what is shared comes first.",
            hint=f"Run meatscentral.tenancy.django_migrate_schemas with scope: shared, then {task}, then this task again.",
        )
    if row is None:
        raise Refusal(
            f"There is no public tenant: no {tenancy.tenant._meta.label} has the schema {fleet.public!r}, so no request would be routed.",
            hint=f"Run this task first: {task}",
        )
    if tenancy.domain and tenancy.domain_tenant_field:
        with in_public(context):
            domains = tenancy.domain._base_manager.using(context.alias).filter(**{tenancy.domain_tenant_field: row.pk})
            if not domains.exists():
                raise Refusal(
                    f"The public tenant {fleet.public!r} has no domain, so no request would be routed to it.",
                    hint=f"Run this task first: {task}",
                )


def _require_rights(context: Context, plan: Plan) -> None:
    """What can be known before the first write: that the role may create tables where all build on them."""
    for item in plan.pending:
        if item.schema.name == public_schema(context):
            require_create(context.connection, item.schema.name if item.schema.exists else None)


def _warnings(context: Context, fleet: Fleet, plan: Plan, options: dict[str, Any], planned: set[str]) -> list[str]:
    if context.tenancy.by_schema or options["scope"] == SHARED or not plan.pending or planned:
        return []
    from .structure import read_tables

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


def _execute(context: Context, graphs: Graphs, plan: Plan, limits: Limits) -> list[Outcome]:
    """Migrate the public schema, then the tenants'. If the public one fails that ends it, since tenants build on it."""
    outcomes: list[Outcome] = []
    total = len(plan.pending)

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
    shared = [item for item in plan.pending if item.schema.name == public_schema(context)]
    for item in shared:
        context.wire.event("begun", schema=item.schema.name)
        context.wire.doing(f"migrating {item.schema.name}")
        _make_public_schema(context, item.schema)
        note(migrate_schema(context, item, graphs.for_recorded(item.schema.recorded), limits.fake_initial))
    if not any(outcome.failure for outcome in outcomes):
        migrate_fleet(context, graphs, [item for item in plan.pending if item not in shared], limits, note)
    return outcomes


def _make_public_schema(context: Context, state: SchemaState) -> None:
    """PUBLIC_SCHEMA_NAME may name one that no database has from the start."""
    if context.connection.vendor == "postgresql" and not state.exists:
        with context.connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(state.name)}")


def _reply(
    context: Context, plan: Plan, outcomes: list[Outcome], options: dict[str, Any], warnings: list[str]
) -> dict[str, Any]:
    failures = [
        Failure(item.schema.name, item.problem.message, hint=item.problem.hint)
        for item in plan.problems
        if item.problem
    ]
    failures += [outcome.failure for outcome in outcomes if outcome.failure]
    touched = {outcome.schema: outcome for outcome in outcomes}
    done = [outcome for outcome in outcomes if outcome.applied or not outcome.failure]
    untouched = [item for item in plan.pending if item.schema.name not in touched]
    lines = {item.schema.name: item.lines for item in plan.pending}
    reply: dict[str, Any] = {
        "tenancy": context.tenancy.facts(),
        "pending": grouped((item.lines, item.schema.name, None) for item in untouched),
        "migrated": grouped(
            (
                tuple(name for name, seconds in outcome.applied) if outcome.failure else lines[outcome.schema],
                outcome.schema,
                outcome.seconds,
            )
            for outcome in done
        ),
        "failed": [failure.as_reply() for failure in failures],
        "warnings": warnings,
        "through_django": grouped_reasons(outcomes),
        "counts": {
            "replayed": sum(1 for outcome in outcomes if outcome.executed == "replayed" and not outcome.failure),
            "schemas": len(plan.schemas),
            "migrated": sum(1 for outcome in outcomes if not outcome.failure),
            "pending": len(untouched),
            "failed": len(failures),
            "up_to_date": len(plan.schemas) - len(plan.pending) - len(plan.problems),
        },
    }
    if options["report"]:
        reply["schemas"] = [
            _entry(item, touched.get(item.schema.name), {f.schema: f for f in failures}) for item in plan.schemas
        ]
    return reply


def _entry(item: SchemaPlan, outcome: Outcome | None, failures: dict[str, Failure]) -> dict[str, Any]:
    """One schema in the report."""
    failure = failures.get(item.schema.name)
    if failure:
        state = "failed"
    elif outcome:
        state = "migrated"
    else:
        state = "pending" if item.lines else "up_to_date"
    applied = outcome.applied if outcome else []
    done = {migration for migration, seconds in applied}
    return {
        "schema": item.schema.name,
        "type": item.schema.type,
        "state": state,
        "recorded": len(item.schema.recorded),
        "applied": [{"migration": migration, "seconds": seconds} for migration, seconds in applied],
        "pending": [] if outcome and not failure else [line for line in item.lines if line not in done],
        "seconds": outcome.seconds if outcome else 0.0,
        "failure": failure.as_reply() if failure else None,
    }
