# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No pending migration holds a lock on a large table for as long as it reads or rewrites all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

from ..evidence import Unknown
from ..findings import WARNING, Finding
from ..heavy import Heavy, heavy
from ..sizes import Size, bytes_in_words, read_sizes

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    connection = evidence.context.connection
    if connection.vendor != "postgresql":
        raise Unknown(f"{connection.display_name} keeps no count of a table's rows, and locks the whole file anyway.")
    pending: list[tuple[Heavy, list[str]]] = []
    for cohort in evidence.cohorts:
        effects = evidence.pending_effects.get(cohort.first.name, ())
        pending += [(item, cohort.names) for item in heavy(effects, connection, cohort.structure)]
    if not pending:
        return
    schemas = {name for _item, names in pending for name in names}
    sizes = read_sizes(connection, schemas, {item.table for item, _names in pending})
    found: dict[Any, tuple[Heavy, list[tuple[str, Size]]]] = {}
    for item, names in pending:
        for name in names:
            size = sizes.get((name, item.table))
            if size and size.rows >= evidence.options["large_table"]:
                key = (item.effect.migration, item.effect.index, item.table, item.does)
                found.setdefault(key, (item, []))[1].append((name, size))
    for item, large in found.values():
        yield _finding(item, sorted(large, key=lambda one: (-one[1].rows, one[0])))


def _finding(item: Heavy, large: list[tuple[str, Size]]) -> Finding:
    first, size = large[0]
    effect = item.effect
    return Finding(
        WARNING,
        f"{first}.{item.table}",
        f"{effect.name} ({effect.place}) {item.does}: {first}.{item.table} has about {size.rows:,} rows"
        f" ({bytes_in_words(size.total_bytes)}){_others(large)}, and until it has ended the lock is {item.lock}.",
        f"To go without: {item.instead}. Where the wait is known and meant, say so with ignore: ['locks-large-table:*.{item.table}']",
        [name for name, _size in large],
    )


def _others(large: list[tuple[str, Size]]) -> str:
    if len(large) == 1:
        return ""
    total = sum(size.rows for _name, size in large)
    return f", with {len(large) - 1} more schemas about {total:,}"
