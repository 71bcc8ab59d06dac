# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One thing that the audit found wrong, and what a task says is known already (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Iterable, Iterator, Sequence

ERROR, WARNING, NOTICE = "error", "warning", "notice"
# From the worst on.
SEVERITIES = (ERROR, WARNING, NOTICE)

_NAMED = 20


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what to do.

    :param severity: ``error`` (this deploy would fail, lose rows, or put something into the wrong schema), ``warning``
        (wrong, but it would go through), ``notice`` (worth knowing).
    :param place: ``file:line``, or ``schema.table``, ``schema.table.column``, ``schema``.
    :param message: one sentence.
    :param hint: what to do, which followed to the letter clears the finding.
    :param schemas: the schemas that it holds for, where it is of schemas. Those that are alike are one finding.
    """

    severity: str
    place: str
    message: str
    hint: str
    schemas: Sequence[str] = ()
    rule: str = field(default="", compare=False)

    def as_reply(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "place": self.place,
            "message": self.message,
            "hint": self.hint,
            "schemas": list(self.schemas[:_NAMED]),
            "count": len(self.schemas),
        }


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, then by rule and place."""
    return sorted(findings, key=lambda found: (SEVERITIES.index(found.severity), found.rule, found.place))


def is_ignored(finding: Finding, ignore: Iterable[str]) -> bool:
    """Whether one of ``rule`` or ``rule:place`` is this finding's; a place may hold ``*`` and ``?``."""
    for item in ignore:
        rule, has_place, place = item.partition(":")
        if rule == finding.rule and (not has_place or fnmatchcase(finding.place, place)):
            return True
    return False


def schemas_in_words(schemas: Sequence[str], most: int = 3) -> str:
    """Schemas as a sentence names them: all where they are few, else the first and how many more."""
    if len(schemas) <= most:
        return ", ".join(schemas)
    return f"{', '.join(schemas[: most - 1])} and {len(schemas) - most + 1} others"


def few(names: Sequence[str], most: int = 3) -> str:
    """Names as a sentence lists them: all where they are few, else the first and how many more."""
    if len(names) <= most:
        return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def bounded(findings: Sequence[Finding], most: int = _NAMED) -> Iterator[Finding]:
    """Findings that are all alike, one for each thing, as long as they can be read; the rest as one."""
    whole = findings if len(findings) <= most else findings[: most - 1]
    yield from whole
    rest = findings[len(whole) :]
    if rest:
        schemas = [schema for finding in rest for schema in finding.schemas]
        more = f" The same is true of {len(rest) - 1} others."
        yield replace(rest[0], message=rest[0].message + more, schemas=schemas)
