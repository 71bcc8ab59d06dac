# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No two migrations of an app that build on each other have the same number."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Iterator

from ..evidence import Unknown
from ..findings import WARNING, Finding
from ..places import is_projects, place_of_migration

if TYPE_CHECKING:
    from ..evidence import Evidence
    from ..fleet import Migration

_NUMBER = re.compile(r"(\d{3,})_")


def findings(evidence: Evidence) -> Iterator[Finding]:
    disk = evidence.disk
    by_number: dict[tuple[str, str], list[Migration]] = defaultdict(list)
    for key, migration in sorted(disk.items()):
        match = _NUMBER.match(key[1])
        if match and not migration.replaces and is_projects(type(migration)):
            by_number[key[0], match[1]].append(key)
    for (app, number), keys in by_number.items():
        if not _in_a_row(disk, keys):
            continue
        names = [name for _app, name in keys]
        yield Finding(
            WARNING,
            place_of_migration(disk[keys[-1]]),
            f"{len(keys)} migrations of the app {app} have the number {number}: {', '.join(names)}.",
            _hint(evidence, keys[-1], disk),
        )


def _in_a_row(disk: dict[Migration, Any], keys: list[Migration]) -> bool:
    """Whether one builds on another. On branches beside each other a number says nothing: several-leaf-nodes finds those that nothing joins."""
    return any(one in _line(disk, other) for one in keys for other in keys if one != other)


def _line(disk: dict[Migration, Any], key: Migration) -> set[Migration]:
    """A migration and all of its app that it builds on."""
    found: set[Migration] = set()
    todo = [key]
    while todo:
        current = todo.pop()
        if current in disk and current not in found:
            found.add(current)
            todo += [parent for parent in disk[current].dependencies if parent[0] == key[0]]
    return found


def _hint(evidence: Evidence, key: Migration, disk: dict[Migration, Any]) -> str:
    try:
        recorded = any(key in state.recorded for state in evidence.fleet.schemas.values())
    except Unknown:
        recorded = False
    if recorded:
        return f"{'.'.join(key)} is recorded, so that its name has to stay: name number-taken-twice:{place_of_migration(disk[key])} in ignore."
    numbers = [int(match[1]) for app, name in disk for match in [_NUMBER.match(name)] if match and app == key[0]]
    new = f"{max(numbers) + 1:04}_{key[1].partition('_')[2]}"
    return f"Rename {'.'.join(key)} to {new}, also where other migrations depend on it."
