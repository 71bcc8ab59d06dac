# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The connection to the project's database: opened with a named error, and as which role."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Callable

from .errors import DatabaseProblem
from .schema_editor import end_transactions

if TYPE_CHECKING:
    from .wire import Wire

_STATEMENT_LENGTH = 300

# Somebody held a lock, or two waited for each other (PostgreSQL, Appendix A): worth another try.
# XX000 is "tuple concurrently updated": two replaced the same function, or granted on the same table, of the public schema.
RETRYABLE = ("55P03", "40P01", "40001", "XX000")


def quoted(name: str) -> str:
    """A PostgreSQL identifier, quoted.

    Django's ``quote_name`` leaves a name alone that has quotes at both ends, and never doubles those inside.
    """
    return '"' + name.replace('"', '""') + '"'


def qualified(connection: Any, schema: str, table: str) -> str:
    """A table's name for a statement; SQLite has no schemas to name."""
    return f"{quoted(schema)}.{quoted(table)}" if connection.vendor == "postgresql" else quoted(table)


def assume_role(role: str) -> None:
    """Let every connection that Django opens from now on act as ``role`` (SET ROLE).

    Registered before the apps load, since some of them open a connection then.
    """
    from django.db.backends.signals import connection_created

    def set_role(sender: object, connection: Any, **kwargs: object) -> None:
        from django.db import Error

        if connection.vendor != "postgresql":
            raise DatabaseProblem(f"session_role: {connection.vendor} has no roles; only PostgreSQL does.")
        try:
            # On the driver's own cursor: Django's may want to set a search_path first.
            with connection.connection.cursor() as cursor:
                cursor.execute("SET ROLE " + quoted(role))
        except (Error, connection.Database.Error) as error:
            # Left open it would be used as the login role by whoever passes over this error.
            connection.close()
            raise DatabaseProblem(
                f"session_role: the login role can't act as {role!r}: {first_line(error)}",
                hint=f'Create the role, or: GRANT {quoted(role)} TO "<login role>";',
            ) from None

    connection_created.connect(set_role, weak=False, dispatch_uid="tenancy-agent-role")


def connect(alias: str, writes: bool) -> Any:
    """Django's connection of an alias, open.

    :param writes: whether the request may write. SQLite makes a file where there is none, so a request
        that only reads gets an empty database in memory instead.
    :raises DatabaseProblem: it can't be opened; the message says which database, as whom and where.
    """
    from django.db import Error, connections

    connection = connections[alias]
    if connection.vendor == "sqlite" and not writes and not os.path.exists(str(connection.settings_dict["NAME"])):
        connection.settings_dict["NAME"] = ":memory:"
    try:
        connection.ensure_connection()
    except Error as error:
        raise unreachable(error, alias) from None
    end_transactions(connection)
    return connection


def follow(wire: Wire) -> None:
    """Let the wire know what runs on every connection that Django opens from now on, and how to cancel it."""
    from django.db.backends.signals import connection_created

    def opened(sender: object, connection: Any, **kwargs: object) -> None:
        if hasattr(connection.connection, "cancel"):
            wire.cancellers[id(connection)] = lambda: connection.connection and connection.connection.cancel()
        if watch not in connection.execute_wrappers:
            connection.execute_wrappers.insert(0, watch)

    def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        while wire.stopping:
            # The process ends in a moment, and nothing more may begin in it.
            time.sleep(1)
        wire.statements[id(context["connection"])] = " ".join(str(sql)[:_STATEMENT_LENGTH].split())
        try:
            return execute(sql, params, many, context)
        finally:
            wire.statements.pop(id(context["connection"]), None)

    connection_created.connect(opened, weak=False, dispatch_uid="tenancy-agent-follow")


def unreachable(error: BaseException, alias: str | None = None) -> DatabaseProblem:
    from django.conf import settings as project_settings
    from django.db import connections

    alias = alias or getattr(project_settings, "TENANT_DB_ALIAS", "default")
    settings = connections.databases[alias]
    place = f"{settings.get('HOST') or 'the local socket'}:{settings.get('PORT') or 'default port'}"
    name = settings.get("NAME") or (settings.get("OPTIONS") or {}).get("service")
    return DatabaseProblem(
        f"The database {str(name)!r} (alias {alias}) at {place} can't be used as {settings.get('USER') or 'the default user'!r}: {first_line(error)}",
        hint="Is the server running, does the database exist, and is the password that of this role? They come from the project's settings and environment:.",
    )


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def sqlstate(error: BaseException | None) -> str | None:
    """The five characters of SQLSTATE, as either driver keeps them (psycopg 3: sqlstate, psycopg2: pgcode)."""
    while error is not None:
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if code:
            return str(code)
        error = error.__cause__
    return None


def require_create(connection: Any, schema: str | None) -> None:
    """See to it that the current role may create schemas (``None``), or tables in a schema, before anything is written.

    :raises DatabaseProblem: it may not; the hint is the statement that grants it.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        if schema is None:
            cursor.execute(
                "SELECT has_database_privilege(current_database(), 'CREATE'), current_user, current_database()"
            )
        else:
            cursor.execute("SELECT has_schema_privilege(%s, 'CREATE'), current_user, current_database()", [schema])
        allowed, role, database = cursor.fetchone()
    if allowed:
        return
    if schema is None:
        what, grant = f"create schemas in the database {database!r}", f"ON DATABASE {quoted(database)}"
    else:
        what, grant = f"create tables in the schema {schema!r} of {database!r}", f"ON SCHEMA {quoted(schema)}"
    raise DatabaseProblem(
        f"The role {role!r} may not {what}.",
        hint=f"As the owner: GRANT CREATE {grant} TO {quoted(role)};  or name another role with session_role:.",
    )
