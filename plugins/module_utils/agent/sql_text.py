# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the text of SQL statements says of tables and columns. Pure.

Not a parser of SQL: it reads the statements that make, drop, rename, change and use tables, and takes no notice of others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterator, Sequence

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?\*/)
    | (?P<body>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<string>[EeBbXxNn]?'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
    | (?P<gap>%s|%\(\w+\)s|\{\w*\})
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<sign>\S)
    """,
    re.VERBOSE | re.DOTALL,
)

# What begins an entry of CREATE TABLE (…) that is no column.
_NO_COLUMN = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "LIKE", "PERIOD"})
# What may follow ADD or DROP in ALTER TABLE, and is no column.
_NO_ACTION = _NO_COLUMN | {"TABLE", "EXPRESSION", "IDENTITY", "DEFAULT", "NOT"}


@dataclass(frozen=True)
class Token:
    """One word, name, sign or string; ``text`` is upper case in words, and the bare text in quoted names; ``at`` is where it stands."""

    kind: str
    text: str
    raw: str
    at: int = 0

    @property
    def name(self) -> str:
        """As PostgreSQL reads it as a name."""
        return self.text if self.kind == "quoted" else self.raw.lower()


@dataclass(frozen=True)
class Change:
    """What one statement does to a table.

    :param kind: ``create_table``, ``drop_table``, ``rename_table``, ``add_column``, ``drop_column``, ``rename_column``, or ``use_table``
        (it has to be there).
    :param table: empty where the text leaves a gap for it.
    :param schema: the schema that the statement names, if it names one.
    :param new: the new name of what is renamed.
    :param columns: those of a new table; None where the text does not say.
    :param lenient: IF EXISTS, or IF NOT EXISTS.
    :param sure: False in a block of code, which may do it or not.
    """

    kind: str
    table: str
    schema: str = ""
    column: str = ""
    new: str = ""
    columns: tuple[str, ...] | None = None
    lenient: bool = False
    sure: bool = True


def statements(text: str) -> list[list[Token]]:
    """The statements in a text, each as its words and signs, without comments."""
    found: list[list[Token]] = [[]]
    for match in _TOKEN.finditer(text):
        kind, raw = str(match.lastgroup if match.lastgroup != "tag" else "body"), match[0]
        if kind == "comment":
            continue
        if raw == ";":
            found.append([])
            continue
        bare = raw[1:-1].replace('""', '"') if kind == "quoted" else raw.upper() if kind == "word" else raw
        found[-1].append(Token(kind, bare, raw, match.start()))
    return [statement for statement in found if statement]


def changes(text: str) -> list[Change]:
    """What a text does to tables and columns, in order."""
    return [change for statement in statements(text) for change in _of_statement(statement)]


def _of_statement(tokens: Sequence[Token]) -> Iterator[Change]:
    words = _Words(tokens)
    if words.take("DO"):
        for token in tokens:
            if token.kind == "body":
                yield from _of_block(token.raw.strip("$").partition("$")[2] if token.raw[1] != "$" else token.raw[2:-2])
    elif words.take("CREATE"):
        yield from _create(words)
    elif words.take("DROP", "TABLE"):
        lenient = words.take("IF", "EXISTS")
        yield words.change("drop_table", lenient=lenient)
        while words.take(","):
            yield words.change("drop_table", lenient=lenient)
    elif words.take("ALTER", "TABLE"):
        yield from _alter(words)
    elif words.take("INSERT", "INTO") or words.take("DELETE", "FROM") or words.take("UPDATE"):
        words.take("ONLY")
        yield words.change("use_table")
    elif words.take("TRUNCATE"):
        words.take("TABLE")
        words.take("ONLY")
        yield words.change("use_table")
        while words.take("*") or words.take(","):
            yield words.change("use_table")


def _of_block(body: str) -> Iterator[Change]:
    """What a block of procedural code may do: whatever statements stand in it, also as the text of an EXECUTE."""
    pattern = r"\b(?:CREATE\s+(?:UNLOGGED\s+)?TABLE|DROP\s+TABLE|ALTER\s+TABLE)\b[^;]*"
    for found in re.findall(pattern, body, re.IGNORECASE):
        for change in changes(found.replace("''", "'")):
            if change.kind != "use_table":
                yield Change(**{**vars(change), "sure": False})


def _create(words: _Words) -> Iterator[Change]:
    if words.take("POLICY") or words.take("TRIGGER"):
        words.skip_to("ON")
        yield words.change("use_table")
        return
    unique = words.take("UNIQUE")
    if words.take("INDEX"):
        words.skip_to("ON")
        words.take("ONLY")
        yield words.change("use_table")
        return
    if unique or words.take("TEMP") or words.take("TEMPORARY"):
        return
    words.take("UNLOGGED")
    if words.take("TABLE"):
        lenient = words.take("IF", "NOT", "EXISTS")
        schema, table = words.name()
        yield Change("create_table", table, schema, columns=_columns(words), lenient=lenient)


def _columns(words: _Words) -> tuple[str, ...] | None:
    if not words.take("("):
        return None
    names: list[str] = []
    depth, first = 0, True
    while not words.over:
        token = words.next()
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            if not depth:
                # INHERITS, PARTITION BY and the like may say more of columns; AS does.
                return tuple(names) if not words.take("INHERITS") else None
            depth -= 1
        elif token.text == "," and not depth:
            first = True
            continue
        elif first and token.text == "LIKE":
            return None
        elif first and (token.kind == "quoted" or token.text not in _NO_COLUMN):
            names.append(token.name)
        first = False
    return tuple(names)


def _alter(words: _Words) -> Iterator[Change]:
    lenient = words.take("IF", "EXISTS")
    words.take("ONLY")
    schema, table = words.name()
    words.take("*")
    base: dict[str, Any] = {"table": table, "schema": schema}
    yield Change("use_table", lenient=lenient, **base)
    while not words.over:
        if words.take("ADD"):
            words.take("COLUMN")
            quiet = words.take("IF", "NOT", "EXISTS")
            if words.names_column():
                yield Change("add_column", column=words.next().name, lenient=quiet or lenient, **base)
        elif words.take("DROP"):
            words.take("COLUMN")
            quiet = words.take("IF", "EXISTS")
            if words.names_column():
                yield Change("drop_column", column=words.next().name, lenient=quiet or lenient, **base)
        elif words.take("RENAME", "TO"):
            yield Change("rename_table", new=words.next().name, lenient=lenient, **base)
        elif words.take("RENAME", "CONSTRAINT"):
            return
        elif words.take("RENAME"):
            words.take("COLUMN")
            column = words.next().name
            if words.take("TO"):
                yield Change("rename_column", column=column, new=words.next().name, lenient=lenient, **base)
        words.skip_to(",")


class _Words:
    """The words of a statement, read from the left."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.at = tokens, 0

    @property
    def over(self) -> bool:
        return self.at >= len(self.tokens)

    def next(self) -> Token:
        if self.over:
            return Token("sign", "", "")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, *words: str) -> bool:
        """Step over these words, if they come next."""
        coming = self.tokens[self.at : self.at + len(words)]
        if len(coming) < len(words) or any(
            token.text != word or token.kind == "quoted" for token, word in zip(coming, words)
        ):
            return False
        self.at += len(words)
        return True

    def skip_to(self, word: str) -> None:
        """Step over everything up to a word outside brackets, and over the word."""
        depth = 0
        while not self.over:
            token = self.next()
            depth += (token.text == "(") - (token.text == ")")
            if not depth and token.text == word and token.kind != "quoted":
                return

    def names_column(self) -> bool:
        return not self.over and (self.tokens[self.at].kind == "quoted" or self.tokens[self.at].text not in _NO_ACTION)

    def name(self) -> tuple[str, str]:
        """A name that may stand behind that of a schema: (schema or "", name); no name where the text has a gap to be filled in."""
        first = self._one_name()
        if self.take("."):
            return first, self._one_name()
        return "", first

    def _one_name(self) -> str:
        token = self.next()
        return token.name if token.kind in ("word", "quoted") and not set("%{") & set(token.text) else ""

    def change(self, kind: str, **more: Any) -> Change:
        schema, table = self.name()
        return Change(kind, table, schema, **more)
