# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is looked at before a schema is written to: that statements will reach it, and that what they build on is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping

from . import custom
from .database import quoted
from .errors import Refusal
from .outcome import Failure, StopHere
from .plan import name as named
from .structure import read_tables

if TYPE_CHECKING:
    from django.db.migrations.state import ProjectState

    from .expected import Needed
    from .loading import Context
    from .plan import SchemaPlan

_CONCURRENT_INDEX = re.compile(r'\bINDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w$]+)"?\s+ON\b', re.IGNORECASE)


def require_search_path(context: Context, schema: str) -> None:
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


def built_on(context: Context, plan: SchemaPlan, before: ProjectState) -> list[Needed]:
    """The tables that the models of the pending migrations' apps have before those run.

    With the connection set to the schema, since routers may look at it.
    """
    from .expected import needed_of
    from .routes import Routes

    apps = {app for app, name in plan.migrations}
    return needed_of([before.models[key] for key in sorted(before.models) if key[0] in apps], Routes(context))


def refuse_phantoms(context: Context, plan: SchemaPlan, before: ProjectState) -> None:
    """Stop where a table that the pending migrations build on is recorded but not in this schema.

    Through the search_path an ALTER would find public's table of that name, change that, and say OK.
    """
    if not context.tenancy.by_schema:
        return
    there = read_tables(context.connection, [plan.schema.name])[plan.schema.name]
    absent = [item for item in built_on(context, plan, before) if item.table.name not in there]
    for item in absent[:1]:
        raise StopHere(
            Failure(
                plan.schema.name,
                f"{plan.schema.name}.{item.table.name} does not exist, although the migrations that make it are recorded there.",
                migration=named(next(key for key in plan.migrations if key[0] == item.app)),
                hint=f"Nothing was changed. The recorder of {plan.schema.name} says more of the app {item.app} than is there: it was faked, "
                "or the app has moved between the shared and the tenants' apps. django_tenancy_check says how to mend it.",
            )
        )


def through_transaction_pooler(context: Context) -> bool:
    """Whether a pooler stands between that shares server processes out by the transaction, and so loses a session's search_path.

    Such a pooler hands the server process that one connection has just used to the next that asks, while the first is still open.
    Recognised by that: a second connection finds itself in the same server process.
    """
    connection = context.connection
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ours = cursor.fetchone()[0]
    info = getattr(connection.connection, "info", None)
    if info is not None and getattr(info, "backend_pid", ours) == ours:
        # What the client was told when it connected is the server process itself: nobody stands between.
        return False
    second = connection.get_new_connection(connection.get_connection_params())
    try:
        with second.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return bool(cursor.fetchone()[0] == ours)
    finally:
        second.close()


def require_session(
    context: Context, plans: Iterable[SchemaPlan], nodes: Callable[[SchemaPlan], Mapping[Any, Any]]
) -> None:
    """Stop where a plan can't be kept in transactions, and a pooler would lose its search_path between them.

    :param nodes: the migrations of the graph that a plan is made on, by key.
    :raises Refusal: nothing has been written.
    """
    if not context.tenancy.by_schema or not context.pooled:
        return
    for plan in plans:
        loose = [key for key in plan.migrations if nodes(plan)[key].atomic is False]
        setting = custom.own_command(context.tenancy)
        if loose or setting:
            why = f"{named(loose[0])} is not atomic" if loose else f"{setting} is set"
            raise Refusal(
                "The database is reached through a pooler in transaction mode, which loses the search_path between transactions, "
                f"and {why}, so {plan.schema.name} can't be migrated in one.",
                hint="Give the deploy a direct connection to PostgreSQL, or a pool in session mode.",
            )


def drop_invalid_indexes(context: Context, schema: str, operations: Iterable[Any]) -> None:
    """Drop what an interrupted CREATE INDEX CONCURRENTLY of these operations left: an index that is INVALID, but has the name."""
    if context.connection.vendor != "postgresql":
        return
    names = [operation.index.name for operation in operations if type(operation).__name__ == "AddIndexConcurrently"]
    for text in (str(operation.sql) for operation in operations if type(operation).__name__ == "RunSQL"):
        names += _CONCURRENT_INDEX.findall(text)
    if not names:
        return
    with context.connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relname = ANY(%s) AND NOT x.indisvalid",
            [schema, names],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(schema)}.{quoted(name)}")
