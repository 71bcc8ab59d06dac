# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The structure of the real database, made again in the scratch one: extensions, schemas, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Sequence

from . import pg_dump
from .blueprint import Blueprint, Statement, in_chunks, read_blueprint
from .database import first_line, quoted
from .fleet import RECORDER_TABLE, read_tenants
from .scratch import CannotRehearse
from .scratch_session import transaction
from .structure import difference, read_structures

if TYPE_CHECKING:
    from .loading import Context

# All the locks of a transaction have to find room in the server's lock table.
_STATEMENTS_A_TRANSACTION = 50
_SHOWN = 3
# Of 400 tenants with 40 tables each pg_dump took 1.7 s for two schemas, the catalog way 0.5 s; of three tenants 0.05 s both.
MANY_RELATIONS = 20_000

_SCHEMAS = """
SELECT n.nspname,
    EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = %s AND c.relkind IN ('r', 'p')),
    EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e'),
    pg_catalog.has_schema_privilege(n.oid, 'USAGE')
FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY n.oid
"""

_EXTENSIONS = """
SELECT e.extname, n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY e.oid
"""

_ANYTHING = """
WITH ns AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY(%(schemas)s))
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace IN (SELECT oid FROM ns))
    OR EXISTS (SELECT FROM pg_catalog.pg_type WHERE typnamespace IN (SELECT oid FROM ns))
    OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace IN (SELECT oid FROM ns))
"""


@dataclass
class Schemas:
    """The schemas that are copied: those that were asked for, and those that are no tenant's."""

    wanted: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    # Made by an extension, and with it.
    of_extensions: set[str] = field(default_factory=set)

    @property
    def all(self) -> list[str]:
        return self.wanted + self.others

    @property
    def to_make(self) -> list[str]:
        return [name for name in self.all if name not in self.of_extensions]


class Comparison(NamedTuple):
    """Tables that are not in the scratch database (schema and name), and all that differs, in sentences."""

    lost: list[tuple[str, str]]
    notices: list[str]


class Failed(NamedTuple):
    """A statement that did not succeed, and what the server said."""

    statement: Statement
    message: str


def read_schemas(context: Context, cursor: Any, wanted: Sequence[str]) -> Schemas:
    """Which schemas to copy. A tenant's is known by its row, or by its recorder."""
    tenants = {row.key for row in read_tenants(context)} if context.tenancy.by_schema else set()
    cursor.execute(_SCHEMAS, [RECORDER_TABLE])
    found = Schemas()
    for name, has_recorder, of_extension, usable in cursor.fetchall():
        if of_extension:
            found.of_extensions.add(name)
        if name in wanted:
            found.wanted.append(name)
        elif usable and name not in tenants and not has_recorder:
            found.others.append(name)
    return found


def holds_anything(cursor: Any, schemas: Sequence[str]) -> bool:
    """Whether there is anything in these schemas at all, extensions' own things included."""
    cursor.execute(_ANYTHING, {"schemas": list(schemas)})
    return bool(cursor.fetchone()[0])


def make_extensions(real: Any, scratch: Any, schemas: Schemas, error_class: type[Exception]) -> list[Failed]:
    """Make the schemas and the extensions of the real database in the scratch one; the extensions that can't be made."""
    for schema in schemas.to_make:
        scratch.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    real.execute(_EXTENSIONS)
    wanted = real.fetchall()
    scratch.execute(_EXTENSIONS)
    there = {name for name, schema in scratch.fetchall()}
    failed = []
    for name, schema in wanted:
        if name in there:
            continue
        sql = f"CREATE EXTENSION IF NOT EXISTS {quoted(name)} SCHEMA {quoted(schema)} CASCADE"
        try:
            if schema not in schemas.all and schema not in schemas.of_extensions and not schema.startswith("pg_"):
                scratch.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            scratch.execute(sql)
        except error_class as error:
            failed.append(Failed(Statement(name, sql), first_line(error)))
    return failed


def read_statements(real: Any, raw: Any, role: str | None, schemas: Sequence[str], notices: list[str]) -> Blueprint:
    """The statements that make the structure: pg_dump's, where there is one for this server, else our own.

    pg_dump reads the whole catalog whatever it is asked for, so of a large fleet ours are taken where they make everything.
    """
    real.execute(
        "SELECT pg_catalog.current_setting('server_version_num')::int / 10000,"
        " (SELECT count(*) FROM (SELECT FROM pg_catalog.pg_class LIMIT %s) c)",
        [MANY_RELATIONS],
    )
    major, relations = real.fetchone()
    ours = _read_ours(real, schemas) if relations >= MANY_RELATIONS else None
    if ours and not ours.left_out:
        return ours
    program = pg_dump.find_program(major)
    if program:
        try:
            return pg_dump.parts(pg_dump.dump(program, raw, role, schemas))
        except pg_dump.DumpFailed as error:
            notices.append(f"pg_dump does not write the structure ({error}); it was read from the catalog instead.")
    return ours or _read_ours(real, schemas)


def _read_ours(real: Any, schemas: Sequence[str]) -> Blueprint:
    with transaction(real, "BEGIN READ ONLY"):
        return read_blueprint(real, schemas)


def run(cursor: Any, statements: Sequence[Statement], error_class: type[Exception]) -> list[Failed]:
    """Run the statements, many in one transaction; those that fail again after the others, which may be what they wait for.

    :returns: what failed to the last.
    """
    failed: list[Failed] = []
    for chunk in in_chunks(statements, _STATEMENTS_A_TRANSACTION):
        try:
            with transaction(cursor):
                cursor.execute(";\n".join(statement.sql for statement in chunk))
        except error_class:
            failed += _one_by_one(cursor, chunk, error_class)
    while failed:
        still = _one_by_one(cursor, [each.statement for each in failed], error_class)
        if len(still) == len(failed):
            return still
        failed = still
    return []


def _one_by_one(cursor: Any, statements: Sequence[Statement], error_class: type[Exception]) -> list[Failed]:
    failed: list[Failed] = []
    for statement in statements:
        try:
            with transaction(cursor):
                cursor.execute(statement.sql)
        except error_class as error:
            failed.append(Failed(statement, first_line(error)))
    return failed


def require_tables(
    failed: Sequence[Failed], comparison: Comparison, missing: Sequence[Failed], left_out: Sequence[str]
) -> list[str]:
    """See that every table of the schemas that were asked for is there; what else failed is only told.

    :param missing: the extensions that could not be made, which may well be the cause, as may what is left out.
    :returns: notices.
    :raises CannotRehearse: a table is not there.
    """
    if comparison.lost:
        schema, table = comparison.lost[0]
        why = next(
            (each.message for each in failed if each.statement.schema == schema), "it is of a kind that is not copied"
        )
        raise CannotRehearse(
            f"The table {schema}.{table} can't be made in a scratch database: {why}",
            hint=_extension_hint(missing),
            notice=bool(missing or left_out),
        )
    notices = [
        f"Not everything of the schema {each.statement.schema!r} is in the scratch database: {each.message}"
        for each in failed
    ]
    return notices[:_SHOWN] + comparison.notices


def _extension_hint(missing: Sequence[Failed]) -> str | None:
    if not missing:
        return None
    names = ", ".join(each.statement.schema for each in missing)
    return f"The cause may be an extension that the role may not create there ({names}): rehearse with a role that may, or without a scratch database."


def compare(real: Any, scratch: Any, schemas: Sequence[str]) -> Comparison:
    """What is not alike in both."""
    sides = []
    for raw in (real, scratch):
        with raw.cursor() as cursor, transaction(cursor, "BEGIN READ ONLY"):
            sides.append(read_structures(raw, schemas))
    found = Comparison([], [])
    for schema in schemas:
        # An index that an interrupted CREATE INDEX CONCURRENTLY has left is not copied.
        places = {
            place: left
            for place, (left, right) in difference(sides[0][schema], sides[1][schema]).items()
            if not (right is None and left and left.endswith(" INVALID"))
        }
        found.lost.extend(
            (schema, table)
            for (table, kind, name), left in places.items()
            if kind == "relation" and left and left[0] in "rp"
        )
        if places:
            shown = ", ".join(" ".join(filter(None, place)) for place in list(places)[:_SHOWN])
            more = " …" if len(places) > _SHOWN else ""
            found.notices.append(
                f"The copy of the schema {schema!r} is not like it in {len(places)} places: {shown}{more}"
            )
    return found
