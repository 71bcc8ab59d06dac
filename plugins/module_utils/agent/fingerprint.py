# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One number for the structure of a schema: equal where every statement does the same thing, read for many schemas at once."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, NamedTuple, Sequence

# hash_record_extended came with PostgreSQL 14; before that the columns are put together as text.
_RECORD_HASH_VERSION = 140000

# Where the server prints a schema's name it does not count; the end of a longer name is not it ("public." is not the schema "ic").
_NAMESPACES = r"""
WITH ns AS MATERIALIZED (
    SELECT oid, nspname, quote_ident(nspname) || '.' AS prefix,
        '(?<![[:alnum:]_$]|[^\u0001-\u007f])' || regexp_replace(quote_ident(nspname), '([][(){}.*+?^$|\\-])', '\\\1', 'g') || '\.' AS pattern
    FROM pg_catalog.pg_namespace WHERE nspname = ANY(%(schemas)s)
)"""

_CLASS = "c.oid, c.relnamespace AS ns, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relpersistence"
_KINDS = "c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"

# Which relations are looked at: all of many schemas, in one pass over pg_class …
_ALL = f"""{_NAMESPACES}, rel AS MATERIALIZED (
    SELECT {_CLASS} FROM pg_catalog.pg_class c WHERE c.relnamespace IN (SELECT oid FROM ns) AND {_KINDS}
)"""

# … all of one schema, without such a pass: no index leads from a schema to its relations, but they all depend on it …
_OF_ONE = f"""{_NAMESPACES}, rel AS MATERIALIZED (
    SELECT {_CLASS} FROM ns
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = ns.oid
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid AND {_KINDS}
)"""

# … or some of many, and every view, since it may be a view of any table.
_SOME = f"""{_NAMESPACES}, rel AS MATERIALIZED (
    SELECT {_CLASS} FROM pg_catalog.pg_class c
    WHERE c.relname = ANY(%(relations)s) AND c.relnamespace IN (SELECT oid FROM ns) AND {_KINDS}
    UNION SELECT {_CLASS} FROM pg_catalog.pg_rewrite w
    JOIN pg_catalog.pg_class c ON c.oid = w.ev_class AND c.relkind IN ('v', 'm') WHERE c.relnamespace IN (SELECT oid FROM ns)
)"""

# What each relation, index included, is called, and the table whose it is.
_OWNERS = f"""{_OF_ONE} SELECT relname, relname, relkind IN ('v', 'm') FROM rel
UNION ALL SELECT i.relname, r.relname, false FROM rel r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
"""


def _less(definition: str) -> str:
    """What the server prints, with a mere point for the schema ``n``: what is its own is not what public has of that name.

    A pattern costs more than a look whether it is wanted.
    """
    return (
        """(SELECT CASE WHEN strpos(printed.text COLLATE "C", n.prefix) = 0 THEN printed.text"""
        """ ELSE regexp_replace(printed.text COLLATE "C", n.pattern, '.', 'g') END"""
        f" FROM (SELECT {definition} AS text OFFSET 0) printed)"
    )


class _Source(NamedTuple):
    """Things of one sort: their schema, the relation that they belong to, what is hashed of each, and where they are found."""

    schema: str
    relation: str
    columns: str
    found: str


# What is hashed: raw catalog columns as far as they are comparable between schemas, that is names, numbers of columns, and oids
# of what all schemas share. What belongs to the schema itself goes in by name, less the schema's. Only what is rare is printed
# by the server (pg_get_*). Two parts, so that two processes can read them side by side.
_PARTS: dict[str, list[_Source]] = {
    "columns": [
        _Source(
            "r.ns",
            "r.relname",
            f"""'column'::text, r.relname, a.attnum, a.attname,
            CASE WHEN a.atttypid < 16384 THEN a.atttypid::text ELSE
                (SELECT CASE WHEN t.typnamespace = r.ns THEN '.' || t.typname ELSE t.oid::text END
                 FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) END,
            a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
            CASE WHEN a.attcollation < 16384 THEN a.attcollation::text ELSE
                (SELECT CASE WHEN o.collnamespace = r.ns THEN '.' || o.collname ELSE o.oid::text END
                 FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END,
            CASE WHEN a.atthasdef THEN (SELECT {_less("pg_catalog.pg_get_expr(d.adbin, d.adrelid)")}
                FROM pg_catalog.pg_attrdef d, ns n WHERE n.oid = r.ns AND d.adrelid = a.attrelid AND d.adnum = a.attnum) END""",
            "rel r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE r.relkind <> 'S'",
        ),
    ],
    "others": [
        _Source(
            "r.ns",
            "r.relname",
            "'relation'::text, r.relname, r.relkind, r.relrowsecurity, r.relforcerowsecurity, r.relispartition, r.relpersistence",
            "rel r",
        ),
        _Source(
            "r.ns",
            "r.relname",
            f"""'constraint'::text, r.relname, k.conname, k.contype, k.condeferrable, k.condeferred, k.convalidated, k.conkey, k.confkey,
            CASE WHEN f.relnamespace = r.ns THEN '.' || f.relname ELSE f.oid::text END, k.confupdtype, k.confdeltype, k.confmatchtype,
            CASE WHEN k.contype IN ('c', 'x') THEN
                (SELECT {_less("pg_catalog.pg_get_constraintdef(k.oid)")} FROM ns n WHERE n.oid = r.ns) END""",
            "rel r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype <> 'n' LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid",
        ),
        _Source(
            "r.ns",
            "r.relname",
            f"""'index'::text, r.relname, i.relname, i.relam, x.indisunique, x.indisprimary, x.indimmediate, x.indisvalid, x.indkey::int2[],
            x.indclass::oid[], x.indoption::int2[], x.indnkeyatts,
            CASE WHEN 16384 > ALL (x.indcollation::oid[]) THEN x.indcollation::oid[] END,
            CASE WHEN x.indexprs IS NOT NULL OR x.indpred IS NOT NULL OR 16384 <= ANY (x.indcollation::oid[]) THEN
                (SELECT {_less("pg_catalog.pg_get_indexdef(x.indexrelid)")} FROM ns n WHERE n.oid = r.ns) END""",
            "rel r JOIN pg_catalog.pg_index x ON x.indrelid = r.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid",
        ),
        _Source(
            "r.ns",
            "r.relname",
            "'sequence'::text, r.relname, s.seqtypid, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcycle",
            "rel r JOIN pg_catalog.pg_sequence s ON s.seqrelid = r.oid WHERE r.relkind = 'S'",
        ),
        _Source(
            "r.ns",
            "r.relname",
            f"'trigger'::text, {_less('pg_catalog.pg_get_triggerdef(t.oid)')}",
            "rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal",
        ),
        _Source(
            "r.ns",
            "r.relname",
            f"""'policy'::text, r.relname, p.polname, p.polcmd, p.polpermissive, p.polroles,
            {_less("pg_catalog.pg_get_expr(p.polqual, p.polrelid)")}, {_less("pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)")}""",
            "rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid",
        ),
        _Source(
            "r.ns",
            "r.relname",
            f"'view'::text, r.relname, {_less('pg_catalog.pg_get_viewdef(r.oid)')}",
            "rel r JOIN ns n ON n.oid = r.ns WHERE r.relkind IN ('v', 'm')",
        ),
        _Source(
            "n.oid",
            "''",
            f"""'function'::text, p.proname, {_less("pg_catalog.pg_get_function_identity_arguments(p.oid)")}, p.prosrc, p.prokind""",
            "ns n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid",
        ),
        _Source(
            "n.oid",
            "''",
            """'type'::text, t.typname, t.typtype, t.typnotnull,
            (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)""",
            "ns n JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typtype IN ('e', 'd', 'r')",
        ),
    ],
}

PARTS = tuple(_PARTS)

# How a table hangs together with others that may not be looked at: who refers to it, who inherits from it, its rules.
_TIES = [
    _Source(
        "r.ns",
        "r.relname",
        """'referenced'::text, r.relname, k.conname, CASE WHEN o.relnamespace = r.ns THEN '.' || o.relname ELSE o.oid::text END,
        k.conkey, k.confkey, k.confupdtype, k.confdeltype, k.condeferrable, k.condeferred, k.convalidated""",
        # Through the triggers that a reference puts on this table: no index leads to a constraint from where it points to.
        "rel r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND t.tgisinternal"
        " JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint AND k.confrelid = r.oid JOIN pg_catalog.pg_class o ON o.oid = k.conrelid",
    ),
    _Source(
        "r.ns",
        "r.relname",
        "'child'::text, r.relname, i.inhseqno, CASE WHEN o.relnamespace = r.ns THEN '.' || o.relname ELSE o.oid::text END",
        "rel r JOIN pg_catalog.pg_inherits i ON i.inhparent = r.oid JOIN pg_catalog.pg_class o ON o.oid = i.inhrelid",
    ),
    _Source(
        "r.ns",
        "r.relname",
        f"'rule'::text, r.relname, {_less('pg_catalog.pg_get_ruledef(w.oid)')}",
        "rel r JOIN ns n ON n.oid = r.ns JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'",
    ),
]

_TIES_PART = "ties"
_WITH_TIES = {**_PARTS, _TIES_PART: _TIES}


class Print(NamedTuple):
    """How many things there are, and the sum of their hashes."""

    things: int = 0
    total: int = 0

    def __str__(self) -> str:
        return f"{self.things}:{self.total}"


class Relations(NamedTuple):
    """All of one schema: the prints of each relation by part, the table whose each relation is, and which are views.

    Under '' are the prints of its functions and types.
    """

    prints: dict[tuple[str, str], Print]
    owners: dict[str, str]
    views: frozenset[str]

    def part(self, part: str) -> Print:
        """What ``read_part`` gives."""
        return _sum(found for (relation, of), found in self.prints.items() if of == part)

    def some(self, relations: Iterable[str]) -> Print:
        """What ``read_some`` gives."""
        wanted = {"", *relations, *self.views}
        return _sum(found for (relation, of), found in self.prints.items() if relation in wanted)


def _sum(prints: Iterable[Print]) -> Print:
    found = list(prints)
    return Print(sum(one.things for one in found), sum(one.total for one in found))


def read_part(cursor: Any, part: str, schemas: Sequence[str], server_version: int) -> dict[str, Print]:
    """One part of the fingerprint of each schema that exists.

    In one pass over the catalog for all schemas: a pass for some of them would cost nearly as much.
    """
    relations = _OF_ONE if len(schemas) == 1 else _ALL
    sql = (
        f"{relations}, part AS ({_branches({part: _PARTS[part]}, server_version)})"
        " SELECT ns.nspname, count(part.h), coalesce(sum(part.h), 0) FROM ns LEFT JOIN part ON part.ns = ns.oid GROUP BY ns.nspname"
    )
    _execute(cursor, sql, {"schemas": list(schemas)})
    return {schema: Print(count, int(total)) for schema, count, total in cursor.fetchall()}


def read_some(
    cursor: Any, schemas: Sequence[str], relations: Iterable[str], needed: Iterable[str], server_version: int
) -> dict[str, tuple[Print, int]]:
    """The fingerprint of some relations in each schema that exists, and how many of the needed tables are there.

    With what ties them to other relations, and with the schema's views, functions and types.
    """
    sql = (
        f"{_SOME}, part AS ({_branches(_WITH_TIES, server_version)})"
        " SELECT ns.nspname, count(part.h), coalesce(sum(part.h), 0), (SELECT count(*) FROM pg_catalog.pg_class c"
        " WHERE c.relname = ANY(%(needed)s) AND c.relnamespace = ns.oid AND c.relkind IN ('r', 'p', 'f', 'v', 'm'))"
        " FROM ns LEFT JOIN part ON part.ns = ns.oid GROUP BY ns.nspname, ns.oid"
    )
    _execute(cursor, sql, {"schemas": list(schemas), "relations": list(relations), "needed": list(needed)})
    return {schema: (Print(count, int(total)), there) for schema, count, total, there in cursor.fetchall()}


def read_relations(cursor: Any, schema: str, server_version: int) -> Relations:
    """All relations of one schema."""
    sql = (
        f"{_OF_ONE}, found AS ({_branches(_WITH_TIES, server_version)})"
        " SELECT relation, part, count(h), sum(h) FROM found GROUP BY relation, part"
    )
    _execute(cursor, sql, {"schemas": [schema]})
    prints = {(relation, part): Print(count, int(total)) for relation, part, count, total in cursor.fetchall()}
    owners = read_owners(cursor, schema)
    views = frozenset(name for name, (_owner, is_view) in owners.items() if is_view)
    return Relations(prints, {name: owner for name, (owner, _is_view) in owners.items()}, views)


def read_owners(cursor: Any, schema: str) -> dict[str, tuple[str, bool]]:
    """Each relation of one schema, indexes included: the table whose it is, and whether it is a view."""
    _execute(cursor, _OWNERS, {"schemas": [schema]})
    return {name: (owner, is_view) for name, owner, is_view in cursor.fetchall()}


def _branches(parts: Mapping[str, Iterable[_Source]], server_version: int) -> str:
    return " UNION ALL ".join(
        f"SELECT {source.schema} AS ns, {source.relation} AS relation, '{part}' AS part,"
        f" {_hash(source.columns, server_version)} AS h FROM {source.found}"
        for part, sources in parts.items()
        for source in sources
    )


def _execute(cursor: Any, sql: str, params: Mapping[str, Any]) -> None:
    cursor.execute("SET jit = off")
    cursor.execute(sql, params)


def _hash(columns: str, server_version: int) -> str:
    if server_version >= _RECORD_HASH_VERSION:
        return f"hash_record_extended(ROW({columns}), 0)"
    return f"hashtextextended(concat_ws('|', {columns}), 0)"


def fingerprints(parts: Iterable[Mapping[str, Print]]) -> dict[str, str]:
    """The fingerprint of each schema, put together of its parts. Pure.

    It covers tables, columns (type, nullability, default, identity, order), constraints, indexes, sequences,
    triggers, policies, views, functions and types.
    """
    found: dict[str, list[str]] = {}
    for part in parts:
        for schema, found_there in part.items():
            found.setdefault(schema, []).append(str(found_there))
    return {schema: "/".join(texts) for schema, texts in found.items()}


def fingerprint_of(connection: Any, schema: str) -> str:
    """The fingerprint of one schema."""
    with connection.cursor() as cursor:
        return fingerprints(read_part(cursor, part, [schema], connection.pg_version) for part in PARTS)[schema]
