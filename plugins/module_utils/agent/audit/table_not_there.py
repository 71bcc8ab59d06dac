# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No migration needs a table or column that a later one makes, or that an earlier one took away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..conflicts import NO_COLUMN, NO_TABLE
from ..findings import Finding
from ..refused import refused

if TYPE_CHECKING:
    from ..conflicts import Conflict
    from ..evidence import Evidence
    from ..fleet import Migration
    from ..forecast import Effect
    from ..refused import Refused


def findings(evidence: Evidence) -> Iterator[Finding]:
    for item in refused(evidence, NO_TABLE, NO_COLUMN):
        conflict = item.conflict
        maker = None if conflict.taker else _later(evidence, item)
        # What no migration makes at all may well be there: an extension's, a view, another program's.
        if conflict.taker is None and maker is None:
            continue
        yield Finding(
            item.severity, conflict.effect.place, _message(item, maker), _hint(evidence, conflict, maker), item.schemas
        )


def _later(evidence: Evidence, item: Refused) -> Effect | None:
    """The effect of a later migration that makes what is needed."""
    conflict = item.conflict
    effects = iter(evidence.new_effects[item.kinds[0]])
    next(effect for effect in effects if effect is conflict.effect)
    for effect in effects:
        name = effect.new if effect.kind in ("rename_table", "rename_column") else effect.table
        if conflict.column:
            made = effect.new if effect.kind == "rename_column" else effect.column
            if effect.kind in ("add_column", "rename_column") and (effect.table, made) == (
                conflict.table,
                conflict.column,
            ):
                return effect
        elif effect.kind in ("create_table", "rename_table") and name == conflict.table:
            return effect
    return None


def _message(item: Refused, maker: Effect | None) -> str:
    conflict = item.conflict
    what = f"the column {conflict.table}.{conflict.column}" if conflict.column else f"the table {conflict.table}"
    taker = conflict.taker
    why = (
        f"which {taker.name} ({taker.place}) has dropped or renamed before"
        if taker
        else f"which only {maker.name} ({maker.place}) makes, later"
        if maker
        else ""
    )
    return f"{conflict.effect.name} needs {what}, {why}: {item.where}."


def _hint(evidence: Evidence, conflict: Conflict, maker: Effect | None) -> str:
    effect, taker = conflict.effect, conflict.taker
    if maker and not _builds_on(evidence, maker.migration, effect.migration):
        return f"Add {maker.migration!r} to the dependencies of {effect.name}, so that it runs before."
    if maker:
        return f"Move the operation at {effect.place} behind that at {maker.place}."
    if taker and not _builds_on(evidence, effect.migration, taker.migration):
        return f"Add {effect.migration!r} to the dependencies of {taker.name}, so that it runs before."
    return f"Take the operation at {effect.place} out."


def _builds_on(evidence: Evidence, migration: Migration, other: Migration) -> bool:
    """Whether one migration depends on another, or is the same."""
    return other in evidence.loader.graph.forwards_plan(migration)
