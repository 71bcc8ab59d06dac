# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows between two releases: each schema gets others, and both sides the same."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.databases import Database

_COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL), a.atthasdef,
    (SELECT f.relname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
     WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] LIMIT 1)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind = 'r' AND c.relname !~ '^(django|auth)_'
ORDER BY c.oid, a.attnum
"""

_VALUES: dict[str, str] = {
    "boolean": "true",
    "date": "'2024-05-06'",
    "timestamp with time zone": "'2024-05-06 07:08:09Z'",
    "time without time zone": "'07:08:09'",
    "interval": "'1 day'",
    "uuid": "md5('{n}')::uuid",
    "bytea": "'\\x25'",
    "jsonb": "'{{\"n\": {n}}}'",
    "inet": "'10.0.0.{n}'",
    "integer[]": "'{{{n}}}'",
    "int4range": "'[{n},100)'",
}


def fill(databases: Sequence[Database], schemas: Sequence[str], release: int) -> None:
    """Add a few rows to every table of every schema; what a constraint refuses is left out on both sides alike."""
    for database in databases:
        with database.connect() as connection:
            for number, schema in enumerate(schemas):
                connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema)))
                columns: dict[str, list[tuple[Any, ...]]] = {}
                for table, *column in connection.execute(_COLUMNS).fetchall():
                    columns.setdefault(table, []).append(tuple(column))
                for table, described in columns.items():
                    for row in range((number + release) % 3):
                        with contextlib.suppress(psycopg.Error):
                            connection.execute(_insert(table, described, 20 * release + 3 * row + number))


def _insert(table: str, columns: list[tuple[Any, ...]], n: int) -> str:
    names, values = [], []
    for place, (name, kind, has_default, target) in enumerate(columns):
        if has_default and (n + place) % 2:
            continue
        quoted = '"' + name.replace('"', '""') + '"'
        if target:
            values.append(f'(SELECT min(id) FROM "{target}")')
        elif kind in _VALUES:
            values.append(_VALUES[kind].format(n=n))
        elif kind in ("character varying", "text"):
            values.append(f"'v{n}'")
        else:
            values.append(str(n))
        if not target and (n + place) % 4 == 0:
            values[-1] = f"CASE WHEN {_nullable(table, name)} THEN {values[-1]} END"
        names.append(quoted)
    place = '"' + table.replace('"', '""') + '"'
    return (
        f"INSERT INTO {place} ({', '.join(names)}) VALUES ({', '.join(values)})"
        if names
        else f"INSERT INTO {place} DEFAULT VALUES"
    )


def _nullable(table: str, column: str) -> str:
    """True where the column may not be null, so that the value stays."""
    quoted = [part.replace("'", "''") for part in (table, column)]
    return f"(SELECT attnotnull FROM pg_attribute WHERE attrelid = quote_ident('{quoted[0]}')::regclass AND attname = '{quoted[1]}')"
