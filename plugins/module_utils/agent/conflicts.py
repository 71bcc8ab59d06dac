# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where what migrations do meets what is there: a table made twice, a column that is not there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Collection, Iterable, Mapping

from .python_text import may_drop_indexes

if TYPE_CHECKING:
    from .forecast import Effect

TABLE_THERE, COLUMN_THERE, INDEX_THERE = "table_there", "column_there", "index_there"
NO_TABLE, NO_COLUMN = "no_table", "no_column"

# What may take an index or a constraint away without saying of which table.
_DROPS = re.compile(r"\b(?:DROP\s+(?:INDEX|CONSTRAINT)|RENAME|DO)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Conflict:
    """An effect that the database would refuse.

    :param kind: ``table_there``, ``column_there``, ``index_there`` (an index or a constraint, whose name is ``column``), ``no_table``, ``no_column``.
    :param maker: the effect that made what is there already; None where it was there from the start.
    :param taker: the effect that dropped or renamed what is not there any more; None where it never was.
    """

    kind: str
    effect: Effect
    table: str
    column: str = ""
    maker: Effect | None = None
    taker: Effect | None = None


@dataclass
class _Table:
    maker: Effect | None = None
    columns: dict[str, Effect | None] = field(default_factory=dict)
    # Whether these are all its columns.
    whole: bool = True
    gone: dict[str, Effect] = field(default_factory=dict)
    # Indexes and constraints that a migration has made, and nothing since may have dropped.
    named: dict[str, Effect | None] = field(default_factory=dict)


class Catalog:
    """The tables and columns of a schema, as effects change them.

    Of a table that some code may have made, changed or dropped nothing is certain any more, and nothing is said of it.
    """

    def __init__(
        self,
        there: Mapping[str, Collection[str]],
        elsewhere: Collection[str] = (),
        schema: str = "public",
        named: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """
        :param there: the columns of each table that is there.
        :param elsewhere: tables that statements reach through the search path.
        :param schema: the schema's name: what a text says of another one is passed over.
        :param named: the names of the indexes and constraints of each table that is there.
        """
        self.tables = {name: _Table(None, dict.fromkeys(columns)) for name, columns in there.items()}
        for name, parts in (named or {}).items():
            self.tables[name].named = dict.fromkeys(parts)
        self.elsewhere, self.schema = elsewhere, schema
        self.gone: dict[str, Effect] = {}
        self.uncertain: set[str] = set()
        self.all_uncertain = False

    @property
    def columns(self) -> dict[str, set[str]]:
        """The columns of each table that is there for certain."""
        return {name: set(table.columns) for name, table in self.tables.items()}

    def certain(self, table: str) -> bool:
        return table not in self.uncertain and not (self.all_uncertain and table not in self.tables)

    def meet(self, effect: Effect) -> Conflict | None:
        """Take on what an effect does; say why it could not be done, if so."""
        if _may_drop_indexes(effect):
            for table in self.tables.values():
                table.named.clear()
        if effect.kind == "anything":
            self.uncertain |= set(self.tables) | set(self.gone)
            self.all_uncertain = True
            return None
        if not effect.table or (effect.schema and effect.schema != self.schema):
            return None
        if not effect.sure or effect.kind == "foreign_table":
            self.uncertain |= {effect.table, effect.new} - {""}
            return None
        act = getattr(self, f"_{effect.kind}", None)
        return act(effect) if act else None

    def _create_table(self, effect: Effect) -> Conflict | None:
        name = effect.table
        if name in self.tables or not self.certain(name):
            if effect.lenient or not self.certain(name):
                return None
            return Conflict(TABLE_THERE, effect, name, maker=self.tables[name].maker)
        columns = effect.columns
        self.tables[name] = _Table(effect, dict.fromkeys(columns or (), effect), whole=columns is not None)
        self.tables[name].named = dict.fromkeys(effect.detail or (), effect)
        self.gone.pop(name, None)
        return None

    def _drop_table(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect)
        self.tables.pop(effect.table, None)
        self.gone[effect.table] = effect
        return conflict

    def _rename_table(self, effect: Effect) -> Conflict | None:
        if not (self.certain(effect.table) and self.certain(effect.new)):
            self.uncertain |= {effect.table, effect.new}
            return None
        conflict = self._lacks(effect)
        if conflict is None and effect.new in self.tables:
            conflict = Conflict(TABLE_THERE, effect, effect.new, maker=self.tables[effect.new].maker)
        table = self.tables.pop(effect.table, None) or _Table(effect, whole=False)
        self.gone[effect.table] = effect
        table.maker = effect
        self.tables[effect.new] = table
        return conflict

    def _use_table(self, effect: Effect) -> Conflict | None:
        return self._lacks(effect)

    _alter_unique = _validate_constraint = _use_table

    def _add_index(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect)
        table, name = self.tables.get(effect.table), getattr(effect.detail, "name", "")
        if conflict or table is None or not name or not self.certain(effect.table):
            return conflict
        if name in table.named:
            return Conflict(INDEX_THERE, effect, effect.table, name, maker=table.named[name])
        table.named[name] = effect
        return None

    _add_constraint = _add_index

    def _remove_index(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect)
        if effect.table in self.tables:
            self.tables[effect.table].named.pop(str(effect.detail), None)
        return conflict

    _remove_constraint = _remove_index

    def _rename_index(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect)
        if effect.table in self.tables:
            self.tables[effect.table].named.clear()
        return conflict

    def _add_column(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect)
        table = self.tables.get(effect.table)
        if conflict or table is None or not self.certain(effect.table):
            return conflict
        if effect.column in table.columns and not effect.lenient:
            return Conflict(COLUMN_THERE, effect, effect.table, effect.column, maker=table.columns[effect.column])
        if effect.column not in table.columns:
            table.columns[effect.column] = effect
        table.gone.pop(effect.column, None)
        return None

    def _drop_column(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect) or self._lacks_column(effect)
        table = self.tables.get(effect.table)
        if table is not None:
            table.columns.pop(effect.column, None)
            table.gone[effect.column] = effect
            # Those with the column go with it.
            table.named.clear()
        return conflict

    def _rename_column(self, effect: Effect) -> Conflict | None:
        conflict = self._lacks(effect) or self._lacks_column(effect)
        table = self.tables.get(effect.table)
        if conflict or table is None or not self.certain(effect.table):
            return conflict
        if effect.new in table.columns:
            return Conflict(COLUMN_THERE, effect, effect.table, effect.new, maker=table.columns[effect.new])
        table.columns.pop(effect.column, None)
        table.gone[effect.column] = effect
        table.columns[effect.new] = effect
        return None

    def _alter_column(self, effect: Effect) -> Conflict | None:
        return self._lacks(effect) or self._lacks_column(effect)

    def _lacks(self, effect: Effect) -> Conflict | None:
        name = effect.table
        if name in self.tables or effect.lenient or not self.certain(name) or name in self.elsewhere:
            return None
        return Conflict(NO_TABLE, effect, name, taker=self.gone.get(name))

    def _lacks_column(self, effect: Effect) -> Conflict | None:
        table = self.tables.get(effect.table)
        if table is None or not table.whole or effect.lenient or not self.certain(effect.table):
            return None
        if effect.column in table.columns:
            return None
        return Conflict(NO_COLUMN, effect, effect.table, effect.column, taker=table.gone.get(effect.column))


def conflicts(
    effects: Iterable[Effect],
    there: Mapping[str, Collection[str]],
    elsewhere: Collection[str] = (),
    schema: str = "public",
) -> list[Conflict]:
    """What the database would refuse of effects, in their order. What was refused counts as there, or gone, for what follows.

    :param there: the columns of each table that is there at the start.
    :param elsewhere: tables that statements reach through the search path.
    :param schema: the schema's name: what a text says of another one is passed over.
    """
    catalog = Catalog(there, elsewhere, schema)
    return [conflict for conflict in map(catalog.meet, effects) if conflict]


def _may_drop_indexes(effect: Effect) -> bool:
    if effect.kind == "run_sql":
        return any(map(_DROPS.search, effect.detail))
    if effect.kind == "run_python":
        return may_drop_indexes(effect.detail)
    return effect.kind in ("custom", "anything") or not effect.sure
