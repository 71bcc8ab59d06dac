# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Run migrations in one schema with Django's own executor, on a graph that is loaded once.

What ``manage.py migrate`` does around it is done here too: the recorder, pre_migrate and post_migrate,
and django-tenants' signals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable

from . import custom
from .database import first_line, sqlstate
from .fleet import NOTHING
from .plan import name as named
from .plan import pending
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    from .fleet import SchemaState
    from .loading import Context
    from .plan import SchemaPlan

_STATEMENT_LENGTH = 2000


@dataclass
class Failure:
    """Why a schema could not be brought to its plan: where it stopped, and what the server said."""

    schema: str
    message: str
    migration: str | None = None
    statement: str | None = None
    sqlstate: str | None = None
    hint: str | None = None

    def as_reply(self) -> dict[str, object]:
        return {
            "schema": self.schema,
            "migration": self.migration,
            "statement": self.statement,
            "sqlstate": self.sqlstate,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass
class Outcome:
    """What was done to a schema: its migrations with their seconds, and the failure that ended it, if one did."""

    schema: str
    applied: list[tuple[str, float]] = field(default_factory=list)
    failure: Failure | None = None
    seconds: float = 0.0


class StopHere(Exception):
    """A schema that must not be touched, with the failure to report."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def migrate_schema(context: Context, plan: SchemaPlan, loader: MigrationLoader, fake_initial: bool = False) -> Outcome:
    """Bring one schema to its plan. Each migration is one transaction with its recorder row, where it is atomic.

    Errors of the project or the database end this schema only; they are in the outcome.
    """
    watch = Watch(plan.schema.name, context.connection)
    started = time.monotonic()
    outcome = Outcome(plan.schema.name)
    try:
        with context.connection.execute_wrapper(watch):
            run_plan(context, plan, loader, watch, fake_initial)
    except StopHere as stop:
        outcome.failure = stop.failure
    except BaseException as error:
        outcome.failure = watch.failure(error)
    finally:
        _leave(context)
    outcome.applied = watch.applied
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


def _leave(context: Context) -> None:
    """Back in the public schema, on a connection that can be used."""
    if (
        context.connection.connection is not None
        and not context.connection.in_atomic_block
        and not context.connection.is_usable()
    ):
        context.connection.close()
    if context.tenancy.by_schema:
        context.connection.set_schema_to_public()


def run_plan(
    context: Context, plan: SchemaPlan, loader: MigrationLoader, watch: Watch | None = None, fake_initial: bool = False
) -> None:
    """Run a schema's plan, with the signals around it. Errors are raised as they come.

    Inside a transaction of the caller's the whole plan belongs to it.
    """
    watch = watch or Watch(plan.schema.name, context.connection)
    _with_own_recorder(context, plan.schema)
    if custom.own_command(context.tenancy):
        custom.migrate(context, plan, fake_initial)
        return
    _announce(context, "schema_pre_migration", schema_name=plan.schema.name)
    with in_schema(context, plan.schema.name, plan.schema.type):
        before = _state_before(loader, plan)
        _refuse_phantoms(context, plan, loader, before)
        executor = _executor(context, loader, watch)
        migrations = [(loader.graph.nodes[key], False) for key in plan.migrations]
        _send_signal("pre_migrate", context, before.apps, migrations)
        after = executor.migrate(None, plan=migrations, state=before.clone(), fake_initial=fake_initial)
        after.clear_delayed_apps_cache()
        _render_for_receivers(after)
        _send_signal("post_migrate", context, after.apps, migrations)
    _announce(context, "schema_migrated", schema_name=plan.schema.name)


def _with_own_recorder(context: Context, schema: SchemaState) -> None:
    """Make the recorder's table in the schema itself.

    Looked for along the search_path, public's would be found, and nothing would ever be pending.
    """
    from django.db.migrations.recorder import MigrationRecorder

    with in_schema(context, schema.name, schema.type, include_public=False):
        _require_search_path(context, schema.name)
        MigrationRecorder(context.connection).ensure_schema()


def _require_search_path(context: Context, schema: str) -> None:
    """See that new tables would be made in this schema: django-tenants hides an error of its SET search_path."""
    if not context.tenancy.by_schema:
        return
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        current = cursor.fetchone()[0]
    if current != schema:
        raise StopHere(
            Failure(
                schema,
                f"After SET search_path the current schema is {current!r}, not {schema!r}; nothing was written.",
                hint="Does the schema exist, and may the role use it? A pooler in transaction mode loses the search_path as well.",
            )
        )


def _state_before(loader: MigrationLoader, plan: SchemaPlan) -> ProjectState:
    """The models as what is applied in the schema leaves them (``MigrationExecutor._create_project_state``)."""
    from django.db.migrations.state import ProjectState

    state = ProjectState(real_apps=loader.unmigrated_apps)
    order = pending(loader.graph, loader.graph.leaf_nodes(), NOTHING)
    for key in order:
        if key in plan.applied:
            loader.graph.nodes[key].mutate_state(state, preserve=False)
    return state


def _refuse_phantoms(context: Context, plan: SchemaPlan, loader: MigrationLoader, before: ProjectState) -> None:
    """Stop where a table that the pending migrations build on is recorded but not in this schema.

    Through the search_path an ALTER would find public's table of that name, change that, and say OK.
    """
    from django.db import router

    from .structure import read_tables

    if not context.tenancy.by_schema:
        return
    apps = {app for app, name in plan.migrations}
    there = read_tables(context.connection, [plan.schema.name])[plan.schema.name]
    for (app, model_name), model in sorted(before.models.items()):
        if (
            app not in apps
            or not model.options.get("managed", True)
            or model.options.get("proxy")
            or model.options.get("swappable")
        ):
            continue
        table = model.options.get("db_table") or f"{app}_{model_name}"
        if table in there or not router.allow_migrate(context.alias, app, model_name=model_name):
            continue
        first = next((key for key in plan.migrations if key[0] == app), None)
        raise StopHere(
            Failure(
                plan.schema.name,
                f"{plan.schema.name}.{table} does not exist, although the migrations that make it are recorded there.",
                migration=named(first) if first else None,
                hint=f"Nothing was changed. The recorder of {plan.schema.name} says more of the app {app} than is there: it was faked, "
                "or the app has moved between the shared and the tenants' apps. Restore the table, or take the records back, and run again.",
            )
        )


class Watch:
    """Sees what runs: each migration with its time, and the statement that failed."""

    def __init__(self, schema: str, connection: Any) -> None:
        self.schema = schema
        self.connection = connection
        self.applied: list[tuple[str, float]] = []
        self.current: str | None = None
        self._since = 0.0
        self._failed_sql: str | None = None
        self._failed_error: BaseException | None = None

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        try:
            return execute(sql, params, many, context)
        except Exception as error:
            self._failed_sql, self._failed_error = str(sql), error
            raise

    def progress(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "apply_start":
            self.current, self._since = f"{migration.app_label}.{migration.name}", time.monotonic()
        elif action == "apply_success" and self.current:
            self.applied.append((self.current, round(time.monotonic() - self._since, 3)))
            self.current = None
            if self.connection.in_atomic_block and self.connection.vendor == "postgresql":
                # Checks put off to the end of the transaction forbid the next migration's ALTER TABLE
                # ("pending trigger events"); here several migrations share one.
                with self.connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def failure(self, error: BaseException) -> Failure:
        from django.db import Error

        known = self._failed_error is error or _is_cause(self._failed_error, error)
        message = first_line(error) if isinstance(error, Error) else f"{type(error).__name__}: {first_line(error)}"
        return Failure(
            self.schema,
            message,
            migration=self.current,
            statement=(self._failed_sql or "")[:_STATEMENT_LENGTH] or None if known else None,
            sqlstate=sqlstate(error),
            hint=_hint(sqlstate(error)),
        )


def _is_cause(cause: BaseException | None, error: BaseException | None) -> bool:
    while error is not None and cause is not None:
        if error is cause:
            return True
        error = error.__cause__ or error.__context__
    return False


def _hint(code: str | None) -> str | None:
    """What to do next, for the SQLSTATEs that deploys meet most (PostgreSQL, Appendix A)."""
    hints = {
        "42P07": "The table is there but not recorded: it was made by hand or by another migration. Compare it, then fake that migration.",
        "42701": "The column is there but not recorded: it was added by hand or by another migration. Compare it, then fake that migration.",
        "42P01": "A table that the migration needs is not there. Is the app in the right list (shared or tenants'), and migrated before?",
        "42501": "The role may not do this. Let the owner run it (session_role:), or grant it.",
        "23502": "Rows hold NULL where the migration wants none: fill them first.",
        "23505": "Rows hold a value twice where the migration wants it once: mend them first.",
        "55P03": "Somebody else holds a lock on the table: run it again when less is going on.",
    }
    return hints.get(code or "")


def _executor(context: Context, loader: MigrationLoader, watch: Watch) -> Any:
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.recorder import MigrationRecorder

    class SharedGraphExecutor(MigrationExecutor):
        """Takes the graph that is already loaded, and looks for tables in the schema alone."""

        def __init__(self) -> None:
            self.connection = context.connection
            self.loader = loader
            self.recorder = MigrationRecorder(context.connection)
            self.progress_callback = watch.progress

        def detect_soft_applied(self, project_state: Any, migration: Any) -> Any:
            if not context.tenancy.by_schema:
                return super().detect_soft_applied(project_state, migration)
            # With public on the search_path a table there would count as the tenant's own.
            connection = context.connection
            tenant = connection.tenant
            connection.set_tenant(tenant, include_public=False)
            try:
                return super().detect_soft_applied(project_state, migration)
            finally:
                connection.set_tenant(tenant)

    return SharedGraphExecutor()


def _render_for_receivers(state: ProjectState) -> None:
    """Models are rendered anew without the fields' stale relations, as ``migrate`` does before post_migrate."""
    from django.db.migrations.state import ModelState

    apps = state.apps
    with apps.bulk_update():
        keys = []
        for model_state in apps.real_models:
            key = model_state.app_label, model_state.name_lower
            keys.append(key)
            apps.unregister_model(*key)
    apps.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in keys])


def _send_signal(which: str, context: Context, apps: Any, plan: list[tuple[Any, bool]]) -> None:
    from django.core.management import sql

    send = getattr(sql, f"emit_{which}_signal")
    send(verbosity=0, interactive=False, db=context.alias, apps=apps, plan=plan)


def _announce(context: Context, signal: str, **values: object) -> None:
    """Send one of django-tenants' signals, with the sender that its own commands have."""
    if context.tenancy.by_schema:
        from django_tenants import signals
        from django_tenants.migration_executors.base import run_migrations

        known = getattr(signals, signal, None)
        if known:
            known.send(run_migrations, **values)
