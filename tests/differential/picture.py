# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that two databases are compared by, read without any of the code under test: structure, rows, records, kinds."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.databases import Database

# Values that no two runs share: which rows have equal ones is compared, and whether schemas share them.
VOLATILE = "vol_"
# Two workers that a commit wakes together may well ask the clock in the same microsecond; a time replayed by mistake is that
# of a whole cohort, three schemas at least. Any other value in two schemas has been replayed.
_CLOCK = re.compile(r'"\d{4}-\d\d-\d\dT')

_STRUCTURE = """
WITH rel AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()
)
SELECT 'relation', relname::text, relkind::text, relrowsecurity::text || relpersistence::text || coalesce(obj_description(oid, 'pg_class'), '')
FROM rel WHERE relkind NOT IN ('i', 'I')
UNION ALL
SELECT 'column', r.relname::text, a.attname::text, concat_ws(' ', row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum),
    format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
    (SELECT collname FROM pg_collation WHERE oid = a.attcollation), a.attstorage, col_description(r.oid, a.attnum))
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE r.relkind NOT IN ('i', 'I', 'S')
UNION ALL
SELECT 'constraint', r.relname::text, k.conname::text, concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
FROM rel r JOIN pg_constraint k ON k.conrelid = r.oid
UNION ALL
SELECT 'index', r.relname::text, i.relname::text, concat_ws(' ', pg_get_indexdef(x.indexrelid), x.indisvalid)
FROM rel r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT 'sequence', r.relname::text, '', concat_ws(' ', s.data_type, s.start_value, s.increment_by, s.last_value)
FROM rel r JOIN pg_sequences s ON s.sequencename = r.relname AND s.schemaname = current_schema() WHERE r.relkind = 'S'
UNION ALL
SELECT 'trigger', r.relname::text, t.tgname::text, pg_get_triggerdef(t.oid) FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', r.relname::text, p.polname::text, pg_get_expr(p.polqual, p.polrelid) FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'view', r.relname::text, '', pg_get_viewdef(r.oid) FROM rel r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'function', p.proname::text, '', p.prosrc FROM pg_proc p WHERE p.pronamespace = quote_ident(current_schema())::regnamespace
"""

_SPECIAL = {
    "django_migrations": "SELECT app || '.' || name FROM {} ORDER BY 1",
    "django_content_type": "SELECT app_label || '.' || model FROM {} ORDER BY 1",
    "auth_permission": (
        "SELECT concat_ws('.', c.app_label, c.model, p.codename, p.name) FROM {} p"
        " JOIN django_content_type c ON c.id = p.content_type_id ORDER BY 1"
    ),
}


def picture(database: Database, schemas: Iterable[str]) -> dict[str, Any]:
    """Everything of each schema, and for volatile columns which schemas' values are shared."""
    found: dict[str, Any] = {}
    volatile: dict[str, dict[str, set[str]]] = {}
    with database.connect() as connection:
        for schema in schemas:
            parts = structure(connection, schema)
            found[f"{schema} structure"] = parts
            for kind, table, name in list(parts):
                if kind == "relation" and name == "r":
                    rows, changing = _rows(connection, schema, table)
                    found[f"{schema} {table}"] = rows
                    for column, values in changing.items():
                        volatile.setdefault(f"{table}.{column}", {})[schema] = values
    for column, by_schema in volatile.items():
        schemas_with = Counter(value for part in by_schema.values() for value in part)
        found[f"{column} shared by schemas"] = any(
            schemas > (2 if _CLOCK.match(value) else 1) for value, schemas in schemas_with.items()
        )
    return found


def structure(connection: Any, schema: str) -> dict[tuple[str, str, str], str]:
    """All that a schema consists of: the kind, table and name of each part, and what it is. Leaves the schema in the search path."""
    connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema)))
    return {row[:3]: row[3] for row in connection.execute(_STRUCTURE).fetchall()}


def _rows(connection: Any, schema: str, table: str) -> tuple[list[str], dict[str, set[str]]]:
    place = sql.Identifier(schema, table)
    if table in _SPECIAL:
        return [row[0] for row in connection.execute(sql.SQL(_SPECIAL[table]).format(place)).fetchall()], {}
    rows = [row[0] for row in connection.execute(sql.SQL("SELECT to_jsonb(t) FROM {} t").format(place)).fetchall()]
    rows.sort(
        key=lambda row: json.dumps({name: row[name] for name in row if not name.startswith(VOLATILE)}, sort_keys=True)
    )
    changing: dict[str, set[str]] = {}
    for column in [name for name in (rows[0] if rows else []) if name.startswith(VOLATILE)]:
        seen: dict[str, int] = {}
        for row in rows:
            if row[column] is not None:
                row[column] = seen.setdefault(json.dumps(row[column]), len(seen))
        changing[column] = set(seen)
    return [json.dumps(row, sort_keys=True) for row in rows], changing


def differences(stock: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """What differs, in lines for a person."""
    lines = []
    for part in sorted(stock.keys() | ours.keys()):
        left, right = stock.get(part), ours.get(part)
        if left == right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            lines += [
                f"{part} {key}: stock {left.get(key)!r}, ours {right.get(key)!r}"
                for key in sorted(left.keys() | right.keys())
                if left.get(key) != right.get(key)
            ]
        elif isinstance(left, list) and isinstance(right, list):
            lines.append(
                f"{part}: only stock {sorted(set(left) - set(right))}, only ours {sorted(set(right) - set(left))}"
            )
        else:
            lines.append(f"{part}: stock {left!r}, ours {right!r}")
    return lines
