# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How many rows tables hold: what the catalog says, and counts that end early."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Iterable, NamedTuple, Sequence, Tuple

from .database import qualified, quoted

# A count ends here: more is "more than".
MOST = 10_000
# Tables in a statement: it holds a lock on each of them, and on their indexes, until it ends.
_TABLES_A_STATEMENT = 50
# Counting is worth this much time, a statement and all together; what is left is estimated.
_STATEMENT_MS = 100
_ALL_SECONDS = 0.25
# What a page holds of a table that nobody has analyzed yet.
_ROWS_A_PAGE = 50

# A schema and a table.
Place = Tuple[str, str]


class Rows(NamedTuple):
    """Rows to count.

    :param condition: what a row has to fulfil, as SQL without parameters.
    :param path: the search path that names in the condition are looked up in.
    """

    schema: str
    table: str
    condition: str = "1 = 1"
    path: tuple[str, ...] = ()


_SIZES = """
SELECT n.nspname, c.relname, c.reltuples, c.relpages, pg_catalog.pg_relation_size(c.oid), pg_catalog.pg_total_relation_size(c.oid),
    coalesce(pg_catalog.pg_stat_get_live_tuples(c.oid), 0), pg_catalog.current_setting('block_size')::int
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p', 'm')
"""


@dataclass(frozen=True)
class Size:
    """What the catalog says of a table: about how many rows, how many bytes with its indexes, and whether there is surely none."""

    rows: int
    total_bytes: int
    empty: bool


def read_sizes(connection: Any, schemas: Iterable[str], tables: Iterable[str]) -> dict[Place, Size]:
    """The sizes of tables in several schemas of a PostgreSQL database; those that are not there are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZES, [list(schemas), list(tables)])
        return {(schema, table): _size(*numbers) for schema, table, *numbers in cursor.fetchall()}


def _size(tuples: float, pages: int, size: int, total: int, live: int, block: int) -> Size:
    """As the planner reckons: the density when the table was last looked at, times the pages that it has now. Pure."""
    now = size // block
    rows = max(live, (now - 1) * _ROWS_A_PAGE, 0)
    if tuples > 0:
        # A partitioned table has no pages of its own.
        rows = int(tuples / pages * now) if pages and now else int(tuples)
    return Size(rows, total, empty=not size and not live and tuples <= 0)


def count_rows(connection: Any, wanted: Sequence[Rows]) -> dict[Rows, int]:
    """How many rows there are, counted up to one more than ``MOST``.

    Left out is a table that can't be read, or not whole (row-level security), and what takes too long.
    """
    known: dict[Rows, int] = {}
    end = time.monotonic() + _ALL_SECONDS
    together = [rows for rows in wanted if not rows.path]
    chunks = [together[start : start + _TABLES_A_STATEMENT] for start in range(0, len(together), _TABLES_A_STATEMENT)]
    for chunk in [*chunks, *([rows] for rows in wanted if rows.path)]:
        counted = _count(connection, chunk, end)
        if counted is None and len(chunk) > 1:
            counted = {}
            for rows in chunk:
                counted.update(_count(connection, [rows], end) or {})
        known.update(counted or {})
    return known


def _count(connection: Any, wanted: Sequence[Rows], end: float) -> dict[Rows, int] | None:
    """One statement's counts; None where it fails."""
    from django.db import Error, transaction

    if time.monotonic() > end:
        return None
    sql = " UNION ALL ".join(
        f"SELECT {number}, count(*) FROM (SELECT 1 FROM {qualified(connection, rows.schema, rows.table)}"
        f" WHERE {rows.condition} LIMIT {MOST + 1}) AS few"
        for number, rows in enumerate(wanted)
    )
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # A condition is the project's own text. And rows that a policy hides are to be an error, rather than none.
                cursor.execute("SET TRANSACTION READ ONLY; SET LOCAL row_security = off")
                cursor.execute(f"SET LOCAL statement_timeout = {_STATEMENT_MS}")
                if wanted[0].path:
                    cursor.execute("SET LOCAL search_path = " + ", ".join(map(quoted, wanted[0].path)))
            cursor.execute(sql)
            return {wanted[number]: count for number, count in cursor.fetchall()}
    except Error:
        return None


def rows_in_words(count: int) -> str:
    """A count as a sentence has it."""
    return "1 row" if count == 1 else f"{count:,} rows"


def count_in_words(count: int) -> str:
    """What ``count_rows`` has counted, as a sentence has it."""
    return f"more than {MOST:,} rows" if count > MOST else rows_in_words(count)


def bytes_in_words(size: int) -> str:
    """A size as people read it."""
    value, unit = float(size), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1024 or unit == "TB":
            break
        value /= 1024
    return f"{value:.0f} {unit}"
