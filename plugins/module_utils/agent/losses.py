# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which tables, columns and rows that are there now a schema would lose by what is pending. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Iterable, Iterator

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


@dataclass
class _Table:
    """A table that may have been there from the start: its name then, and its columns' names then; None for what is new or gone."""

    was: str | None
    columns: dict[str, str | None] = field(default_factory=dict)


def losses(effects: Iterable[Effect]) -> list[Loss]:
    """What the effects of a plan take away, in order. What the plan itself makes is not there to be lost."""
    return list(_Following().follow(effects))


class _Following:
    """Names of tables and columns, followed through a plan."""

    def __init__(self) -> None:
        self.tables: dict[str, _Table] = {}

    def follow(self, effects: Iterable[Effect]) -> Iterator[Loss]:
        code: list[Effect] = []
        for effect in effects:
            for loss in self._of(effect):
                told = [item.name for item in code if item.migration[0] == effect.migration[0] and item != effect]
                yield replace(loss, before=told[-1] if told else "")
            if effect.kind in _CODE:
                code.append(effect)

    def _of(self, effect: Effect) -> Iterator[Loss]:
        name, column = effect.table, effect.column
        if effect.kind == "create_table" and not effect.lenient:
            self.tables[name] = _Table(None)
        elif effect.kind == "rename_table":
            self.tables[effect.new] = self._table(name)
            self.tables[name] = _Table(None)
        elif effect.kind == "add_column" and not effect.lenient:
            self._table(name).columns[column] = None
        elif effect.kind == "rename_column":
            columns = self._table(name).columns
            columns[effect.new], columns[column] = columns.get(column, column), None
        elif effect.kind == "drop_table":
            was = self._table(name).was
            if was and effect.sure:
                self.tables[name] = _Table(None)
            if was:
                yield Loss(effect, was, schema=effect.schema, sure=effect.sure)
        elif effect.kind == "drop_column":
            table = self._table(name)
            was = table.columns.get(column, column)
            if table.was and was:
                if effect.sure:
                    table.columns[column] = None
                yield Loss(effect, table.was, was, schema=effect.schema, sure=effect.sure)
        elif effect.kind == "run_sql":
            yield from self._rows(effect)

    def _rows(self, effect: Effect) -> Iterator[Loss]:
        for text in effect.detail:
            for found in deletions(text):
                was = self._table(found.table).was if found.table else None
                if was:
                    yield Loss(
                        effect,
                        was,
                        schema=found.schema,
                        rows_only=True,
                        condition=found.condition,
                        sure=found.sure and found.condition is not None,
                    )

    def _table(self, name: str) -> _Table:
        return self.tables.setdefault(name, _Table(name))
