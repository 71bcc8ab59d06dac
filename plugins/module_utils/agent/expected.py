# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The tables and columns that a schema should have after what it has recorded, and which of them are absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Collection, Iterable, Mapping

from .forecast import whole_plan
from .graph import models_after
from .model_tables import OWN, Table, tables_of
from .routes import Routes
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ModelState

    from .fleet import Migration
    from .kinds import SchemaKind
    from .loading import Context


@dataclass(frozen=True)
class Needed:
    """A table that a model has in a schema: its own, or that of a many-to-many field."""

    app: str
    part: str
    table: Table


@dataclass(frozen=True)
class Gap:
    """A table, or a column of one, that is recorded and not there."""

    app: str
    table: str
    column: str = ""

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table


def needed_of(models: Iterable[ModelState], routes: Routes) -> list[Needed]:
    """The tables of models that the project's routers let into the schema that the connection is set to."""
    return [
        Needed(state.app_label, part, table)
        for state in models
        for part, table in tables_of(state, routes.connection).items()
        # A name with a quote in it leads out of the schema.
        if '"' not in table.name and routes.model(state)
    ]


def needed_after(
    context: Context, loader: MigrationLoader, applied: Collection[Migration], kind: SchemaKind
) -> list[Needed]:
    """The tables that a schema of a kind should have where these migrations are applied."""
    models = models_after(loader, applied).models
    with in_schema(context, kind.schema, kind.type):
        return needed_of([models[key] for key in sorted(models)], Routes(context))


def gaps(needed: Iterable[Needed], there: Mapping[str, Collection[str]], folds: bool = False) -> list[Gap]:
    """What is needed and not there. Pure.

    :param there: the columns of each table and view.
    :param folds: whether the database takes names that differ in case for the same.
    """
    have = {_folded(table, folds): {_folded(name, folds) for name in columns} for table, columns in there.items()}
    found: dict[Gap, None] = {}
    for item in needed:
        columns = have.get(_folded(item.table.name, folds))
        if columns is None:
            found[Gap(item.app, item.table.name)] = None
        elif item.part == OWN:
            # Those of a many-to-many table are named after its ends, which may have been renamed since.
            lacking = [name for name in item.table.columns.values() if _folded(name, folds) not in columns]
            found.update(dict.fromkeys(Gap(item.app, item.table.name, column) for column in lacking))
    return list(found)


def _folded(name: str, folds: bool) -> str:
    # PostgreSQL keeps 63 bytes of a name.
    return name.lower() if folds else name.encode("utf-8")[:63].decode("utf-8", "ignore")


def makers(
    loader: MigrationLoader, applied: Collection[Migration], apps: Collection[str], connection: Any
) -> dict[Migration, set[Gap]]:
    """What each of these migrations made of what some apps have after all of them, tables with all their columns."""
    from django.db.migrations.state import ProjectState

    state = ProjectState(real_apps=loader.unmigrated_apps)
    known: dict[Gap, Migration] = {}
    for key in whole_plan(loader):
        if key not in applied:
            continue
        loader.graph.nodes[key].mutate_state(state, preserve=False)
        now: dict[Gap, Migration] = {}
        for model in state.models.values():
            app = model.app_label
            for table in tables_of(model, connection).values() if app in apps else ():
                for column in ("", *table.columns.values()):
                    gap = Gap(app, table.name, column)
                    now[gap] = known.get(gap, key)
        known = now
    found: dict[Migration, set[Gap]] = {}
    for gap, key in known.items():
        found.setdefault(key, set()).add(gap)
    return found
