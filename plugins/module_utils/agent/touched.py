# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether the code of pending migrations reads or writes rows of a table, as far as it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable

from .python_text import texts_in
from .sql_rows import names_with_rows

if TYPE_CHECKING:
    from .forecast import Effect


def code_on(effects: Iterable[Effect], table: str) -> Effect | None:
    """The first RunSQL or RunPython that uses rows of a table, or the model that has it."""
    models = {name.lower() for name in _models_of(table)}
    for effect in effects:
        if effect.kind == "run_sql" and any(table in names_with_rows(text) for text in effect.detail):
            return effect
        if effect.kind == "run_python":
            texts = texts_in(effect.detail)
            if models.intersection(map(str.lower, texts)) or any(table in names_with_rows(text) for text in texts):
                return effect
    return None


def _models_of(table: str) -> list[str]:
    """How code names the models with this table: by the name alone, or with the app before it."""
    from django.apps import apps

    labels = [
        model._meta.label for model in apps.get_models(include_auto_created=True) if model._meta.db_table == table
    ]
    return [name for label in labels for name in (label, label.rpartition(".")[2])]
