# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Fewer statements for an empty schema: a column that is added or altered later is made so at once.

``squashmigrations`` does the same (``CreateModel.reduce``) and more. Here it is done only where the schema is left the same to the
last name and in the order of its columns: for plain columns of plain tables, with nothing between that could tell the difference.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from .model_tables import part_names, tables_of

if TYPE_CHECKING:
    from django.db.migrations.state import ProjectState
    from django.db.models import Field

    Key = tuple[str, str]

_LIBRARY = "django.db.migrations.operations."
_COLUMNS = ("django.db.models.fields", "django.db.models.fields.files", "django.db.models.fields.json")
# They neither see a model's other columns nor change the order of them. Of RunPython only such as does nothing is in these plans.
_INDIFFERENT = {
    "AddConstraint",
    "AddIndex",
    "AlterModelManagers",
    "AlterModelOptions",
    "AlterModelTableComment",
    "AlterUniqueTogether",
    "RunPython",
}
_OF_ONE_MODEL = {
    "AddField",
    "AlterField",
    "AlterIndexTogether",
    "AlterModelTable",
    "AlterOrderWithRespectTo",
    "RemoveConstraint",
    "RemoveField",
    "RemoveIndex",
    "RenameField",
    "RenameIndex",
}
# After these a model has a table or a column of another name, and with it that of a NOT NULL constraint to come.
_NAMING = {"AddField", "AlterField", "AlterModelTable", "CreateModel", "RenameField", "RenameModel"}
# What may differ between two columns of one class for the second to be the first altered.
_ALTERED = {
    "blank",
    "choices",
    "default",
    "editable",
    "error_messages",
    "help_text",
    "max_length",
    "null",
    "validators",
    "verbose_name",
}
# PostgreSQL 18 names a NOT NULL constraint <table>_<column>_not_null, with a number where the schema has that, cut to 63 bytes.
_NOT_NULL = "_not_null"
_LONGEST = 63 - len(_NOT_NULL) - 1


def folded(nodes: Sequence[Any], before: ProjectState, connection: Any) -> list[Any]:
    """Copies of migrations that leave an empty schema, and the models, as these do. Pure.

    :param nodes: the migrations of a plan that is SQL alone (``compiler.is_sql_alone``), in the order they run.
    :param before: the models as they are before them.
    """
    unsure = _models_of_unsure_names(nodes, before, connection)
    # The models whose CreateModel still takes columns.
    taking: dict[Key, Any] = {}
    found = []
    for node in nodes:
        new = copy.copy(node)
        new.operations = [
            kept for operation in node.operations for kept in _folded(node.app_label, operation, taking, unsure)
        ]
        found.append(new)
    return found


def _folded(app: str, operation: Any, taking: dict[Key, Any], unsure: set[Key]) -> list[Any]:
    """What is left of an operation."""
    kind = _kind(operation)
    key = (app, _model_of(operation))
    if kind == "CreateModel":
        made = type(operation)(
            operation.name, list(operation.fields), operation.options, operation.bases, operation.managers
        )
        if _is_plain_table(operation) and key not in unsure:
            taking[key] = made
        return [made]
    if kind in _INDIFFERENT and "managed" not in getattr(operation, "options", ()):
        return [operation]
    if kind not in _INDIFFERENT | _OF_ONE_MODEL:
        taking.clear()
        return [operation]
    model = taking.get(key)
    if model is None or (kind == "AddField" and operation.field.many_to_many):
        return [operation]
    if kind == "AddField" and _is_plain(operation.field):
        model.fields.append((operation.name, _in_state(operation)))
        return []
    if kind == "AlterField" and _alters_only_the_column(dict(model.fields).get(operation.name), operation.field):
        model.fields[:] = [
            (name, _in_state(operation) if name == operation.name else field) for name, field in model.fields
        ]
        return []
    del taking[key]
    return [operation]


def _model_of(operation: Any) -> str:
    """The model that an operation works on, as it is called afterwards; nothing where it works on none."""
    found = (getattr(operation, name, None) for name in ("model_name", "new_name", "name"))
    return str(next(filter(None, found), "")).lower()


def _kind(operation: Any) -> str:
    """The name of an operation's class, if it is Django's own."""
    kind = type(operation)
    return kind.__name__ if kind.__module__.startswith(_LIBRARY) else ""


def _in_state(operation: Any) -> Any:
    """The field as ``state_forwards`` has it, with no default that is for the rows of that moment only."""
    from django.db.models import NOT_PROVIDED

    if operation.preserve_default:
        return operation.field
    field = operation.field.clone()
    field.default = NOT_PROVIDED
    return field


def _is_plain_table(operation: Any) -> bool:
    from django.db.models import Model

    options = operation.options
    return (
        tuple(operation.bases) == (Model,)
        and options.get("managed", True)
        and not options.get("proxy")
        # Its column comes after all others of CreateModel.
        and not options.get("order_with_respect_to")
        and not any(getattr(field, "generated", False) for _name, field in operation.fields)
    )


def _is_plain(field: Field[Any, Any]) -> bool:
    """Whether a field is a column and nothing else: no relation, index, constraint or default of the database's."""
    from django.db.models import NOT_PROVIDED

    return (
        type(field).__module__ in _COLUMNS
        and not field.remote_field
        and not (field.primary_key or field.unique or field.db_index or field.db_tablespace)
        and getattr(field, "db_default", NOT_PROVIDED) is NOT_PROVIDED
        and not getattr(field, "generated", False)
        and not getattr(field, "db_comment", None)
        # These have a CHECK constraint.
        and not field.get_internal_type().startswith("Positive")
    )


def _alters_only_the_column(old: Any, new: Any) -> bool:
    if type(old) is not type(new) or not _is_plain(old) or not _is_plain(new):
        return False
    before, after = old.deconstruct()[3], new.deconstruct()[3]
    return all(
        name in _ALTERED or (name in before and name in after and before[name] == after[name])
        for name in {*before, *after}
    )


def _models_of_unsure_names(nodes: Iterable[Any], before: ProjectState, connection: Any) -> set[Key]:
    """The models with a column whose NOT NULL may be called otherwise, depending on what was there before it."""
    made, given = _names(nodes, before, connection)
    times = Counter(name for _key, _part, name in made)
    return {key for key, _part, name in made if times[name] > 1 or name in given or len(name.encode()) > _LONGEST}


def _names(nodes: Iterable[Any], before: ProjectState, connection: Any) -> tuple[set[tuple[Key, str, str]], set[str]]:
    """How names of NOT NULL constraints begin, with the model and the part of it that has them; and what was named so by choice.

    A table's own need no counting: nothing is moved over what gives one of its columns another name.
    """
    from django.db.migrations.state import ProjectState

    state = ProjectState({key: model.clone() for key, model in before.models.items()})
    made: set[tuple[Key, str, str]] = set()
    chosen: set[str] = set()
    for node in nodes:
        for operation in node.operations:
            operation.state_forwards(node.app_label, state)
            kind = _kind(operation)
            if kind == "AddConstraint":
                chosen.add(operation.constraint.name)
            elif kind in _NAMING:
                key = (node.app_label, _model_of(operation))
                chosen.update(part_names(state.models[key]))
                for part, table in tables_of(state.models[key], connection).items():
                    made.update((key, part, f"{table.name}_{column}") for column in table.columns.values())
    return made, {name[: -len(_NOT_NULL)] for name in chosen if name.endswith(_NOT_NULL)}
