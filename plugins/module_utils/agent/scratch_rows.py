# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Some rows of the real database for the scratch one: what migrations always read, a number of others, and all that these point at.

A row travels as the server's own text of it, so that no driver needs to know its types. No message says what is in one.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, ContextManager, Iterable, Iterator, NamedTuple, Sequence

from .database import sqlstate
from .fleet import RECORDER_TABLE
from .scratch_session import SETTINGS, transaction

if TYPE_CHECKING:
    from .scratch_structure import Schemas

ALWAYS = (RECORDER_TABLE, "django_content_type", "auth_permission", "auth_group", "django_site")

# A transaction keeps the locks on all that it has read, and the lock table is shared by all.
_STATEMENTS_A_TRANSACTION = 25
_ROWS_A_STATEMENT = 500
_BYTES_A_STATEMENT = 8 * 1024 * 1024
# Stands for a parameter while a statement is put together: no name can hold it.
_PARAMETER = "\0"

_TABLES = """
SELECT c.oid::bigint, n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relkind = 'r'
AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY c.oid
"""

# As they stand in the scratch database: where a table inherits, their order may be another one.
_COLUMNS = """
SELECT n.nspname, c.relname, array_agg(quote_ident(a.attname) ORDER BY a.attnum),
    array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = ANY(%s) AND c.relkind = 'r' GROUP BY c.oid, n.nspname, c.relname
"""

_REFERENCES = """
SELECT k.conrelid::bigint, CASE f.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || k.confrelid::regclass, (
    SELECT string_agg('parent.' || quote_ident(p.attname)
        || ' OPERATOR(' || quote_ident(l.nspname) || '.' || o.oprname || ') child.' || quote_ident(c.attname), ' AND ')
    FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS u(child, parent, operator)
    JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = u.child JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.parent
    JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace l ON l.oid = o.oprnamespace)
FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid WHERE k.contype = 'f' AND k.conrelid = ANY(%s::oid[])
"""

# Of a table that has never been analysed the number of rows is not known; a page holds at least one then.
_WIDTHS = """
SELECT c.oid::bigint, (pg_table_size(c.oid) / greatest(CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE c.relpages END, 1))::bigint
FROM pg_class c WHERE c.oid = ANY(%s::oid[])
"""

_SEQUENCES = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') ELSE false END
AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
"""

_SET_SEQUENCES = """
SELECT setval(to_regclass(s.name), s.value, s.called)
FROM unnest(%s::text[], %s::bigint[], %s::boolean[]) AS s(name, value, called) WHERE to_regclass(s.name) IS NOT NULL
"""


@dataclass
class Table:
    """A table of the real database, and which of its rows are wanted, by their place in it."""

    oid: int
    schema: str
    name: str
    quoted: str
    places: dict[str, None] = field(default_factory=dict)


class Reference(NamedTuple):
    """A foreign key: the table it leads to, and how the rows are joined."""

    parent: str
    join: str


class Snapshot:
    """One moment of the real database, read in many transactions, so that none holds many locks."""

    def __init__(self, real: Any, name: str, error_class: type[Exception]) -> None:
        self._cursor, self._error_class = real, error_class
        self._begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{name}'; {SETTINGS}"
        # How many statements the open transaction may still take; None: there is none.
        self._left: int | None = None
        self.problems: list[str] = []

    def read(self, sql: str, parameters: Sequence[Any] | None = None, table: Table | None = None) -> list[Any]:
        """The rows of a query. Where it is about one table and fails, that is told, and there are none."""
        if self._left == 0:
            self.close()
        if self._left is None:
            self._cursor.execute(self._begin)
            self._left = _STATEMENTS_A_TRANSACTION
        self._left -= 1
        try:
            self._cursor.execute(sql, parameters)
            return list(self._cursor.fetchall())
        except self._error_class as error:
            self._end("ROLLBACK")
            if table is None:
                raise
            self.problems.append(f"Rows of {table.quoted} could not be read (SQLSTATE {sqlstate(error)}).")
            return []

    def close(self) -> None:
        if self._left is not None:
            self._end("COMMIT")

    def _end(self, statement: str) -> None:
        self._left = None
        self._cursor.execute(statement)


@contextmanager
def snapshot(real: Any, session: Callable[[], ContextManager[Any]], error_class: type[Exception]) -> Iterator[Snapshot]:
    """The present moment. A second session keeps it, and holds no lock on a table."""
    with session() as raw, raw.cursor() as keeper, transaction(
        keeper, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    ):
        keeper.execute("SELECT pg_export_snapshot()")
        reader = Snapshot(real, keeper.fetchone()[0], error_class)
        yield reader
        reader.close()


def read_selection(reader: Snapshot, schemas: Schemas, in_public: Sequence[str], public: str, rows: int) -> list[Table]:
    """The tables, with the places of the rows to copy.

    :param in_public: tables of the public schema of which all rows are copied (those of tenants and domains).
    :param rows: up to so many rows of every other table of the schemas that were asked for.
    """
    tables = {oid: Table(oid, *columns) for oid, *columns in reader.read(_TABLES, [schemas.all])}
    references: dict[int, list[Reference]] = {}
    for oid, *columns in reader.read(_REFERENCES, [list(tables)]):
        references.setdefault(oid, []).append(Reference(*columns))
    queue: dict[int, None] = {}
    for oid, table in tables.items():
        whole = table.name in ALWAYS or (table.schema == public and table.name in in_public)
        if table.schema in schemas.wanted and (whole or rows):
            limit = "" if whole else f" LIMIT {int(rows)}"
            found = reader.read(f"SELECT ctid::text FROM ONLY {table.quoted}{limit}", table=table)
            table.places = dict.fromkeys(place for (place,) in found)
            queue[oid] = None
    while queue:
        oid = next(iter(queue))
        del queue[oid]
        for parent, place in _pointed_at(reader, tables[oid], references.get(oid, [])):
            if parent in tables and place not in tables[parent].places:
                tables[parent].places[place] = None
                queue[parent] = None
    return [table for table in tables.values() if table.places]


def _pointed_at(reader: Snapshot, table: Table, references: Iterable[Reference]) -> Iterator[tuple[int, str]]:
    """The rows that the chosen rows of a table point at: the table's oid, and the place."""
    for reference in references:
        for places in _chunks(list(table.places), _ROWS_A_STATEMENT):
            sql = (
                f"SELECT DISTINCT parent.tableoid::bigint, parent.ctid::text FROM {reference.parent} parent, ONLY {table.quoted} child"
                f" WHERE {reference.join} AND child.ctid = ANY({_PARAMETER})"
            )
            yield from reader.read(_with_parameter(sql, "tid[]"), [places], table)


def copy_rows(reader: Snapshot, scratch: Any, tables: Sequence[Table], error_class: type[Exception]) -> None:
    """Copy the chosen rows. The scratch database has no constraint, index or trigger yet that could object."""
    with transaction(scratch, "BEGIN READ ONLY"):
        scratch.execute(_COLUMNS, [[table.schema for table in tables]])
        columns = {(schema, name): (every, given) for schema, name, every, given in scratch.fetchall()}
    widths = dict(reader.read(_WIDTHS, [[table.oid for table in tables]]))
    for table in tables:
        every, given = columns.get((table.schema, table.name), ([], None))
        if not given:
            continue
        read, insert = _transfer(table.quoted, every, given)
        size = max(1, min(_ROWS_A_STATEMENT, _BYTES_A_STATEMENT // max(1, widths[table.oid])))
        for places in _chunks(list(table.places), size):
            texts = reader.read(read, [places], table)
            try:
                with transaction(scratch):
                    scratch.execute(insert, [[text for (text,) in texts]])
            except error_class as error:
                reader.problems.append(f"Rows of {table.quoted} could not be copied (SQLSTATE {sqlstate(error)}).")
                break


def _transfer(table: str, every: Sequence[str], given: Sequence[str]) -> tuple[str, str]:
    """The statements that read rows as texts, by their places, and that insert them. Pure.

    :param every: the quoted columns of the scratch database's table; ``given``: those of them that are not generated.
    """
    read = (
        f"SELECT copied::text FROM (SELECT {', '.join(every)} FROM ONLY {table} WHERE ctid = ANY({_PARAMETER})) copied"
    )
    fields = ", ".join(f"(copied.whole).{column}" for column in given)
    insert = (
        f"INSERT INTO {table} ({', '.join(given)}) OVERRIDING SYSTEM VALUE"
        f" SELECT {fields} FROM (SELECT unnest({_PARAMETER})::{table} AS whole) copied"
    )
    return _with_parameter(read, "tid[]"), _with_parameter(insert, "text[]")


def _with_parameter(sql: str, kind: str) -> str:
    """SQL for the driver, with its one parameter, and with whatever percent signs there are in names."""
    return sql.replace("%", "%%").replace(_PARAMETER, f"%s::{kind}")


def copy_sequences(reader: Snapshot, scratch: Any, schemas: Sequence[str]) -> None:
    """Let sequences and identity columns go on from where the real ones are."""
    names = [name for (name,) in reader.read(_SEQUENCES, [list(schemas)])]
    for chunk in _chunks(names, 2 * _STATEMENTS_A_TRANSACTION):
        parts = " UNION ALL ".join(f"SELECT %s, last_value, is_called FROM {name.replace('%', '%%')}" for name in chunk)
        values = reader.read(parts, chunk)
        with transaction(scratch):
            scratch.execute(_SET_SEQUENCES, [list(column) for column in zip(*values)])


def _chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
