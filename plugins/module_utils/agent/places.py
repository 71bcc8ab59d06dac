# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where in the project's files something is said: the line of a migration, of one of its operations, of a model."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any

from .blame import is_installed, located

if TYPE_CHECKING:
    from django.db.migrations import Migration
    from django.db.models import Model


def place_of_migration(migration: Migration, operation: int | None = None) -> str:
    """The file and line of a migration, or of one of its operations where that is written out in a list.

    :param operation: the operation's number in ``migration.operations``, counted from 0.
    """
    module = sys.modules.get(type(migration).__module__)
    path = getattr(module, "__file__", None)
    if not path:
        return f"{migration.app_label}.{migration.name}"
    heading, lines = _lines(path)
    if operation is not None and operation < len(lines) == len(type(migration).operations):
        return located(path, lines[operation])
    return located(path, heading)


def place_of_model(model: type[Model]) -> str:
    """The file and line of a model's class; its label where there is no source."""
    try:
        path, (_source, line) = inspect.getsourcefile(model), inspect.getsourcelines(model)
    except (OSError, TypeError):
        path = None
    return located(path, line) if path else str(model._meta.label)


def is_projects(thing: Any) -> bool:
    """Whether the project itself wrote a migration, a model or an app, so that it can be changed there."""
    module = sys.modules.get(getattr(thing, "__module__", ""))
    path = getattr(thing, "path", None) or getattr(module, "__file__", None)
    return bool(path) and not is_installed(str(path))


@functools.lru_cache(maxsize=None)
def _lines(path: str) -> tuple[int, list[int]]:
    """The line of a migration's class, and those of its operations."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return 1, []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            return node.lineno, [line for statement in node.body for line in _operations(statement)]
    return 1, []


def _operations(statement: Any) -> list[int]:
    if (
        isinstance(statement, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "operations" for target in statement.targets)
        and isinstance(statement.value, (ast.List, ast.Tuple))
    ):
        return [element.lineno for element in statement.value.elts]
    return []
