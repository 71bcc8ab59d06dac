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
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Sequence

from .model_tables import part_names, tables_of

if TYPE_CHECKING:
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


def folded(nodes: Sequence[Any], connection: Any) -> list[Any]:
    """Copies of migrations that leave an empty schema, and the models, as these do. Pure.

    :param nodes: the migrations of a plan that is SQL alone (``compiler.is_sql_alone``), in the order they run.
    """
    unsure = _models_of_unsure_names(nodes, connection)
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
    if kind == "CreateModel":
        made = type(operation)(
            operation.name, list(operation.fields), operation.options, operation.bases, operation.managers
        )
        if _is_plain_table(operation) and (app, operation.name_lower) not in unsure:
            taking[app, operation.name_lower] = made
        return [made]
    if kind in _INDIFFERENT:
        return [operation]
    if kind not in _OF_ONE_MODEL:
        taking.clear()
        return [operation]
    key = (app, (operation.model_name if hasattr(operation, "model_name") else operation.name).lower())
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
        and not (field.primary_key or field.unique or field.db_index or field.db_tablespace)
        and getattr(field, "db_default", NOT_PROVIDED) is NOT_PROVIDED
        and not getattr(field, "db_comment", None)
        # These have a CHECK constraint.
        and not field.get_internal_type().startswith("Positive")
    )


def _alters_only_the_column(old: Any, new: Any) -> bool:
    if type(old) is not type(new) or not _is_plain(old) or not _is_plain(new):
        return False
    return _fixed(old) == _fixed(new)


def _fixed(field: Any) -> dict[str, Any]:
    """What may not differ between two columns for the second to be the first altered."""
    return {name: value for name, value in field.deconstruct()[3].items() if name not in _ALTERED}


def _models_of_unsure_names(nodes: Iterable[Any], connection: Any) -> set[Key]:
    """The models with a column whose NOT NULL may be called otherwise, depending on what was there before it."""
    names = list(_names(nodes, connection))
    times = Counter(name for _key, name in names)
    return {key for key, name in names if times[name] > 1 or len(name.encode()) > _LONGEST}


def _names(nodes: Iterable[Any], connection: Any) -> Iterator[tuple[Key, str]]:
    """What the names of NOT NULL constraints begin with, and what is given such a name: by the models that make it."""
    from django.db.migrations.state import ModelState

    states: dict[Key, ModelState] = {}
    given: list[tuple[Key, str]] = []
    for node in nodes:
        app = node.app_label
        for operation in node.operations:
            kind = _kind(operation)
            if kind == "CreateModel":
                key = (app, operation.name_lower)
                states[key] = ModelState(
                    app, operation.name, operation.fields, dict(operation.options), operation.bases
                )
                given += [(key, name) for name in part_names(states[key])]
            elif kind == "AddField":
                key = (app, operation.model_name_lower)
                states.setdefault(key, ModelState(app, operation.model_name, [])).fields[operation.name] = (
                    operation.field
                )
            elif kind == "AddConstraint":
                given.append(((app, operation.model_name_lower), operation.constraint.name))
    for key, state in states.items():
        for table in tables_of(state, connection).values():
            yield from ((key, f"{table.name}_{column}") for column in table.columns.values())
    yield from ((key, name[: -len(_NOT_NULL)]) for key, name in given if name.endswith(_NOT_NULL))
