# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where a setting gets its value: the file and line, followed through the settings modules that import one another."""

from __future__ import annotations

import ast
import importlib.util
import sys
from typing import Any, Iterator

from .blame import is_installed, located


def place_of_setting(name: str) -> str:
    """The last line that gives a setting its value; the settings module itself where none is found."""
    from django.conf import settings

    module = str(settings.SETTINGS_MODULE)
    found = _assigned(module, name, set())
    if found:
        return found
    path = getattr(sys.modules.get(module), "__file__", None)
    return located(path, 1) if path else module


def _assigned(module: str, name: str, seen: set[str]) -> str | None:
    """The place in a module, or in those of the project that it imports."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None or module in seen or is_installed(path):
        return None
    seen.add(module)
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and name in _targets(node)]
    if lines:
        return located(path, max(lines))
    for imported in _imported(tree, module):
        found = _assigned(imported, name, seen)
        if found:
            return found
    return None


def _targets(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value, or a part of one."""
    single: Any = getattr(node, "target", None)
    targets: list[Any] = [single]
    if isinstance(node, ast.Assign):
        targets = [*node.targets]
    for target in targets:
        base = target
        while isinstance(base, ast.Subscript):
            base = base.value
        if isinstance(base, ast.Name):
            yield base.id


def _imported(tree: ast.Module, module: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            dots = "." * node.level
            package = str(getattr(sys.modules.get(module), "__package__", "") or "")
            try:
                yield importlib.util.resolve_name(dots + (node.module or ""), package)
            except ImportError:
                continue
