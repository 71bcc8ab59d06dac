# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What other settings modules of the same project say, asked one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._agent import ask
from ._errors import ProjectError
from .agent import settings_facts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._project import Project


def facts_of(project: Project, settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The facts of each settings module by its name; of one that does not load, the error."""
    facts: dict[str, dict[str, Any]] = {}
    for name in settings:
        if name == project.settings:
            continue
        try:
            facts[name] = ask(replace(project, settings=name), settings_facts, {})
        except ProjectError as error:
            facts[name] = {"error": str(error)}
    return facts
