# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One number for the structure of a schema: equal where every statement does the same thing, read for many schemas at once."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

# hash_record_extended came with PostgreSQL 14; before that the columns are put together as text.
_RECORD_HASH_VERSION = 140000

_RELATIONS = """
WITH ns AS MATERIALIZED (
    SELECT oid, nspname, quote_ident(nspname) || '.' AS prefix FROM pg_catalog.pg_namespace WHERE nspname = ANY(%(schemas)s)
), rel AS MATERIALIZED (
    SELECT c.oid, c.relnamespace AS ns, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relpersistence
    FROM pg_catalog.pg_class c WHERE c.relnamespace IN (SELECT oid FROM ns) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
)
"""

# What is hashed of each thing, and where it is found. Raw catalog columns as far as they are comparable between schemas: names,
# numbers of columns, and oids of what all schemas share. What belongs to the schema itself goes in by name, less the schema's.
# Only what is rare is printed by the server (pg_get_*). Two parts, so that two processes can read them side by side.
_PARTS: dict[str, list[tuple[str, str, str]]] = {
    "columns": [
        (
            "r.ns",
            """'column'::text, r.relname, a.attnum, a.attname,
            CASE WHEN a.atttypid < 16384 THEN a.atttypid::text ELSE
                (SELECT CASE WHEN t.typnamespace = r.ns THEN '.' || t.typname ELSE t.oid::text END
                 FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) END,
            a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
            CASE WHEN a.attcollation < 16384 THEN a.attcollation::text ELSE
                (SELECT CASE WHEN o.collnamespace = r.ns THEN '.' || o.collname ELSE o.oid::text END
                 FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END,
            CASE WHEN a.atthasdef THEN (SELECT replace(pg_catalog.pg_get_expr(d.adbin, d.adrelid), n.prefix, '')
                FROM pg_catalog.pg_attrdef d, ns n WHERE n.oid = r.ns AND d.adrelid = a.attrelid AND d.adnum = a.attnum) END""",
            "rel r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE r.relkind <> 'S'",
        ),
    ],
    "others": [
        (
            "r.ns",
            "'relation'::text, r.relname, r.relkind, r.relrowsecurity, r.relforcerowsecurity, r.relispartition, r.relpersistence",
            "rel r",
        ),
        (
            "r.ns",
            """'constraint'::text, r.relname, k.conname, k.contype, k.condeferrable, k.condeferred, k.convalidated, k.conkey, k.confkey,
            CASE WHEN f.relnamespace = r.ns THEN '.' || f.relname ELSE f.oid::text END, k.confupdtype, k.confdeltype, k.confmatchtype,
            CASE WHEN k.contype IN ('c', 'x') THEN
                (SELECT replace(pg_catalog.pg_get_constraintdef(k.oid), n.prefix, '') FROM ns n WHERE n.oid = r.ns) END""",
            "rel r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype <> 'n' LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid",
        ),
        (
            "r.ns",
            """'index'::text, r.relname, i.relname, i.relam, x.indisunique, x.indisprimary, x.indimmediate, x.indisvalid, x.indkey::int2[],
            x.indclass::oid[], x.indoption::int2[], x.indnkeyatts,
            CASE WHEN 16384 > ALL (x.indcollation::oid[]) THEN x.indcollation::oid[] END,
            CASE WHEN x.indexprs IS NOT NULL OR x.indpred IS NOT NULL OR 16384 <= ANY (x.indcollation::oid[]) THEN
                (SELECT replace(pg_catalog.pg_get_indexdef(x.indexrelid), n.prefix, '') FROM ns n WHERE n.oid = r.ns) END""",
            "rel r JOIN pg_catalog.pg_index x ON x.indrelid = r.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid",
        ),
        (
            "r.ns",
            "'sequence'::text, r.relname, s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcycle",
            "rel r JOIN pg_catalog.pg_sequence s ON s.seqrelid = r.oid WHERE r.relkind = 'S'",
        ),
        (
            "r.ns",
            "'trigger'::text, replace(pg_catalog.pg_get_triggerdef(t.oid), n.prefix, '')",
            "rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal",
        ),
        (
            "r.ns",
            """'policy'::text, r.relname, p.polname, p.polcmd, p.polpermissive, p.polroles,
            replace(pg_catalog.pg_get_expr(p.polqual, p.polrelid), n.prefix, ''),
            replace(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), n.prefix, '')""",
            "rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid",
        ),
        (
            "r.ns",
            "'view'::text, r.relname, replace(pg_catalog.pg_get_viewdef(r.oid), n.prefix, '')",
            "rel r JOIN ns n ON n.oid = r.ns WHERE r.relkind IN ('v', 'm')",
        ),
        (
            "n.oid",
            "'function'::text, p.proname, replace(pg_catalog.pg_get_function_identity_arguments(p.oid), n.prefix, ''), p.prosrc, p.prokind",
            "ns n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid",
        ),
        (
            "n.oid",
            """'type'::text, t.typname, t.typtype, t.typnotnull,
            (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)""",
            "ns n JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typtype IN ('e', 'd', 'r')",
        ),
    ],
}

PARTS = tuple(_PARTS)


def read_part(cursor: Any, part: str, schemas: Sequence[str], server_version: int) -> dict[str, tuple[int, int]]:
    """One part of the fingerprint of each schema that exists: how many things there are, and the sum of their hashes.

    In one pass over the catalog for all schemas: a pass for some of them would cost nearly as much.
    """
    branches = " UNION ALL ".join(
        f"SELECT {ns} AS ns, {_hash(columns, server_version)} AS h FROM {source}"
        for ns, columns, source in _PARTS[part]
    )
    sql = (
        f"{_RELATIONS}, part AS ({branches})"
        " SELECT ns.nspname, count(part.h), coalesce(sum(part.h), 0) FROM ns LEFT JOIN part ON part.ns = ns.oid GROUP BY ns.nspname"
    )
    cursor.execute("SET jit = off")
    cursor.execute(sql, {"schemas": list(schemas)})
    return {schema: (count, int(total)) for schema, count, total in cursor.fetchall()}


def _hash(columns: str, server_version: int) -> str:
    if server_version >= _RECORD_HASH_VERSION:
        return f"hash_record_extended(ROW({columns}), 0)"
    return f"hashtextextended(concat_ws('|', {columns}), 0)"


def fingerprints(parts: Iterable[Mapping[str, tuple[int, int]]]) -> dict[str, str]:
    """The fingerprint of each schema, put together of its parts. Pure.

    It covers tables, columns (type, nullability, default, identity, order), constraints, indexes, sequences,
    triggers, policies, views, functions and types.
    """
    found: dict[str, list[str]] = {}
    for part in parts:
        for schema, (count, total) in part.items():
            found.setdefault(schema, []).append(f"{count}:{total}")
    return {schema: "/".join(texts) for schema, texts in found.items()}


def fingerprint_of(connection: Any, schema: str) -> str:
    """The fingerprint of one schema."""
    with connection.cursor() as cursor:
        return fingerprints(read_part(cursor, part, [schema], connection.pg_version) for part in PARTS)[schema]
