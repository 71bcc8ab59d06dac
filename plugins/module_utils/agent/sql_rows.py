# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which rows the text of SQL statements deletes. Pure. Like sql_text no parser: what it does not see, it does not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Iterator, Sequence

from .sql_text import Token, statements

_OF_ROWS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"})
_IN_BLOCK = re.compile(r"\b(?:DELETE\s+FROM|TRUNCATE)\b[^;]*", re.IGNORECASE)


@dataclass(frozen=True)
class Deletion:
    """A statement that deletes rows of a table.

    :param condition: of which rows: empty for all, None where it can't be told from the text alone.
    :param sure: False in a block of code, which may do it or not.
    """

    table: str
    schema: str = ""
    condition: str | None = ""
    sure: bool = True


def deletions(text: str) -> list[Deletion]:
    """What a text deletes, in order."""
    return [found for tokens in statements(text) for found in _of_statement(text, tokens)]


def _of_statement(text: str, tokens: Sequence[Token]) -> Iterator[Deletion]:
    if _reads(tokens, 0, "DO"):
        for token in tokens:
            if token.kind == "body":
                for part in _IN_BLOCK.findall(token.raw):
                    yield from (replace(found, condition=None, sure=False) for found in deletions(part))
    elif _reads(tokens, 0, "TRUNCATE"):
        at = 2 if _reads(tokens, 1, "TABLE") else 1
        while at < len(tokens):
            at += _reads(tokens, at, "ONLY")
            schema, table, at = _name(tokens, at)
            yield Deletion(table, schema)
            at += _reads(tokens, at, "*")
            if not _reads(tokens, at, ","):
                return
            at += 1
    elif not _reads(tokens, 0, "CREATE"):
        for at in range(len(tokens)):
            if _reads(tokens, at, "DELETE", "FROM"):
                schema, table, end = _name(tokens, at + 2 + _reads(tokens, at + 2, "ONLY"))
                alone = at == 0
                yield Deletion(table, schema, _condition(text, tokens[end:]) if alone else None)


def _condition(text: str, rest: Sequence[Token]) -> str | None:
    """What follows WHERE, as it stands in the text; None with an alias, USING, or values that are filled in elsewhere."""
    if not rest:
        return ""
    returning = next(
        (at for at, token in enumerate(rest) if token.kind == "word" and token.text == "RETURNING"), len(rest)
    )
    said = rest[:returning]
    if not said:
        return ""
    if not _reads(said, 0, "WHERE") or len(said) < 2 or any(token.kind == "gap" for token in said):
        return None
    return text[said[1].at : said[-1].at + len(said[-1].raw)]


def _name(tokens: Sequence[Token], at: int) -> tuple[str, str, int]:
    """A name that may stand behind that of a schema, and where it ends; empty where the text has a gap to be filled in."""
    parts: list[str] = []
    while at < len(tokens) and tokens[at].kind in ("word", "quoted"):
        parts.append(tokens[at].name)
        at += 1
        if not _reads(tokens, at, "."):
            break
        at += 1
    return "".join(parts[-2:-1]), parts[-1] if parts else "", at


def _reads(tokens: Sequence[Token], at: int, *words: str) -> bool:
    coming = tokens[at : at + len(words)]
    return len(coming) == len(words) and all(
        token.text == word and token.kind != "quoted" for token, word in zip(coming, words)
    )


def names_with_rows(text: str) -> set[str]:
    """Every name in the statements of a text that read or write rows."""
    return {
        token.name
        for tokens in statements(text)
        if tokens[0].text in _OF_ROWS
        for token in tokens
        if token.kind in ("word", "quoted")
    }
