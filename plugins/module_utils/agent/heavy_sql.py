# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which statements in a text hold a lock for as long as they read or rewrite a table. Pure. No parser: what it does not see, it does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Sequence

from .sql_text import Token, statements


@dataclass(frozen=True)
class HeavyStatement:
    """One of them.

    :param writes_only: only writers wait, not readers.
    :param not_null: the column that it sets to NOT NULL.
    """

    table: str
    does: str
    instead: str
    writes_only: bool = False
    not_null: str = ""


def heavy_statements(text: str) -> list[HeavyStatement]:
    """Those of a text, in order."""
    return [found for tokens in statements(text) for found in _of_statement(tokens)]


def _of_statement(tokens: Sequence[Token]) -> Iterator[HeavyStatement]:
    words = [token.text if token.kind != "quoted" else "" for token in tokens]
    if words[0] == "CREATE" and "INDEX" in words[:3] and "CONCURRENTLY" not in words and "ON" in words:
        at = words.index("ON") + 1
        yield HeavyStatement(
            _name(tokens, words, at)[0],
            "builds an index",
            "CREATE INDEX CONCURRENTLY, in a migration with atomic = False",
            True,
        )
    elif (
        words[0] == "CLUSTER"
        or words[:2] == ["VACUUM", "FULL"]
        or (words[:2] == ["REINDEX", "TABLE"] and "CONCURRENTLY" not in words)
    ):
        at = next(
            (at for at, word in enumerate(words) if at and word not in ("FULL", "TABLE", "VERBOSE", "ANALYZE")), 0
        )
        if at:
            yield HeavyStatement(_name(tokens, words, at)[0], f"runs {words[0]}", "do it by itself, in a quiet hour")
    elif words[:2] == ["ALTER", "TABLE"]:
        table, at = _name(tokens, words, 2)
        for action, raw in _actions(tokens, words, at):
            yield from _of_action(table, action, raw)


def _of_action(table: str, words: Sequence[str], tokens: Sequence[Token]) -> Iterator[HeavyStatement]:
    """One action of ALTER TABLE."""
    if words[:1] == ["ADD"] and "NOT VALID" not in " ".join(words) and words[-2:-1] != ["INDEX"]:
        for kind in ("CHECK", "FOREIGN", "UNIQUE", "EXCLUDE", "PRIMARY"):
            if kind in words[1:4]:
                instead = "ADD CONSTRAINT … NOT VALID, and VALIDATE CONSTRAINT in a later migration"
                if kind not in ("CHECK", "FOREIGN"):
                    instead = "CREATE UNIQUE INDEX CONCURRENTLY, and ADD CONSTRAINT … USING INDEX in a later migration"
                yield HeavyStatement(
                    table, f"adds a constraint ({kind}) that every row is looked at for", instead, kind == "FOREIGN"
                )
                return
    if words[:1] == ["ALTER"]:
        at = 2 if words[1:2] == ["COLUMN"] else 1
        rest, column = words[at + 1 :], tokens[at].name if at < len(tokens) else ""
        if rest[:3] == ["SET", "NOT", "NULL"]:
            instead = (
                f"ADD CONSTRAINT … CHECK ({column} IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT in a release before"
            )
            yield HeavyStatement(table, f"reads every row to set {column} to NOT NULL", instead, not_null=column)
        elif rest[:1] == ["TYPE"] or rest[:3] == ["SET", "DATA", "TYPE"]:
            yield HeavyStatement(
                table,
                f"changes the type of {column}, and may rewrite the table",
                "add a new column and fill it in portions",
            )


def _actions(tokens: Sequence[Token], words: Sequence[str], at: int) -> Iterator[tuple[Sequence[str], Sequence[Token]]]:
    """The parts of ALTER TABLE that commas outside brackets part."""
    depth, start = 0, at
    for end in range(at, len(tokens)):
        depth += (words[end] == "(") - (words[end] == ")")
        if words[end] == "," and not depth:
            yield words[start:end], tokens[start:end]
            start = end + 1
    yield words[start:], tokens[start:]


def _name(tokens: Sequence[Token], words: Sequence[str], at: int) -> tuple[str, int]:
    """A table's name, without that of its schema, and where it ends."""
    while at < len(words) and words[at] in ("IF", "EXISTS", "ONLY"):
        at += 1
    name = ""
    while at < len(tokens) and tokens[at].kind in ("word", "quoted"):
        name, at = tokens[at].name, at + 1
        if at >= len(words) or words[at] != ".":
            break
        at += 1
    return name, at
