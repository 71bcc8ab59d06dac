# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Row-level security as it is set on tables, and what of it the deploying role meets when it reads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Iterable

from .database import first_line, qualified, sqlstate

# Reading is worth this much time, a table and all together.
_STATEMENT_MS = 100
_ALL_SECONDS = 0.25
_CANCELED, _NOT_ALLOWED = "57014", "42501"

_SECURED = """
SELECT n.nspname, c.relname, c.relforcerowsecurity, pg_catalog.pg_has_role(session_user, c.relowner, 'USAGE'),
    pg_catalog.row_security_active(c.oid), (SELECT count(*) FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid),
    c.reltuples > 0 OR pg_catalog.pg_stat_get_live_tuples(c.oid) > 0 OR (c.relpages = 0 AND pg_catalog.pg_relation_size(c.oid) > 0),
    pg_catalog.pg_get_userbyid(c.relowner), session_user, current_user
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND c.relkind IN ('r', 'p') AND n.nspname = ANY(%s)
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Secured:
    """A table with row-level security.

    :param passed_by_owner: not forced, so that its owner passes all policies.
    :param login_owns: whether the role that the project logs in as has the rights of the owner.
    :param holds: whether the policies hold for the role that the audit acts as.
    :param filled: whether there are rows, as far as the catalog knows.
    """

    schema: str
    table: str
    passed_by_owner: bool
    login_owns: bool
    holds: bool
    policies: int
    filled: bool
    owner: str
    login: str
    role: str


def read_secured(connection: Any, schemas: Iterable[str]) -> list[Secured]:
    """The tables with row-level security in several schemas; none where the database knows no such thing."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SECURED, [list(schemas)])
        return [
            Secured(schema, table, not forced, login_owns, holds, policies, bool(filled), *roles)
            for schema, table, forced, login_owns, holds, policies, filled, *roles in cursor.fetchall()
        ]


def try_reading(connection: Any, tables: Iterable[Secured]) -> dict[Secured, str | None]:
    """What became of reading a row: None where no row is seen, the server's message where a policy fails.

    Left out is a table of which a row is seen, and where that could not be tried.
    """
    from django.db import Error, transaction

    found: dict[Secured, str | None] = {}
    end = time.monotonic() + _ALL_SECONDS
    for table in tables:
        if time.monotonic() > end:
            break
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(
                    f"SET TRANSACTION READ ONLY; SET LOCAL row_security = on; SET LOCAL statement_timeout = {_STATEMENT_MS}"
                )
                cursor.execute(f"SELECT 1 FROM {qualified(connection, table.schema, table.table)} LIMIT 1")
                if cursor.fetchone() is None:
                    found[table] = None
        except Error as error:
            if sqlstate(error) not in (_CANCELED, _NOT_ALLOWED):
                found[table] = first_line(error)
    return found
