# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which failures of a rehearsal need not happen in the real database, since the scratch one differs from it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping

# Classes of SQLSTATE (PostgreSQL, Appendix A) that tell of the server and its surroundings, not of the statement.
_SURROUNDINGS = {
    "08": "a connection failed",
    "53": "the server ran out of room, memory or connections",
    "57": "the server ended the statement",
    "58": "the server's own files failed",
    "HV": "it reaches a foreign server",
    "3D": "it reaches another database",
}
_LOCKS = ("55P03", "40P01", "40001")
_READ_ONLY = "25006"
_NO_RIGHT = "42501"
# What is named is not there: perhaps something that only the scratch database lacks.
_UNDEFINED = frozenset({"42P01", "42703", "42704", "42883", "3F000", "42P02"})
# What a driver without SQLSTATE says of a connection that may only read (SQLite, MySQL).
_READ_ONLY_WORDS = ("readonly database", "READ ONLY transaction")
# Errors that depend on rows: Python's own, RAISE in PL/pgSQL, and the classes of values and of constraints.
_ROWS = ("P0", "21", "22", "23")
_FOREIGN_KEY = "23503"

# In the server's message, in whatever language: a name in quotes, or a function's before its arguments.
_NAMES = re.compile(r'"(?:[^".]*\.)?([^"]+)"|([\w$]+)\(')
_WORDS = re.compile(r"[\w$]+")
_EXTENSION = re.compile(r'\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?([\w-]+)"?', re.IGNORECASE)
_CHANGES_ROWS = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)

_BEYOND = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER(?!\s+MAPPING)|GROUP|DATABASE|TABLESPACE|SUBSCRIPTION)\b"
    r"|\bALTER\s+SYSTEM\b|\bCOMMENT\s+ON\s+(?:ROLE|DATABASE|TABLESPACE)\b|\bREASSIGN\s+OWNED\b|\bTO\s+PROGRAM\b",
    re.IGNORECASE,
)

_LITERAL = re.compile(r"'(?:[^']|'')*'")
# Where a literal may be code.
_RUNS_TEXT = re.compile(r"\b(?:DO|EXECUTE|FUNCTION|PROCEDURE)\b", re.IGNORECASE)


def is_beyond(statement: str) -> bool:
    """Whether a statement may have an effect on the whole server: it is left out of a rehearsal."""
    if not _BEYOND.search(statement):
        return False
    return bool(_RUNS_TEXT.search(statement) or _BEYOND.search(_LITERAL.sub("''", statement)))


@dataclass
class Circumstances:
    """What was different for one schema in the rehearsal.

    :param missing_extensions: those that the real database has and the scratch one lacks.
    :param notices: what else could not be made there.
    :param left_out: statements that were not run.
    :param entered: schemas that were entered and have a copy of another's tables only.
    :param incomplete: whether the real database has rows that the scratch one lacks.
    :param read: tables that were read, and hold rows in the real database that are not in the scratch one.
    """

    missing_extensions: frozenset[str] = frozenset()
    notices: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)
    incomplete: bool = False
    read: list[str] = field(default_factory=list)


def doubt(failure: Mapping[str, Any], seen: Circumstances) -> str | None:
    """Why a failure may be the scratch database's alone, in a few words; None where the real one would fail as well.

    :param failure: ``message``, ``sqlstate`` and ``statement``.
    """
    code, statement = failure.get("sqlstate") or "", failure.get("statement") or ""
    message = str(failure.get("message") or "")
    if "KeptAway" in message:
        return "it wants something that a rehearsal keeps away"
    if code == _READ_ONLY or any(words in message for words in _READ_ONLY_WORDS):
        return "it writes to another database, which a rehearsal keeps away"
    extension = _EXTENSION.search(statement)
    if extension:
        if extension[1] in seen.missing_extensions:
            return f"the role may not create the extension {extension[1]} that the real database has"
        # Whoever may not make it here, in a database of its own, may not make it there.
        return _SURROUNDINGS.get(code[:2]) if code[:2] in ("53", "57") else None
    if code[:2] in _SURROUNDINGS:
        return _SURROUNDINGS[code[:2]]
    if code in _LOCKS:
        return "somebody held a lock"
    if code == _NO_RIGHT and not _CHANGES_ROWS.match(statement):
        # Refused rows are another matter: it is a policy that refuses them, and that is the same in both.
        return "a right is missing in the scratch database"
    return _not_made(code, message, seen) or _lacking(code, seen)


def _not_made(code: str, message: str, seen: Circumstances) -> str | None:
    """What is missed is named among what could not be made."""
    names = {one or other for one, other in _NAMES.findall(message)} if code in _UNDEFINED else set()
    found = next((notice for notice in seen.notices if names.intersection(_WORDS.findall(notice))), None)
    return f"the scratch database is not quite as the real one: {found.rstrip('.')}" if found else None


def _lacking(code: str, seen: Circumstances) -> str | None:
    if code in _UNDEFINED or not code:
        if seen.missing_extensions:
            return f"the scratch database lacks the extension {', '.join(sorted(seen.missing_extensions))}"
        if seen.left_out:
            return f"a statement for the whole server was left out: {seen.left_out[0]}"
        if seen.entered:
            return f"it enters the schema {seen.entered[0]}, of which only the tables were there"
    by_rows = not code or code[:2] in _ROWS
    if by_rows and seen.read:
        return f"it reads {seen.read[0]}, whose rows are not all in the scratch database; rehearse_rows copies some"
    if code == _FOREIGN_KEY and seen.incomplete:
        return "the rows that a foreign key points at are not all in the scratch database"
    return None
