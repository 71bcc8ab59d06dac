# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a plan's SQL has to do with: the relations that have to be alike where it is replayed. The others may differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Iterator, Mapping

# What such a statement does is said in it: it names every relation that it changes, but for those that a fingerprint
# shows as tied to one that is named.
_PLAIN = re.compile(
    r"\s*(?:CREATE\s+TABLE|ALTER\s+TABLE|DROP\s+TABLE|CREATE\s+(?:UNIQUE\s+)?INDEX|ALTER\s+INDEX|DROP\s+INDEX"
    r"|CREATE\s+SEQUENCE|ALTER\s+SEQUENCE|DROP\s+SEQUENCE|COMMENT\s+ON|SET\s+CONSTRAINTS)\b(?!\s+ALL\s+IN\b)",
    re.IGNORECASE,
)
_QUOTED, _LITERAL, _WORD = range(3)
_TOKEN = re.compile(r"""("(?:[^"]|"")*")|('(?:[^']|'')*')|([^\W\d][\w$]*)""")
# More than one statement, a comment, a literal that is not simply what stands between two quotes.
_INTRICATE = re.compile(r";|--|/\*|\\|\$[\w]*\$|\bU&['\"]", re.IGNORECASE)


@dataclass(frozen=True)
class Footprint:
    """The relations whose structure counts, and the tables that only have to be there."""

    relations: frozenset[str]
    needed: frozenset[str]


def footprint(
    statements: Iterable[str], looked_at: Iterable[str], owners: Mapping[str, str], needed: Iterable[str]
) -> Footprint | None:
    """Of the schema in which the statements were captured, the relations that they have to do with. Pure.

    :param looked_at: names that the catalog was asked for while the statements were made.
    :param owners: the relations of that schema before or after the plan, each with the table whose it is.
    :param needed: the tables that the plan builds on.
    :returns: ``None`` where it can't be said, so that all of the structure counts.
    """
    names = set(looked_at)
    for statement in statements:
        if not _PLAIN.match(statement) or _INTRICATE.search(statement):
            return None
        names.update(_names(statement))
    return Footprint(frozenset(owners[name] for name in names if name in owners), frozenset(needed))


def _names(statement: str) -> Iterator[str]:
    """All that may be a name in a statement, also within a literal (``nextval('…')``)."""
    for found in _TOKEN.findall(statement):
        if found[_QUOTED]:
            yield found[_QUOTED][1:-1].replace('""', '"')
        elif found[_LITERAL]:
            yield from _names(found[_LITERAL][1:-1].replace("''", " "))
        else:
            yield found[_WORD].lower()
