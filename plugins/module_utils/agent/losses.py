# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which tables, columns and rows that are there now a schema would lose by what is pending. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Iterable, Iterator

from .following import Names
from .sql_rows import deletions

if TYPE_CHECKING:
    from .forecast import Effect

_CODE = ("run_python", "run_sql", "custom")


@dataclass(frozen=True)
class Loss:
    """What is lost, by the names that it has now.

    :param column: empty for a whole table, or for rows of it.
    :param condition: of which rows; None where that can't be told; empty for all.
    :param before: a migration of the app with code that runs before it, and may copy what is lost.
    """

    effect: Effect
    table: str
    column: str = ""
    schema: str = ""
    rows_only: bool = False
    condition: str | None = ""
    sure: bool = True
    before: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """The same loss in several schemas."""
        return (
            self.effect.migration,
            self.effect.index,
            self.schema,
            self.table,
            self.column,
            self.rows_only,
            self.condition,
        )


def losses(effects: Iterable[Effect]) -> list[Loss]:
    """What the effects of a plan take away, in order. What the plan itself makes is not there to be lost."""
    names = Names()
    code: list[Effect] = []
    found: list[Loss] = []
    for effect in effects:
        told = [item.name for item in code if item.migration[0] == effect.migration[0] and item != effect]
        found += [replace(loss, before=told[-1] if told else "") for loss in _of(effect, names)]
        names.follow(effect)
        if effect.kind in _CODE:
            code.append(effect)
    return found


def _of(effect: Effect, names: Names) -> Iterator[Loss]:
    table = names.table(effect.table) if effect.table else None
    if effect.kind == "drop_table" and table:
        yield Loss(effect, table, schema=effect.schema, sure=effect.sure)
    elif effect.kind == "drop_column" and table and not getattr(effect.before, "generated", False):
        column = names.column(effect.table, effect.column)
        if column:
            yield Loss(effect, table, column, effect.schema, sure=effect.sure)
    elif effect.kind == "run_sql":
        for text in effect.detail:
            yield from _rows(effect, text, names)


def _rows(effect: Effect, text: str, names: Names) -> Iterator[Loss]:
    for found in deletions(text):
        table = names.table(found.table) if found.table else None
        if table:
            sure = found.sure and found.condition is not None
            yield Loss(effect, table, "", found.schema, rows_only=True, condition=found.condition, sure=sure)
