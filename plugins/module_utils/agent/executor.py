# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Run migrations in one schema with Django's own executor, on a graph that is loaded once.

What ``manage.py migrate`` does around it is done here too: the recorder, pre_migrate and post_migrate,
and django-tenants' signals.
"""

from __future__ import annotations

import functools
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence

from . import custom
from .graph import models_after
from .guards import drop_invalid_indexes, refuse_phantoms, require_search_path
from .outcome import Outcome, StopHere, Watch
from .signals import announce, send_signal
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    from .fleet import Recorded, SchemaState
    from .loading import Context
    from .plan import SchemaPlan


def migrate_schema(context: Context, plan: SchemaPlan, loader: MigrationLoader, fake_initial: bool = False) -> Outcome:
    """Bring one schema to its plan. Each migration is one transaction with its recorder row, where it is atomic.

    Errors of the project or the database end this schema only; they are in the outcome.
    """
    watch = Watch(plan.schema.name, context.connection)
    return watched(context, watch, lambda: run_plan(context, plan, loader, watch, fake_initial))


def watched(context: Context, watch: Watch, work: Callable[[], None]) -> Outcome:
    """Do the work on one schema under its watch, and leave a connection that can be used, in the public schema."""
    started = time.monotonic()
    outcome = Outcome(watch.schema)
    try:
        with context.connection.execute_wrapper(watch):
            work()
    except StopHere as stop:
        outcome.failure = stop.failure
    except BaseException as error:
        outcome.failure = watch.failure(error)
    finally:
        _leave(context)
    outcome.applied, outcome.replayed = watch.applied, watch.replayed
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


def _leave(context: Context) -> None:
    connection = context.connection
    if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
        connection.close()
    if context.tenancy.by_schema:
        connection.set_schema_to_public()


def run_plan(
    context: Context,
    plan: SchemaPlan,
    loader: MigrationLoader,
    watch: Watch,
    fake_initial: bool = False,
    make_executor: Callable[..., Any] | None = None,
) -> None:
    """Run a schema's plan, with the signals around it. Errors are raised as they come.

    Inside a transaction of the caller's the whole plan belongs to it.
    """
    _with_own_recorder(context, plan.schema)
    if plan.migrations and custom.own_command(context.tenancy):
        custom.migrate(context, plan, fake_initial)
        return
    announce(context, "schema_pre_migration", schema_name=plan.schema.name)
    nodes = [loader.graph.nodes[key] for key in plan.migrations]
    with own_operations(nodes), in_schema(context, plan.schema.name, plan.schema.type):
        before = state_before(loader, plan.applied)
        refuse_phantoms(context, plan, before)
        migrations = [(node, False) for node in nodes]
        send_signal("pre_migrate", context, before.apps, migrations)
        executor = (make_executor or graph_executor)(context, loader, watch)
        _migrate(context, executor, migrations, before, fake_initial)
    announce(context, "schema_migrated", schema_name=plan.schema.name)


@contextmanager
def own_operations(nodes: Sequence[Any]) -> Iterator[None]:
    """Migrations have their own operations again afterwards.

    Receivers of pre_migrate add some to a plan (contenttypes does for a RenameModel); the graph is shared.
    """
    operations = [list(node.operations) for node in nodes]
    try:
        yield
    finally:
        for node, own in zip(nodes, operations):
            node.operations[:] = own


def _migrate(
    context: Context, executor: Any, migrations: list[tuple[Any, bool]], before: ProjectState, fake_initial: bool
) -> None:
    """Run the plan and send post_migrate, the last migration and the signal in one transaction where that is possible.

    Killed between the two, a schema would have nothing pending, and never get its content types and permissions.
    """
    from django.db import transaction

    state = before.clone()
    first, last = migrations[:-1], migrations[-1] if migrations else None
    if first:
        state = executor.migrate(None, plan=first, state=state, fake_initial=fake_initial)
    with ExitStack() as stack:
        if last and last[0].atomic is not False and context.connection.vendor == "postgresql":
            stack.enter_context(transaction.atomic(using=context.alias))
        state = executor.migrate(None, plan=[last] if last else [], state=state, fake_initial=fake_initial)
        state.clear_delayed_apps_cache()
        render_for_receivers(state)
        executor.migrated = state.apps
        send_signal("post_migrate", context, state.apps, migrations)


def _with_own_recorder(context: Context, schema: SchemaState) -> None:
    """Make the recorder's table in the schema itself.

    Looked for along the search_path, public's would be found, and nothing would ever be pending.
    """
    with in_schema(context, schema.name, schema.type, include_public=False):
        require_search_path(context, schema.name)
        if not schema.has_recorder:
            recorder_class(has_table=False)(context.connection).ensure_schema()


def recorder_class(has_table: bool = True) -> Any:
    """Django's recorder, of a schema of which it is known whether the table is there.

    To look for it Django would list all that the search_path shows, through the whole database's catalog.
    """
    from django.db.migrations.recorder import MigrationRecorder

    class KnownRecorder(MigrationRecorder):
        def has_table(self) -> bool:
            return has_table

    return KnownRecorder


@functools.lru_cache(maxsize=8)
def state_before(loader: MigrationLoader, applied: Recorded) -> ProjectState:
    """The models as what is applied leaves them, rendered.

    The same for all schemas where that is applied; whoever changes it clones it.
    """
    state = models_after(loader, applied)
    state.apps  # noqa: B018  (a cached property)
    return state


def graph_executor(context: Context, loader: MigrationLoader, watch: Watch) -> Any:
    """Django's executor on a graph that is already loaded, and that looks for tables in the schema alone."""
    return graph_executor_class()(context, loader, watch)


def graph_executor_class() -> Any:
    from django.db.migrations.executor import MigrationExecutor

    class GraphExecutor(MigrationExecutor):
        # The models as the plan leaves them, once it has run.
        migrated: Any = None

        def __init__(self, context: Context, loader: MigrationLoader, watch: Watch) -> None:
            self.context = context
            self.connection = context.connection
            self.loader = loader
            self.recorder = recorder_class()(context.connection)
            self.progress_callback = self._progress
            self.watch = watch

        def _progress(self, action: str, migration: Any = None, fake: bool = False) -> None:
            self.watch.progress(action, migration, fake)
            if action == "apply_success":
                message = f"[{self.watch.schema}]   Applying {migration}... OK"
                announce(self.context, "schema_migrate_message", message=message)

        def apply_migration(self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False) -> Any:
            if migration.atomic is False and self.context.tenancy.by_schema:
                drop_invalid_indexes(self.context, self.watch.schema, migration.operations)
            return super().apply_migration(state, migration, fake, fake_initial)

        def detect_soft_applied(self, project_state: Any, migration: Any) -> Any:
            if not self.context.tenancy.by_schema:
                return super().detect_soft_applied(project_state, migration)
            # With public on the search_path a table there would count as the tenant's own.
            tenant = self.connection.tenant
            self.connection.set_tenant(tenant, include_public=False)
            try:
                return super().detect_soft_applied(project_state, migration)
            finally:
                self.connection.set_tenant(tenant)

    return GraphExecutor


def render_for_receivers(state: ProjectState) -> None:
    """Models are rendered anew without the fields' stale relations, as ``migrate`` does before post_migrate."""
    from django.apps import apps
    from django.db.migrations.state import ModelState

    rendered = state.apps
    with rendered.bulk_update():
        keys = []
        for model_state in rendered.real_models:
            key = model_state.app_label, model_state.name_lower
            keys.append(key)
            rendered.unregister_model(*key)
    # Those of apps without migrations: the models themselves are what there is.
    rendered.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in keys])
