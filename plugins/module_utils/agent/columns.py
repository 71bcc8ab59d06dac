# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Columns of one schema's tables: which may be NULL, and which an index leads with. PostgreSQL's catalog, or SQLite through Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Collection, Tuple

# A table and a column.
Column = Tuple[str, str]

# Partial indexes, and those that only tell blocks apart (brin), don't find the rows of one tenant.
_FACTS = """
SELECT c.relname, a.attname, NOT a.attnotnull, EXISTS (
    SELECT FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = i.relam
    WHERE x.indrelid = c.oid AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indpred IS NULL AND m.amname IN ('btree', 'hash')
)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND c.relname = ANY(%s) AND a.attname = ANY(%s)
"""


@dataclass(frozen=True)
class ColumnFacts:
    """Whether a column may be NULL, and whether an index leads with it."""

    nullable: bool
    indexed: bool


def read_facts(connection: Any, schema: str, columns: Collection[Column]) -> dict[Column, ColumnFacts]:
    """What there is to say of columns; those that are not there are left out."""
    tables = sorted({table for table, _column in columns})
    found: dict[Column, ColumnFacts] = {}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FACTS, [schema, tables, sorted({column for _table, column in columns})])
            for table, column, nullable, indexed in cursor.fetchall():
                found[table, column] = ColumnFacts(nullable, indexed)
        else:
            there = set(connection.introspection.table_names(cursor))
            for table in there.intersection(tables):
                indexed = _leading(connection.introspection.get_constraints(cursor, table))
                for info in connection.introspection.get_table_description(cursor, table):
                    found[table, info.name] = ColumnFacts(bool(info.null_ok), info.name in indexed)
    return {item: found[item] for item in columns if item in found}


def _leading(constraints: dict[str, Any]) -> set[str]:
    """The columns that an index leads with, as Django tells indexes."""
    return {
        part["columns"][0]
        for part in constraints.values()
        if part["columns"] and (part["index"] or part["unique"] or part["primary_key"])
    }
