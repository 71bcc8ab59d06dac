# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is looked at before a schema is written to: that statements will reach it, and that what they build on is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import Refusal
from .outcome import Failure, StopHere
from .plan import name as named
from .structure import read_tables

if TYPE_CHECKING:
    from django.db.migrations.state import ProjectState

    from .loading import Context
    from .plan import SchemaPlan


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


def refuse_phantoms(context: Context, plan: SchemaPlan, before: ProjectState) -> None:
    """Stop where a table that the pending migrations build on is recorded but not in this schema.

    Through the search_path an ALTER would find public's table of that name, change that, and say OK.
    """
    from django.db import router

    if not context.tenancy.by_schema:
        return
    apps = {app for app, name in plan.migrations}
    there = read_tables(context.connection, [plan.schema.name])[plan.schema.name]
    for app, model_name in sorted(key for key in before.models if key[0] in apps):
        model = before.apps.get_model(app, model_name)
        table = model._meta.db_table
        if table in there or not model._meta.can_migrate(context.connection):
            continue
        if not router.allow_migrate_model(context.alias, model):
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


def refuse_transaction_pooler(context: Context, why: str) -> None:
    """Stop where work that needs django-tenants' search_path, which is a session's, would go through a pooler that shares sessions out.

    Such a pooler hands the server process that one connection has just used to the next that asks, while the first is still open.
    Recognised by that: a second connection finds itself in the same server process.

    :raises Refusal: nothing has been written.
    """
    connection = context.connection
    if connection.vendor != "postgresql" or not context.tenancy.by_schema:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ours = cursor.fetchone()[0]
    info = getattr(connection.connection, "info", None)
    if info is not None and getattr(info, "backend_pid", ours) == ours:
        # What the client was told when it connected is the server process itself: nobody stands between.
        return
    second = connection.get_new_connection(connection.get_connection_params())
    try:
        with second.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            theirs = cursor.fetchone()[0]
    finally:
        second.close()
    if theirs == ours:
        raise Refusal(
            f"The database is reached through a pooler in transaction mode, which loses the search_path between transactions: {why}.",
            hint="Give the deploy a direct connection to PostgreSQL, or a pool in session mode.",
        )
