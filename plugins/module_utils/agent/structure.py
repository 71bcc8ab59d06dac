# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What PostgreSQL's catalog says of many schemas, read in one pass, and the difference between two of them.

SQLite has one schema, called ``main``; of it tables and columns are read, through Django.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

# One line for each thing that can differ, comparable between schemas: no oid is in it, and the schema's own
# name is taken out of what the server prints.
_CATALOG = """
WITH wanted AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)
), relation AS (
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, w.oid AS schema_oid, w.nspname
    FROM pg_catalog.pg_class c JOIN wanted w ON w.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
)
SELECT nspname, relname, 'relation', '', relkind::text || CASE WHEN relrowsecurity THEN ' rls' ELSE '' END
    || CASE WHEN relforcerowsecurity THEN ' forced' ELSE '' END
FROM relation
UNION ALL
SELECT r.nspname, r.relname, 'column', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE WHEN a.attidentity <> '' THEN ' IDENTITY ' || a.attidentity::text ELSE '' END
    || CASE WHEN a.attgenerated <> '' THEN ' GENERATED' ELSE '' END
    || coalesce(' COLLATE ' || (SELECT co.collname FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                                WHERE co.oid = a.attcollation AND a.attcollation <> t.typcollation), '')
    || coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind <> 'S'
UNION ALL
SELECT r.nspname, r.relname, 'constraint', c.conname, pg_catalog.pg_get_constraintdef(c.oid)
FROM relation r JOIN pg_catalog.pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n'
UNION ALL
SELECT r.nspname, r.relname, 'index', i.relname, pg_catalog.pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
FROM relation r JOIN pg_catalog.pg_index x ON x.indrelid = r.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT r.nspname, r.relname, 'trigger', t.tgname, pg_catalog.pg_get_triggerdef(t.oid)
FROM relation r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT r.nspname, r.relname, 'policy', p.polname, p.polcmd::text || ' '
    || coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT r.nspname, r.relname, 'view', '', pg_catalog.pg_get_viewdef(r.oid)
FROM relation r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT r.nspname, r.relname, 'sequence', '', pg_catalog.format_type(s.seqtypid, NULL) || ' ' || s.seqstart || ' ' || s.seqincrement
FROM relation r JOIN pg_catalog.pg_sequence s ON s.seqrelid = r.oid
"""

_TABLES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
"""

# No index leads from a schema to its relations, but they all depend on it: for a few schemas that spares a pass over pg_class.
_TABLES_OF_FEW = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
    AND d.classid = 'pg_catalog.pg_class'::regclass
JOIN pg_catalog.pg_class c ON c.oid = d.objid
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
"""
_FEW = 5

_COLUMNS = """
SELECT c.relname, a.attname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relname = ANY(%s)
"""


@dataclass
class Structure:
    """What one schema holds: (table, kind, name) → definition, comparable between schemas."""

    schema: str
    parts: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @property
    def tables(self) -> set[str]:
        return {table for (table, kind, name), text in self.parts.items() if kind == "relation" and text[0] in "rpvmf"}

    def columns(self, table: str) -> set[str]:
        return {name for (owner, kind, name) in self.parts if owner == table and kind == "column"}

    def all_columns(self) -> dict[str, set[str]]:
        """The columns of each table and view."""
        return self._by_table("column")

    def all_indexes(self) -> dict[str, set[str]]:
        """The names of the indexes and constraints of each table and view."""
        return self._by_table("index", "constraint")

    def _by_table(self, *kinds: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {table: set() for table in self.tables}
        for owner, kind, name in self.parts:
            if kind in kinds and owner in found:
                found[owner].add(name)
        return found


def difference(left: Structure, right: Structure) -> dict[tuple[str, str, str], tuple[str | None, str | None]]:
    """What differs, as (table, kind, name) → (definition on the left, on the right); None where one lacks it."""
    return {
        part: (left.parts.get(part), right.parts.get(part))
        for part in sorted(left.parts.keys() | right.parts.keys())
        if left.parts.get(part) != right.parts.get(part)
    }


def without_schema(text: str, schema: str) -> str:
    """A definition as the server prints it, less the name of the schema it stands in."""
    quoted = '"' + schema.replace('"', '""') + '"'
    for prefix in (quoted + ".", schema + "."):
        start = text.find(prefix)
        while start >= 0:
            # Where it is only the end of a longer name it is another schema's: "public." is not the schema "ic".
            if start and (text[start - 1].isalnum() or text[start - 1] in "_$"):
                start = text.find(prefix, start + 1)
            else:
                text = text[:start] + text[start + len(prefix) :]
                start = text.find(prefix, start)
    return text


def read_structures(connection: Any, schemas: Iterable[str]) -> dict[str, Structure]:
    """The structure of several schemas of a PostgreSQL database; a schema that does not exist has an empty one."""
    structures = {schema: Structure(schema) for schema in schemas}
    with connection.cursor() as cursor:
        cursor.execute(_CATALOG, [list(structures)])
        for schema, table, kind, name, text in cursor.fetchall():
            structures[schema].parts[table, kind, name] = without_schema(text, schema)
    return structures


def read_tables(connection: Any, schemas: Iterable[str]) -> dict[str, set[str]]:
    """The names of the tables and views of several schemas, each looked up in that schema alone."""
    tables: dict[str, set[str]] = {schema: set() for schema in schemas}
    if connection.vendor != "postgresql":
        names = set(connection.introspection.table_names())
        return {schema: set(names) for schema in tables}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES_OF_FEW if len(tables) <= _FEW else _TABLES, [list(tables)])
        for schema, table in cursor.fetchall():
            tables[schema].add(table)
    return tables


def read_columns(connection: Any, schema: str, tables: Iterable[str]) -> Mapping[str, set[str]]:
    """The columns of some tables of one schema; a table that is not there has none."""
    columns: dict[str, set[str]] = {table: set() for table in tables}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_COLUMNS, [schema, list(columns)])
            for table, column in cursor.fetchall():
                columns[table].add(column)
            return columns
        for table in columns.keys() & set(connection.introspection.table_names(cursor)):
            columns[table] = {info.name for info in connection.introspection.get_table_description(cursor, table)}
    return columns
