# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which names the tables and columns that a plan works on have now, before it runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .forecast import Effect


@dataclass
class _Table:
    was: str | None
    columns: dict[str, str | None] = field(default_factory=dict)


class Names:
    """Names of tables and columns, followed through the effects of a plan."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    def table(self, name: str) -> str | None:
        """What a table is called now; None for one that the plan itself makes, or has dropped."""
        return self._of(name).was

    def column(self, table: str, name: str) -> str | None:
        """What a column is called now; None for one that the plan itself makes, or has dropped."""
        return self._of(table).columns.get(name, name)

    def follow(self, effect: Effect) -> None:
        """Take up what an effect does to names. What may do it or not changes none."""
        name, column = effect.table, effect.column
        if (effect.kind == "create_table" and not effect.lenient) or (effect.kind == "drop_table" and effect.sure):
            self._tables[name] = _Table(None)
        elif effect.kind == "rename_table":
            self._tables[effect.new] = self._of(name)
            self._tables[name] = _Table(None)
        elif (effect.kind == "add_column" and not effect.lenient) or (effect.kind == "drop_column" and effect.sure):
            self._of(name).columns[column] = None
        elif effect.kind == "rename_column":
            columns = self._of(name).columns
            columns[effect.new], columns[column] = columns.get(column, column), None

    def _of(self, name: str) -> _Table:
        return self._tables.setdefault(name, _Table(name))
