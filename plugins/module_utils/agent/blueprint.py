# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The statements that make the structure of some schemas again, read from the catalog in two passes.

Names are quoted and qualified by the server itself, since the search path is empty while it prints them.
"""

from __future__ import annotations

from typing import Any, Iterable, List, NamedTuple, Sequence


class Statement(NamedTuple):
    """A statement, and the schema whose structure it belongs to."""

    schema: str
    sql: str


Statements = List[Statement]

# What belongs to an extension comes with it, and is not for us to make.
_COMMON = """
WITH ns AS MATERIALIZED (
    SELECT oid, nspname, quote_ident(nspname) || '.' AS prefix FROM pg_namespace WHERE nspname = ANY(%(schemas)s)
), rel AS MATERIALIZED (
    SELECT c.*, n.nspname, n.prefix || quote_ident(c.relname) AS name,
        EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AND NOT c.relispartition AS inherits,
        (SELECT ' WITH (' || string_agg(split_part(o, '=', 1) || '=' || quote_literal(substr(o, strpos(o, '=') + 1)), ', ') || ')'
            FROM unnest(c.reloptions) o) AS options
    FROM pg_class c JOIN ns n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
)
"""

_COLLATE = """
coalesce((SELECT ' COLLATE ' || quote_ident(l.nspname) || '.' || quote_ident(o.collname)
    FROM pg_collation o JOIN pg_namespace l ON l.oid = o.collnamespace, pg_type b
    WHERE o.oid = {collation} AND b.oid = {type} AND {collation} <> b.typcollation), '')
"""

_SEQUENCE = """
' START WITH ' || {s}.seqstart || ' INCREMENT BY ' || {s}.seqincrement || ' MINVALUE ' || {s}.seqmin || ' MAXVALUE ' || {s}.seqmax
|| ' CACHE ' || {s}.seqcache || CASE WHEN {s}.seqcycle THEN ' CYCLE' ELSE '' END
"""

_COLUMN = f"""
quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) || {_COLLATE.format(collation="a.attcollation", type="a.atttypid")}
|| CASE WHEN a.attgenerated <> '' THEN (
    SELECT ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || CASE a.attgenerated WHEN 'v' THEN ') VIRTUAL' ELSE ') STORED' END
    FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) ELSE '' END
|| CASE WHEN a.attidentity <> '' AND NOT r.relispartition THEN coalesce((
    SELECT ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY (SEQUENCE NAME '
        || i.oid::regclass || {_SEQUENCE.format(s="q")} || ')'
    FROM pg_depend p JOIN pg_class i ON i.oid = p.objid AND i.relkind = 'S' JOIN pg_sequence q ON q.seqrelid = i.oid
    WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
    AND p.refobjid = r.oid AND p.refobjsubid = a.attnum AND p.deptype = 'i'), '') ELSE '' END
|| CASE WHEN a.attnotnull THEN coalesce((
    SELECT CASE WHEN NOT k.convalidated THEN '' ELSE ' CONSTRAINT ' || quote_ident(k.conname) || ' NOT NULL'
        || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END END
    FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]), ' NOT NULL') ELSE '' END
"""

# By oid, which is the order in which things were made, and so nearly always one in which they can be made again.
_BEFORE = f"""
SELECT 1 AS phase, t.oid::bigint AS rank, n.nspname, 'CREATE TYPE ' || n.prefix || quote_ident(t.typname) || ' AS ENUM ('
    || coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '') || ')' AS sql
FROM own_type t JOIN ns n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
UNION ALL
SELECT 1, t.oid::bigint, n.nspname, 'CREATE DOMAIN ' || n.prefix || quote_ident(t.typname) || ' AS ' || format_type(t.typbasetype, t.typtypmod)
    || {_COLLATE.format(collation="t.typcollation", type="t.typbasetype")}
    || coalesce(' DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)), '')
    || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
    || coalesce((SELECT string_agg(' CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), '' ORDER BY k.oid)
        FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated), '')
FROM own_type t JOIN ns n ON n.oid = t.typnamespace WHERE t.typtype = 'd'
UNION ALL
SELECT 1, t.oid::bigint, n.nspname, 'CREATE TYPE ' || n.prefix || quote_ident(t.typname) || ' AS RANGE (SUBTYPE = ' || format_type(g.rngsubtype, NULL)
    || coalesce(', SUBTYPE_DIFF = ' || (SELECT quote_ident(l.nspname) || '.' || quote_ident(p.proname)
        FROM pg_proc p JOIN pg_namespace l ON l.oid = p.pronamespace WHERE p.oid = g.rngsubdiff), '') || ')'
FROM own_type t JOIN ns n ON n.oid = t.typnamespace JOIN pg_range g ON g.rngtypid = t.oid WHERE t.typtype = 'r'
UNION ALL
SELECT 1, t.oid::bigint, r.nspname, 'CREATE TYPE ' || r.name || ' AS (' || coalesce((
    SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
        || {_COLLATE.format(collation="a.attcollation", type="a.atttypid")}, ', ' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'
FROM rel r JOIN own_type t ON t.typrelid = r.oid WHERE r.relkind = 'c'
UNION ALL
SELECT 1, o.oid::bigint, n.nspname, 'CREATE COLLATION ' || n.prefix || quote_ident(o.collname) || ' ('
    || CASE j.o ->> 'collprovider' WHEN 'c' THEN
        'provider = libc, lc_collate = ' || quote_literal(j.o ->> 'collcollate') || ', lc_ctype = ' || quote_literal(j.o ->> 'collctype')
        ELSE CASE j.o ->> 'collprovider' WHEN 'b' THEN 'provider = builtin' ELSE 'provider = icu' END || ', locale = '
        || quote_literal(coalesce(j.o ->> 'colllocale', j.o ->> 'colliculocale', j.o ->> 'collcollate')) END
    || CASE WHEN j.o ->> 'collisdeterministic' = 'false' THEN ', deterministic = false' ELSE '' END
    || coalesce(', rules = ' || quote_literal(j.o ->> 'collicurules'), '') || ')'
FROM pg_collation o JOIN ns n ON n.oid = o.collnamespace, LATERAL (SELECT to_jsonb(o) AS o) j
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_collation'::regclass AND e.objid = o.oid AND e.deptype = 'e')
UNION ALL
SELECT 1, p.oid::bigint, n.nspname, pg_get_functiondef(p.oid)
FROM pg_proc p JOIN ns n ON n.oid = p.pronamespace WHERE p.prokind <> 'a'
AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
UNION ALL
SELECT 1, r.oid::bigint, r.nspname, 'CREATE SEQUENCE ' || r.name || ' AS ' || format_type(s.seqtypid, NULL) || {_SEQUENCE.format(s="s")}
FROM rel r JOIN pg_sequence s ON s.seqrelid = r.oid
WHERE NOT EXISTS (SELECT FROM pg_depend p WHERE p.classid = 'pg_class'::regclass AND p.objid = r.oid AND p.deptype = 'i')
UNION ALL
SELECT 1, r.oid::bigint, r.nspname, 'CREATE ' || CASE r.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END || 'TABLE ' || r.name || ' ('
    || coalesce((SELECT string_agg({_COLUMN}, ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND (a.attislocal OR NOT r.inherits)), '') || ')'
    || CASE WHEN r.inherits THEN (SELECT ' INHERITS (' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) || ')'
        FROM pg_inherits i WHERE i.inhrelid = r.oid) ELSE '' END
    || CASE WHEN r.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(r.oid) ELSE '' END
    || coalesce((SELECT ' USING ' || quote_ident(m.amname) FROM pg_am m WHERE m.oid = r.relam AND m.amname <> 'heap'), '') || coalesce(r.options, '')
FROM rel r WHERE r.relkind IN ('r', 'p')
UNION ALL
SELECT 1, r.oid::bigint, r.nspname, CASE r.relkind
    WHEN 'v' THEN 'CREATE VIEW ' || r.name || coalesce(r.options, '') || ' AS ' || rtrim(pg_get_viewdef(r.oid), ';')
    ELSE 'CREATE MATERIALIZED VIEW ' || r.name || coalesce(r.options, '') || ' AS ' || rtrim(pg_get_viewdef(r.oid), ';') || ' WITH NO DATA' END
FROM rel r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 2, r.oid::bigint, r.nspname, 'ALTER TABLE ONLY ' || i.inhparent::regclass || ' ATTACH PARTITION ' || r.name || ' ' || pg_get_expr(r.relpartbound, r.oid)
FROM rel r JOIN pg_inherits i ON i.inhrelid = r.oid WHERE r.relispartition AND r.relkind IN ('r', 'p')
UNION ALL
SELECT 3, r.oid::bigint, r.nspname, 'ALTER TABLE ONLY ' || r.name || ' ' || string_agg(c.change, ', ' ORDER BY c.attnum)
FROM rel r JOIN (
    SELECT d.adrelid AS relid, a.attnum, 'ALTER ' || quote_ident(a.attname) || ' SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) AS change
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
    WHERE d.adrelid IN (SELECT oid FROM rel)
    UNION ALL
    SELECT r.oid, a.attnum, 'ALTER ' || quote_ident(a.attname) || ' SET NOT NULL'
    FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attislocal AND a.attnotnull
    WHERE r.inherits AND NOT EXISTS (SELECT FROM pg_constraint k
        WHERE k.conrelid = r.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.conislocal)
) c ON c.relid = r.oid WHERE r.relkind IN ('r', 'p', 'v') GROUP BY r.oid, r.nspname, r.name
UNION ALL
SELECT 4, r.oid::bigint, r.nspname, 'ALTER SEQUENCE ' || r.name || ' OWNED BY ' || p.refobjid::regclass || '.' || quote_ident(a.attname)
FROM rel r JOIN pg_depend p ON p.classid = 'pg_class'::regclass AND p.objid = r.oid AND p.refclassid = 'pg_class'::regclass AND p.deptype = 'a'
JOIN pg_attribute a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid
WHERE r.relkind = 'S'
"""

_AFTER = """
SELECT CASE k.contype WHEN 'n' THEN 1 WHEN 'c' THEN 1 WHEN 'f' THEN 5 ELSE 3 END AS phase, k.oid::bigint AS rank, r.nspname,
    'ALTER TABLE ' || CASE WHEN k.contype IN ('p', 'u', 'x') OR (k.contype = 'f' AND r.relkind = 'r') THEN 'ONLY ' ELSE '' END || r.name
    || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) AS sql
FROM rel r JOIN pg_constraint k ON k.conrelid = r.oid
WHERE (k.contype = 'c' AND k.conislocal) OR k.contype IN ('p', 'u', 'x') OR (k.contype = 'f' AND k.conparentid = 0) OR (k.contype = 'n' AND NOT k.convalidated)
UNION ALL
SELECT 2, x.indexrelid::bigint, r.nspname, pg_get_indexdef(x.indexrelid)
FROM rel r JOIN pg_index x ON x.indrelid = r.oid
WHERE (x.indisvalid OR r.relkind = 'p')
AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 4, i.inhrelid::bigint, r.nspname, 'ALTER INDEX ' || i.inhparent::regclass || ' ATTACH PARTITION ' || i.inhrelid::regclass
FROM rel r JOIN pg_inherits i ON i.inhrelid = r.oid WHERE r.relkind IN ('i', 'I')
UNION ALL
SELECT 6, s.oid::bigint, n.nspname, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s JOIN ns n ON n.oid = s.stxnamespace
UNION ALL
SELECT 7, w.oid::bigint, r.nspname, pg_get_ruledef(w.oid) FROM rel r JOIN pg_rewrite w ON w.ev_class = r.oid WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 8, t.oid::bigint, r.nspname, pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE
    '; ALTER TABLE ' || r.name || CASE t.tgenabled WHEN 'D' THEN ' DISABLE' WHEN 'A' THEN ' ENABLE ALWAYS' ELSE ' ENABLE REPLICA' END
    || ' TRIGGER ' || quote_ident(t.tgname) END
FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal AND coalesce(to_jsonb(t) ->> 'tgparentid', '0') = '0'
UNION ALL
SELECT 9, r.oid::bigint, r.nspname, 'ALTER TABLE ' || r.name || concat_ws(',',
    CASE WHEN r.relrowsecurity THEN ' ENABLE ROW LEVEL SECURITY' END, CASE WHEN r.relforcerowsecurity THEN ' FORCE ROW LEVEL SECURITY' END)
FROM rel r WHERE r.relrowsecurity OR r.relforcerowsecurity
UNION ALL
SELECT 9, p.oid::bigint, r.nspname, 'CREATE POLICY ' || quote_ident(p.polname) || ' ON ' || r.name
    || CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END
    || ' FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END
    || ' TO ' || coalesce((SELECT string_agg(quote_ident(o.rolname), ', ') FROM pg_roles o WHERE o.oid = ANY(p.polroles)), 'PUBLIC')
    || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
"""

_FILLED_VIEWS = """
SELECT r.nspname, 'REFRESH MATERIALIZED VIEW ' || r.name FROM rel r WHERE r.relkind = 'm' AND r.relispopulated ORDER BY r.oid
"""

_LEFT_OUT = """
SELECT kind, count(*) FROM (
    SELECT 'aggregates' AS kind, 'pg_proc'::regclass AS class, p.oid FROM pg_proc p WHERE p.prokind = 'a' AND p.pronamespace IN (SELECT oid FROM ns)
    UNION ALL SELECT 'operators', 'pg_operator'::regclass, o.oid FROM pg_operator o WHERE o.oprnamespace IN (SELECT oid FROM ns)
    UNION ALL SELECT 'operator classes', 'pg_opclass'::regclass, o.oid FROM pg_opclass o WHERE o.opcnamespace IN (SELECT oid FROM ns)
    UNION ALL SELECT 'text search configurations', 'pg_ts_config'::regclass, t.oid FROM pg_ts_config t WHERE t.cfgnamespace IN (SELECT oid FROM ns)
    UNION ALL SELECT 'text search dictionaries', 'pg_ts_dict'::regclass, t.oid FROM pg_ts_dict t WHERE t.dictnamespace IN (SELECT oid FROM ns)
    UNION ALL SELECT 'base types', 'pg_type'::regclass, t.oid FROM pg_type t WHERE t.typtype = 'b' AND t.typelem = 0 AND t.typnamespace IN (SELECT oid FROM ns)
    UNION ALL SELECT 'foreign tables', 'pg_class'::regclass, c.oid FROM pg_class c WHERE c.relkind = 'f' AND c.relnamespace IN (SELECT oid FROM ns)
) o WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.class AND e.objid = o.oid AND e.deptype = 'e') GROUP BY kind ORDER BY kind
"""

_OWN_TYPES = """
, own_type AS MATERIALIZED (
    SELECT t.* FROM pg_type t WHERE t.typnamespace IN (SELECT oid FROM ns)
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
)
"""


class Blueprint(NamedTuple):
    """What is made before the rows are there, what after them, and what can't be made this way, in words."""

    before: Statements
    after: Statements
    left_out: list[str]


def read_blueprint(cursor: Any, schemas: Sequence[str]) -> Blueprint:
    """The statements for these schemas, which have to exist where they run. In a transaction with an empty search path."""
    found: list[Statements] = []
    for common, query in ((_COMMON + _OWN_TYPES, _BEFORE), (_COMMON, _AFTER)):
        cursor.execute(
            f"{common} SELECT nspname, sql FROM ({query}) s ORDER BY phase, rank", {"schemas": list(schemas)}
        )
        found.append([Statement(schema, sql) for schema, sql in cursor.fetchall()])
    cursor.execute(_COMMON.partition(", rel AS")[0] + _LEFT_OUT, {"schemas": list(schemas)})
    return Blueprint(found[0], found[1], [f"{count} {kind}" for kind, count in cursor.fetchall()])


def read_refreshes(cursor: Any, schemas: Sequence[str]) -> Statements:
    """The statements that fill the materialized views which are filled."""
    cursor.execute(_COMMON + _FILLED_VIEWS, {"schemas": list(schemas)})
    return [Statement(schema, sql) for schema, sql in cursor.fetchall()]


def in_chunks(statements: Sequence[Statement], size: int) -> Iterable[Sequence[Statement]]:
    for start in range(0, len(statements), size):
        yield statements[start : start + size]
