# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read small tables of many schemas whole. COPY opens a table alone, where a SELECT is planned and opens all its indexes as well.

The opening is what costs: each session has to read a relation's catalog rows before it can touch it for the first time.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, Iterator, Sequence

from .messages import send, speaks_libpq

# A statement's locks are held until its message ends, and a message brings its answers in one go.
_STATEMENTS_A_MESSAGE = 40

# As COPY writes in its text format (PostgreSQL, COPY, File Formats).
_ESCAPE = re.compile(r"\\(.)")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def copied(connection: Any, statements: Sequence[str]) -> Iterator[bytes]:
    """What each ``COPY … TO STDOUT`` has to say, in their order, in the text format. A few are read ahead.

    :raises django.db.Error: the server refused one.
    """
    connection.ensure_connection()
    raw = connection.connection
    for start in range(0, len(statements), _STATEMENTS_A_MESSAGE):
        some = statements[start : start + _STATEMENTS_A_MESSAGE]
        with connection.wrap_database_errors:
            texts = (
                send(raw, ";".join(some)) if speaks_libpq(raw) else [_by_psycopg2(raw, statement) for statement in some]
            )
        yield from texts


def _by_psycopg2(raw: Any, statement: str) -> bytes:
    with raw.cursor() as cursor:
        target = BytesIO()
        cursor.copy_expert(statement, target)
        return target.getvalue()


def rows_of(text: bytes) -> list[tuple[str, ...]]:
    """The rows that COPY wrote, none of them with a NULL in it. Pure."""
    lines = text.decode().split("\n")[:-1]
    if b"\\" not in text:
        return [tuple(line.split("\t")) for line in lines]
    return [tuple(_ESCAPE.sub(_unescaped, value) for value in line.split("\t")) for line in lines]


def _unescaped(found: re.Match[str]) -> str:
    letter = found.group(1)
    return _LETTERS.get(letter, letter)
