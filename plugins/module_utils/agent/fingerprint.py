# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One number for the structure of a schema: equal where every statement does the same thing, read for many schemas at once."""

from __future__ import annotations

from typing import Any, Sequence

# Raw catalog columns as far as they are comparable between schemas: names, numbers of columns, and oids of what all schemas share.
# What belongs to the schema itself goes in by name. Only what is rare is printed by the server (pg_get_*).
_FINGERPRINT = """
WITH ns AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)
), rel AS (
    SELECT c.oid, c.relnamespace AS ns, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relpersistence
    FROM pg_catalog.pg_class c WHERE c.relnamespace IN (SELECT oid FROM ns) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
), part AS (
    SELECT ns, hashtextextended(concat_ws('|', 'relation', relname, relkind, relrowsecurity, relforcerowsecurity, relispartition, relpersistence), 0) AS h
    FROM rel
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'column', r.relname, a.attnum, a.attname,
        CASE WHEN a.atttypid < 16384 THEN a.atttypid::text ELSE
            (SELECT CASE WHEN t.typnamespace = r.ns THEN '.' || t.typname ELSE t.oid::text END FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) END,
        a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
        CASE WHEN a.attcollation < 16384 THEN a.attcollation::text ELSE
            (SELECT CASE WHEN o.collnamespace = r.ns THEN '.' || o.collname ELSE o.oid::text END
             FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END,
        CASE WHEN a.atthasdef THEN (SELECT replace(pg_catalog.pg_get_expr(d.adbin, d.adrelid), quote_ident(n.nspname) || '.', '')
            FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) END), 0)
    FROM rel r JOIN ns n ON n.oid = r.ns
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relkind <> 'S'
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'constraint', r.relname, k.conname, k.contype, k.condeferrable, k.condeferred, k.convalidated,
        k.conkey, k.confkey, CASE WHEN f.relnamespace = r.ns THEN '.' || f.relname ELSE f.oid::text END,
        k.confupdtype, k.confdeltype, k.confmatchtype,
        CASE WHEN k.contype IN ('c', 'x') THEN replace(pg_catalog.pg_get_constraintdef(k.oid), quote_ident(n.nspname) || '.', '') END), 0)
    FROM rel r JOIN ns n ON n.oid = r.ns
    JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype <> 'n'
    LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'index', r.relname, i.relname, i.relam, x.indisunique, x.indisprimary, x.indimmediate, x.indisvalid,
        x.indkey, x.indoption, x.indnkeyatts,
        (SELECT string_agg(CASE WHEN v.oid < 16384 THEN v.oid::text END, ' ' ORDER BY v.n)
         FROM unnest(x.indclass::oid[] || x.indcollation::oid[]) WITH ORDINALITY AS v(oid, n)),
        CASE WHEN x.indexprs IS NOT NULL OR x.indpred IS NOT NULL
            OR EXISTS (SELECT FROM unnest(x.indclass::oid[] || x.indcollation::oid[]) AS v(oid) WHERE v.oid >= 16384)
            THEN replace(pg_catalog.pg_get_indexdef(x.indexrelid), quote_ident(n.nspname) || '.', '') END), 0)
    FROM rel r JOIN ns n ON n.oid = r.ns
    JOIN pg_catalog.pg_index x ON x.indrelid = r.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'sequence', r.relname, s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcycle), 0)
    FROM rel r JOIN pg_catalog.pg_sequence s ON s.seqrelid = r.oid WHERE r.relkind = 'S'
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'trigger', replace(pg_catalog.pg_get_triggerdef(t.oid), quote_ident(n.nspname) || '.', '')), 0)
    FROM rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'policy', r.relname, p.polname, p.polcmd, p.polpermissive, p.polroles,
        replace(pg_catalog.pg_get_expr(p.polqual, p.polrelid), quote_ident(n.nspname) || '.', ''),
        replace(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), quote_ident(n.nspname) || '.', '')), 0)
    FROM rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT r.ns, hashtextextended(concat_ws('|', 'view', r.relname, replace(pg_catalog.pg_get_viewdef(r.oid), quote_ident(n.nspname) || '.', '')), 0)
    FROM rel r JOIN ns n ON n.oid = r.ns WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT n.oid, hashtextextended(concat_ws('|', 'function', p.proname,
        replace(pg_catalog.pg_get_function_identity_arguments(p.oid), quote_ident(n.nspname) || '.', ''), p.prosrc, p.prokind), 0)
    FROM ns n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid
    UNION ALL
    SELECT n.oid, hashtextextended(concat_ws('|', 'type', t.typname, t.typtype, t.typnotnull,
        (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)), 0)
    FROM ns n JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typtype IN ('e', 'd', 'r')
)
SELECT ns.nspname, count(part.h), sum(part.h) FROM ns LEFT JOIN part ON part.ns = ns.oid GROUP BY ns.nspname
"""


def read_fingerprints(cursor: Any, schemas: Sequence[str]) -> dict[str, str]:
    """The fingerprint of each schema that exists, on a PostgreSQL server, in one pass over the catalog.

    It covers tables, columns (type, nullability, default, identity, order), constraints, indexes, sequences,
    triggers, policies, views, functions and types of the schema.
    """
    cursor.execute(_FINGERPRINT, [list(schemas)])
    return {schema: f"{parts}:{total}" for schema, parts, total in cursor.fetchall()}
