# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Bring one more schema of a cohort to a plan that has been compiled: the captured SQL in one transaction, Django where it must be."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from . import permissions
from .capture import NEXT
from .database import quoted
from .fingerprint import fingerprint_of
from .fleet import RECORDER_TABLE
from .guards import drop_invalid_indexes, require_search_path
from .messages import send, speaks_libpq
from .outcome import Outcome, Watch
from .verification import in_schema

if TYPE_CHECKING:
    from .capture import Unit
    from .compiler import Compiled
    from .fleet import Migration, SchemaState
    from .loading import Context


class NotAlike(Exception):
    """Python left another structure here than in the schema whose SQL was captured; the rest has to go through Django."""


def batches(units: Sequence[Unit]) -> list[list[Unit]]:
    """The units in order, those that are replayed one after the other together, each that Django runs alone. Pure."""
    found: list[list[Unit]] = []
    for unit in units:
        if found and unit.because is None and found[-1][0].because is None:
            found[-1].append(unit)
        else:
            found.append([unit])
    return found


def script(schema: str, units: Iterable[Unit], extra: Sequence[str] = (), prelude: Sequence[str] = ()) -> list[str]:
    """The statements that bring a schema to these units, for a transaction whose search_path is the schema's. Pure."""
    lines = list(prelude)
    rows: list[Migration] = []
    for unit in units:
        lines += unit.sql
        rows += unit.rows
        if unit.writes_rows:
            # What Django checks at the end of each migration's transaction: put off longer, it forbids the next ALTER TABLE.
            lines += ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]
    if rows:
        lines.append(record(schema, rows))
    return lines + list(extra)


def record(schema: str, rows: Iterable[Migration]) -> str:
    """The statement that records migrations as applied in a schema, in its own recorder. Pure."""
    values = ", ".join(f"({permissions.literal(app)}, {permissions.literal(name)}, now())" for app, name in rows)
    return f"INSERT INTO {quoted(schema)}.{RECORDER_TABLE} (app, name, applied) VALUES {values}"


def search_path(context: Context, schema: str) -> str:
    """SET LOCAL, as django-tenants sets it for a session: a pooler can't send the next statement elsewhere."""
    from django.conf import settings

    public = context.tenancy.public_schema or "public"
    paths = [schema, public, *getattr(settings, "PG_EXTRA_SEARCH_PATHS", [])]
    return "SET LOCAL search_path = " + ", ".join(map(quoted, paths))


def local_limits(lock_timeout: float, statement_timeout: float) -> list[str]:
    """The time limits for DDL, in seconds, set for a transaction; 0 keeps the server's own. Pure."""
    return [f"SET LOCAL {limit}" for limit in time_limits(lock_timeout, statement_timeout)]


def time_limits(lock_timeout: float, statement_timeout: float) -> list[str]:
    """The limits as SET takes them. Pure."""
    limits = {"lock_timeout": lock_timeout, "statement_timeout": statement_timeout}
    return [f"{name} = {int(seconds * 1000)}" for name, seconds in limits.items() if seconds]


def replay_whole(context: Context, compiled: Compiled, schema: SchemaState, limits: Sequence[str]) -> Outcome:
    """The whole plan in one transaction and one round trip.

    Errors of the driver are raised; nothing is left of the transaction then.
    """
    started = time.monotonic()
    extra = _closing(compiled, schema.name)
    body = script(schema.name, compiled.units, extra, compiled.prelude)
    lines = ["BEGIN", *limits, search_path(context, schema.name), *body, "COMMIT"]
    _transact(context.connection.connection, NEXT.join(lines))
    return Outcome(
        schema.name,
        applied=[(unit.name, 0.0) for unit in compiled.units],
        seconds=round(time.monotonic() - started, 4),
        executed="replayed",
        replayed={unit.name for unit in compiled.units},
    )


def _transact(raw: Any, message: str) -> None:
    """Send a whole transaction over the driver's own connection."""
    try:
        _send(raw, message)
    except BaseException:
        with raw.cursor() as cursor:
            cursor.execute("ROLLBACK")
        raise


def _send(raw: Any, message: str) -> None:
    if speaks_libpq(raw):
        send(raw, message)
        return
    with raw.cursor() as cursor:
        cursor.execute(message)


def replay_inside(context: Context, compiled: Compiled, schema: SchemaState) -> None:
    """The whole plan in an empty schema, inside a transaction of the caller's. Errors are raised as they come."""
    lines = [
        # For each index the planner would look for workers to build it; here there are no rows.
        "SET LOCAL max_parallel_maintenance_workers = 0",
        search_path(context, schema.name),
        *script(schema.name, compiled.units, _closing(compiled, schema.name), compiled.prelude),
    ]
    connection = context.connection
    with connection.wrap_database_errors:
        _send(connection.connection, NEXT.join(lines))


def _closing(compiled: Compiled, schema: str) -> list[str]:
    """What comes after the last migration: records of squashed ones, content types and permissions."""
    lines = [record(schema, compiled.squashed)] if compiled.squashed else []
    return lines + permissions.statements(schema, compiled.new_kinds)


def run_mixed(context: Context, compiled: Compiled, schema: SchemaState, watch: Watch, limits: Sequence[str]) -> None:
    """The plan in as many transactions as it needs: stretches of SQL, and migrations that Django runs on the shared states.

    Errors are raised as they come; what was committed before is recorded.
    """
    from django.db import transaction

    parts = batches(compiled.units)
    with in_schema(context, schema.name, schema.type):
        with context.own_session():
            require_search_path(context, schema.name)
        for line in compiled.prelude:
            with context.connection.cursor() as cursor:
                cursor.execute(line)
        for number, part in enumerate(parts, 1):
            extra = _closing(compiled, schema.name) if number == len(parts) else []
            if part[0].because is None:
                with transaction.atomic(using=context.alias), context.connection.cursor() as cursor:
                    lines = [*limits, search_path(context, schema.name), *script(schema.name, part, extra)]
                    cursor.execute(NEXT.join(lines))
                watch.applied += [(unit.name, 0.0) for unit in part]
                watch.replayed |= {unit.name for unit in part}
            else:
                unit = part[0]
                with transaction.atomic(using=context.alias) if unit.atomic else nullcontext():
                    _run_unit(context, unit, watch)
                    for line in extra:
                        with context.connection.cursor() as cursor:
                            cursor.execute(line)
                if number < len(parts) and parts[number][0].because is None:
                    _require_alike(context, unit, compiled.first, schema.name)


def _require_alike(context: Context, unit: Unit, first: str, schema: str) -> None:
    if fingerprint_of(context.connection, schema) != unit.leaves:
        raise NotAlike(f"{unit.name} has left another structure than in {first}")


def _run_unit(context: Context, unit: Unit, watch: Watch) -> None:
    """One migration through Django, as ``MigrationExecutor.apply_migration`` and ``Migration.apply`` do, on rendered states."""
    from django.db import transaction
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder(context.connection)
    _forget_content_types(unit)
    watch.begin(unit.name)
    if not unit.atomic:
        drop_invalid_indexes(context, watch.schema, [step.operation for step in unit.steps])
    recorded = False
    with context.connection.schema_editor(atomic=unit.atomic) as editor:
        for step in unit.steps:
            watch.operation = step.operation
            own = step.operation.atomic or (unit.atomic and step.operation.atomic is not False)
            with transaction.atomic(using=context.alias) if own and not editor.atomic_migration else nullcontext():
                step.operation.database_forwards(unit.key[0], editor, step.before, step.after)
        watch.operation = None
        if not editor.deferred_sql:
            _record(recorder, unit)
            recorded = True
    if not recorded:
        _record(recorder, unit)
    watch.end()


def _forget_content_types(unit: Unit) -> None:
    """Their ids are another schema's: the managers of the shared states keep what they were asked for there."""
    for step in unit.steps:
        for state in (step.before, step.after):
            if ("contenttypes", "contenttype") in state.models:
                for manager in state.apps.get_model("contenttypes", "ContentType")._meta.managers:
                    if hasattr(manager, "clear_cache"):
                        manager.clear_cache()


def _record(recorder: Any, unit: Unit) -> None:
    # Not record_applied(): it looks for the table first, in the catalog of the whole database.
    recorder.migration_qs.bulk_create([recorder.Migration(app=app, name=name) for app, name in unit.rows])
