# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No model is defined twice in one module, where the second definition takes the place of the first without an error."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, Iterator

from ..blame import located
from ..findings import ERROR, Finding

if TYPE_CHECKING:
    from django.db.models import Model

    from ..evidence import Evidence

# Django's warning, of which there is no error.
_SAID = re.compile(r"Model '([\w.]+)' was already registered")


def findings(evidence: Evidence) -> Iterator[Finding]:
    from django.apps import apps

    evidence.require_apps()
    labels = [match[1] for match in map(_SAID.match, evidence.load_warnings) if match]
    for label in dict.fromkeys(labels):
        model = apps.get_model(label)
        lines = definitions(model)
        name = model._meta.label
        if len(lines) < 2:
            yield Finding(
                ERROR,
                _located(model, lines),
                f"The model {name} is made twice while the apps load: its module is run twice.",
                f"Import {model.__module__} by that one name everywhere, and never reload it.",
            )
            continue
        others = ", ".join(map(str, lines[:-1]))
        yield Finding(
            ERROR,
            _located(model, lines),
            f"The model {name} is defined twice: the class at line {lines[-1]} takes the place of the one at line {others}, and Django only warns.",
            f"Take one of the two classes out of {model.__module__}, or give it another name.",
        )


def definitions(model: type[Model]) -> list[int]:
    """The lines on which a model's module defines a class of its name."""
    path = getattr(sys.modules.get(model.__module__), "__file__", None)
    try:
        with open(str(path), "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    return sorted(
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == model.__name__
    )


def _located(model: type[Model], lines: list[int]) -> str:
    path = getattr(sys.modules.get(model.__module__), "__file__", None)
    return located(path, lines[-1]) if path and lines else str(model._meta.label)
