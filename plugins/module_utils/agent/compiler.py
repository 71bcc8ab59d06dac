# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From the first schema of a cohort to what the others get: Django runs the plan there, and its SQL is captured as it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable

from . import permissions
from .capture import CapturingWatch, NotHeld, Step, Unit
from .database import RETRYABLE, sqlstate
from .executor import graph_executor_class, recorder_class, run_plan, state_before, watched
from .fingerprint import Relations, fingerprint_of, read_owners, read_relations
from .footprint import Footprint, footprint
from .guards import built_on
from .purity import has_sql, impurity
from .replay import record
from .signals import has_listeners, has_own_receivers
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

    from .fleet import Migration, SchemaState
    from .loading import Context
    from .outcome import Outcome
    from .permissions import Kinds
    from .plan import SchemaPlan


@dataclass
class Compiled:
    """A plan that has run in one schema, ready for the others of its cohort.

    ``because`` says why the plan as a whole has to go through Django for every schema, where it has. ``before`` is what the
    first schema was, and ``footprint`` what of it counts; without one all does.
    """

    first: str
    before: Relations | None = None
    footprint: Footprint | None = None
    units: list[Unit] = field(default_factory=list)
    prelude: list[str] = field(default_factory=list)
    squashed: tuple[Migration, ...] = ()
    new_kinds: Kinds = field(default_factory=permissions.Kinds)
    because: str | None = None
    # What the project's own routers were asked, and what they said of the first schema.
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    routing: tuple[object, ...] = ()

    @property
    def replayed_whole(self) -> bool:
        return self.because is None and all(unit.because is None for unit in self.units)

    @property
    def reason(self) -> str | None:
        """Why Django is in it, in a sentence; None where all is replayed."""
        if self.because:
            return self.because
        return next((f"{unit.name}: {unit.because}" for unit in self.units if unit.because), None)


def capturing_executor(context: Context, plan: SchemaPlan, loader: MigrationLoader, watch: CapturingWatch) -> Any:
    """Django's executor that makes a unit of each migration, under a capturing watch."""
    base: Any = graph_executor_class()

    class CapturingExecutor(base):
        def apply_migration(self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False) -> Any:
            key = (migration.app_label, migration.name)
            rows = tuple(map(tuple, migration.replaces)) or (key,)
            unit = Unit(key, migration.atomic is not False, rows, because=impurity(migration, state))
            watch.units[unit.name] = unit
            if unit.because and watch.holding:
                # Receivers of pre_migrate have added something to it.
                raise NotHeld(unit.because)
            if unit.because:
                unit.steps = _steps(state, migration)
            state = super().apply_migration(state, migration, fake, fake_initial)
            if unit.because:
                unit.leaves = fingerprint_of(context.connection, watch.schema)
            return state

    executor = CapturingExecutor(context, loader, watch)
    if watch.holding:
        executor.recorder = _holding_recorder(context, plan, watch)
    return executor


def _holding_recorder(context: Context, plan: SchemaPlan, watch: CapturingWatch) -> Any:
    """A recorder that keeps the rows for the end."""
    base: Any = recorder_class()
    recorded = dict.fromkeys(plan.schema.recorded)

    class HoldingRecorder(base):
        def applied_migrations(self) -> dict[Migration, Any]:
            return recorded

        def record_applied(self, app: str, name: str) -> None:
            recorded[app, name] = None
            watch.at_the_end.append(record(watch.schema, [(app, name)]))

    return HoldingRecorder(context.connection)


def _steps(state: Any, migration: Any) -> list[Step]:
    """A migration's operations with their states, as ``Migration.apply`` makes them, rendered before any process is forked."""
    steps = []
    current = state.clone()
    for operation in migration.operations:
        before = current.clone()
        operation.state_forwards(migration.app_label, current)
        after = current.clone()
        for one in (before, after):
            # RunPython renders delayed models anew on every run; here once is enough.
            one.clear_delayed_apps_cache()
            one.is_delayed = False
            one.apps  # noqa: B018  (a cached property)
        steps.append(Step(operation, before, after))
    return steps


def compile_first(context: Context, plan: SchemaPlan, loader: MigrationLoader) -> tuple[Outcome, Compiled | None]:
    """Run the plan in its schema through Django, and keep what the other schemas of its cohort need.

    :returns: what became of the schema, and the compiled plan; None where the schema failed.
    """
    schema = plan.schema.name
    compiled = Compiled(schema)

    def work() -> None:
        version = context.connection.pg_version
        with context.connection.cursor() as cursor:
            compiled.before = read_relations(cursor, schema, version)
        compile_quickly(context, plan, loader, watch, compiled)
        if compiled.replayed_whole:
            with context.connection.cursor() as cursor:
                after = {name: owner for name, (owner, _is_view) in read_owners(cursor, schema).items()}
            statements = [*compiled.prelude, *(sql for unit in compiled.units for sql in unit.sql)]
            needed = _needed(context, plan, loader)
            compiled.footprint = footprint(statements, watch.looked_at, {**compiled.before.owners, **after}, needed)

    watch = CapturingWatch(schema, context.connection)
    outcome = watched(context, watch, work)
    return outcome, None if outcome.failure else compiled


def migrate_quickly(context: Context, plan: SchemaPlan, loader: MigrationLoader) -> Outcome:
    """Bring one schema to its plan as ``compile_first`` does, with nobody to get its SQL."""
    watch = CapturingWatch(plan.schema.name, context.connection)
    compiled = Compiled(plan.schema.name)
    return watched(context, watch, lambda: compile_quickly(context, plan, loader, watch, compiled))


def compile_quickly(
    context: Context, plan: SchemaPlan, loader: MigrationLoader, watch: CapturingWatch, compiled: Compiled
) -> None:
    """Run a plan under a capturing watch and fill ``compiled``, with statements held where no code of the project is in it.

    What fails then is run again without: Django leaves what was before it, and says where it failed.
    """
    from django.db import transaction

    if can_be_held(context, plan, loader):
        try:
            with transaction.atomic(using=context.alias), watch.hold():
                compile_plan(context, plan, loader, watch, compiled)
            return
        except Exception as error:
            if sqlstate(error) in RETRYABLE:
                raise
    compile_plan(context, plan, loader, watch, compiled)


def can_be_held(context: Context, plan: SchemaPlan, loader: MigrationLoader) -> bool:
    """Whether a plan's statements can be held. What depends on the models is seen on the way only, and ends the holding."""
    nodes = [loader.graph.nodes[key] for key in plan.migrations]
    return is_sql_alone(context, plan, loader) and not any(has_sql(node.operations) for node in nodes)


def is_sql_alone(context: Context, plan: SchemaPlan, loader: MigrationLoader) -> bool:
    """Whether a plan has no code of the project in or around it, as far as that can be told without the models."""
    from django.db.migrations.state import ProjectState

    nodes = [loader.graph.nodes[key] for key in plan.migrations]
    return (
        context.connection.vendor == "postgresql"
        and context.tenancy.by_schema
        and not any(impurity(node, ProjectState()) for node in nodes)
        and _whole_because() is None
    )


def compile_plan(
    context: Context, plan: SchemaPlan, loader: MigrationLoader, watch: CapturingWatch, compiled: Compiled
) -> None:
    """Run a plan under a capturing watch and fill ``compiled``. Errors are raised as they come."""
    with context.connection.cursor() as cursor:
        before = permissions.read_kinds(cursor, plan.schema.name)
    executor = capturing_executor(context, plan, loader, watch)
    run_plan(context, plan, loader, watch, make_executor=lambda *_same: executor)
    with context.connection.cursor() as cursor:
        after = permissions.read_kinds(cursor, plan.schema.name)
    compiled.units = [watch.units[f"{app}.{name}"] for app, name in plan.migrations]
    compiled.prelude = watch.prelude
    if any(unit.because for unit in compiled.units):
        # What Python made in this schema is its own affair; what it made in another is there already.
        compiled.new_kinds = permissions.common(permissions.wanted(executor.migrated), after)
    else:
        compiled.new_kinds = permissions.added(before, after)
    note_plan(context, plan, loader, compiled)
    compiled.because = _whole_because() or _surprise(compiled.units)


def note_plan(context: Context, plan: SchemaPlan, loader: MigrationLoader, compiled: Compiled) -> None:
    """Fill in what follows from a plan without running it: what it leaves recorded besides, and how it is routed."""
    compiled.squashed = _squashed(loader, plan)
    compiled.asked = _questions([loader.graph.nodes[key] for key in plan.migrations])
    compiled.routing = routing(context, plan.schema, compiled.asked)


def _needed(context: Context, plan: SchemaPlan, loader: MigrationLoader) -> list[str]:
    """The tables that the plan builds on; Django would refuse a schema that lacks one."""
    with in_schema(context, plan.schema.name, plan.schema.type):
        return [item.table.name for item in built_on(context, plan, state_before(loader, plan.applied))]


def _squashed(loader: MigrationLoader, plan: SchemaPlan) -> tuple[Migration, ...]:
    """The squashed migrations that a plan leaves recorded, besides what they replace (``check_replacements``)."""
    return tuple(
        dict.fromkeys([*plan.to_record, *(key for key in plan.migrations if loader.graph.nodes[key].replaces)])
    )


def _questions(nodes: Iterable[Any]) -> list[tuple[str, dict[str, Any]]]:
    """What a plan's operations ask the routers (app, hints), where the project has routers of its own: they may look at the schema."""
    from django.db import router

    libraries = ("django.", "django_tenants.")
    if all(type(one).__module__.startswith(libraries) or not hasattr(one, "allow_migrate") for one in router.routers):
        return []
    asked = []
    for node in nodes:
        for operation in node.operations:
            name = getattr(operation, "model_name", None) or getattr(operation, "name", None)
            hints = getattr(operation, "hints", None) or {}
            asked.append((node.app_label, {**({"model_name": name.lower()} if name else {}), **hints}))
    return asked


def routing(context: Context, schema: SchemaState, asked: Iterable[tuple[str, dict[str, Any]]]) -> tuple[object, ...]:
    """What the routers say with the connection set to a schema."""
    from django.db import router

    with in_schema(context, schema.name, schema.type):
        return tuple(router.allow_migrate(context.alias, app, **hints) for app, hints in asked)


def _surprise(units: list[Unit]) -> str | None:
    """What a migration did that its operations don't show: its states were not kept, so Django plans each schema anew."""
    return next((f"{unit.name}: {unit.because}" for unit in units if unit.because and not unit.steps), None)


def _whole_because() -> str | None:
    """Code of the project that a replay would not call."""
    from django.conf import settings

    if getattr(settings, "EXTRA_SET_TENANT_METHOD_PATH", None):
        return "EXTRA_SET_TENANT_METHOD_PATH is set"
    for which in ("pre_migrate", "post_migrate"):
        if has_own_receivers(which):
            return f"the project has its own receivers of {which}"
    for which in ("schema_pre_migration", "schema_migrated", "schema_migrate_message"):
        if has_listeners(which):
            return f"the project listens to {which}"
    return None
