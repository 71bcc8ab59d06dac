# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No table is made by two migrations, and no two models keep their rows in one table."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Iterator

from ..conflicts import TABLE_THERE
from ..findings import WARNING, Finding
from ..places import place_of_model
from ..refused import leave_to_state, refused
from ..verification import in_schema

if TYPE_CHECKING:
    from django.db.models import Model

    from ..conflicts import Conflict
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    tables = set()
    for item in refused(evidence, TABLE_THERE):
        conflict = item.conflict
        if conflict.maker is None:
            continue
        tables.add(conflict.table)
        yield Finding(
            item.severity,
            conflict.effect.place,
            f"{_twice(conflict)}: {item.where}.",
            leave_to_state(conflict.effect),
            item.schemas,
        )
    for table, models in _shared_tables(evidence).items():
        if table in tables:
            continue
        first, *others = sorted(models, key=lambda model: str(model._meta.label))
        labels = " and ".join(model._meta.label for model in (first, *others))
        yield Finding(
            WARNING,
            place_of_model(others[-1]),
            f"The models {labels} have the same table, {table}: what one writes the other reads, and what changes one breaks the other.",
            f"Give {others[-1]._meta.label} a table of its own (db_table), or say that it does not keep the table: class Meta: managed = False.",
        )


def _twice(conflict: Conflict) -> str:
    effect, maker = conflict.effect, conflict.maker
    does = "renames a table to" if effect.kind == "rename_table" else "makes the table"
    by = f"{maker.name} ({maker.place})" if maker else ""
    return f"{effect.name} {does} {conflict.table}, which {by} has made already"


def _shared_tables(evidence: Evidence) -> dict[str, list[type[Model]]]:
    """The tables that several models keep, in a schema of one kind."""
    from django.apps import apps
    from django.db import router

    context = evidence.context
    models = list(apps.get_models(include_auto_created=True))
    by_table: dict[str, list[type[Model]]] = defaultdict(list)
    for model in models:
        if model._meta.can_migrate(context.connection):
            by_table[model._meta.db_table].append(model)
    several = {table: found for table, found in by_table.items() if len(found) > 1}
    shared = {}
    for kind in evidence.kinds if several else ():
        with in_schema(context, kind.schema, kind.type):
            for table, found in several.items():
                kept = [model for model in found if router.allow_migrate_model(context.alias, model)]
                if len(kept) > 1:
                    shared[table] = kept
    return shared
