# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From the first schema of a cohort to what the others get: Django runs the plan there, and its SQL is captured as it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable

from . import permissions
from .executor import graph_executor_class, run_plan, state_before, watched
from .fingerprint import Relations, fingerprint_of, read_owners, read_relations
from .fleet import RECORDER_TABLE
from .footprint import Footprint, footprint
from .guards import built_on
from .outcome import Outcome, Watch
from .purity import impurity, statement_kind
from .signals import has_listeners, has_own_receivers
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

    from .fleet import Migration, SchemaState
    from .loading import Context
    from .permissions import Kinds
    from .plan import SchemaPlan


@dataclass
class Step:
    """One operation with the model states before and after it, rendered once for all schemas."""

    operation: Any
    before: Any
    after: Any


@dataclass
class Unit:
    """One migration as the other schemas of the cohort get it: its SQL, or the reason why Django runs it, and its steps for that.

    ``leaves`` is the structure that Django left in the first schema; only where it leaves the same is SQL replayed after it.
    """

    key: Migration
    atomic: bool
    rows: tuple[Migration, ...]
    sql: list[str] = field(default_factory=list)
    because: str | None = None
    steps: list[Step] = field(default_factory=list)
    leaves: str | None = None

    @property
    def name(self) -> str:
        return f"{self.key[0]}.{self.key[1]}"


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


class CapturingWatch(Watch):
    """Keeps the statements of each migration that are to be sent to the other schemas."""

    def __init__(self, schema: str, connection: Any) -> None:
        super().__init__(schema, connection)
        self.units: dict[str, Unit] = {}
        self.prelude: list[str] = []
        # What the catalog was asked for by name.
        self.looked_at: set[str] = set()

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = super().__call__(execute, sql, params, many, context)
        self._capture(str(sql), params)
        return result

    def _capture(self, sql: str, params: Any) -> None:
        unit = self.units.get(self.current or "")
        if unit is None:
            if sql.startswith(f'CREATE TABLE "{RECORDER_TABLE}"'):
                self.prelude.append(sql)
            return
        kind = statement_kind(sql)
        if kind == "skip" and isinstance(params, (list, tuple)):
            self.looked_at.update(value for value in params if isinstance(value, str))
        if unit.because or kind == "skip":
            return
        if kind == "reads":
            unit.because = f"it reads rows: {' '.join(sql.split())[:80]}"
        elif params:
            unit.because = f"it sends values apart from its SQL: {' '.join(sql.split())[:80]}"
        else:
            unit.sql.append(sql)


def _capturing_executor(context: Context, loader: MigrationLoader, watch: CapturingWatch) -> Any:
    base: Any = graph_executor_class()

    class CapturingExecutor(base):
        def apply_migration(self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False) -> Any:
            key = (migration.app_label, migration.name)
            rows = tuple(map(tuple, migration.replaces)) or (key,)
            unit = Unit(key, migration.atomic is not False, rows, because=impurity(migration))
            watch.units[unit.name] = unit
            if unit.because:
                unit.steps = _steps(state, migration)
            state = super().apply_migration(state, migration, fake, fake_initial)
            if unit.because:
                unit.leaves = fingerprint_of(context.connection, watch.schema)
            return state

    return CapturingExecutor(context, loader, watch)


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
        compile_plan(context, plan, loader, watch, compiled)
        if compiled.replayed_whole:
            with context.connection.cursor() as cursor:
                after = {name: owner for name, (owner, _is_view) in read_owners(cursor, schema).items()}
            statements = [*compiled.prelude, *(sql for unit in compiled.units for sql in unit.sql)]
            needed = _needed(context, plan, loader)
            compiled.footprint = footprint(statements, watch.looked_at, {**compiled.before.owners, **after}, needed)

    watch = CapturingWatch(schema, context.connection)
    outcome = watched(context, watch, work)
    return outcome, None if outcome.failure else compiled


def compile_plan(
    context: Context, plan: SchemaPlan, loader: MigrationLoader, watch: CapturingWatch, compiled: Compiled
) -> None:
    """Run a plan under a capturing watch and fill ``compiled``. Errors are raised as they come."""
    with context.connection.cursor() as cursor:
        before = permissions.read_kinds(cursor, plan.schema.name)
    executor = _capturing_executor(context, loader, watch)
    run_plan(context, plan, loader, watch, make_executor=lambda *_same: executor)
    with context.connection.cursor() as cursor:
        after = permissions.read_kinds(cursor, plan.schema.name)
    compiled.units = [watch.units[f"{app}.{name}"] for app, name in plan.migrations]
    compiled.prelude = watch.prelude
    compiled.squashed = tuple(dict.fromkeys([*plan.to_record, *_squashed(loader, plan)]))
    if any(unit.because for unit in compiled.units):
        # What Python made in this schema is its own affair; what it made in another is there already.
        compiled.new_kinds = permissions.common(permissions.wanted(executor.migrated), after)
    else:
        compiled.new_kinds = permissions.added(before, after)
    compiled.asked = _questions([loader.graph.nodes[key] for key in plan.migrations])
    compiled.routing = routing(context, plan.schema, compiled.asked)
    compiled.because = _whole_because() or _surprise(compiled.units)


def _needed(context: Context, plan: SchemaPlan, loader: MigrationLoader) -> list[str]:
    """The tables that the plan builds on; Django would refuse a schema that lacks one."""
    with in_schema(context, plan.schema.name, plan.schema.type):
        return [item.table.name for item in built_on(context, plan, state_before(loader, plan.applied))]


def _squashed(loader: MigrationLoader, plan: SchemaPlan) -> list[Migration]:
    """The squashed migrations of the plan, which ``check_replacements`` records besides what they replace."""
    return [key for key in plan.migrations if loader.graph.nodes[key].replaces]


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
