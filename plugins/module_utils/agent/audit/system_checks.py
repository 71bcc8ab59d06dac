# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Django's system checks find no error, and none of them fails itself."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Iterator

from ..blame import located, place_of
from ..evidence import Unknown
from ..findings import ERROR, Finding
from ..loading import reason
from ..places import place_of_model

if TYPE_CHECKING:
    from ..evidence import Evidence

_HINT = "Mend it; 'manage.py check' then says nothing of it."


def findings(evidence: Evidence) -> Iterator[Finding]:
    """As ``manage.py check`` and ``migrate`` run them: all but those for a deployment; silenced ones stay silent."""
    from django.core import checks
    from django.core.checks.registry import registry

    evidence.require_apps()
    try:
        databases = [evidence.context.alias]
    except Unknown:
        databases = None
    failed = set()
    for check in registry.get_checks(include_deployment_checks=False):
        try:
            messages = list(check(app_configs=None, databases=databases))
        except Exception as error:
            name = f"{check.__module__}.{getattr(check, '__name__', type(check).__name__)}"
            cause = place_of(error) or name, reason(error)
            # Several checks load the URLs.
            if cause not in failed:
                failed.add(cause)
                yield Finding(
                    ERROR,
                    cause[0],
                    f"The system check {name} fails, and so will 'manage.py migrate': {cause[1]}",
                    _HINT,
                )
            continue
        for message in messages:
            if message.level >= checks.ERROR and not message.is_silenced():
                yield Finding(
                    ERROR, _place(message), f"{message.id or 'A check'}: {_line(message.msg)}", _hint(message)
                )


def _line(text: Any) -> str:
    return " ".join(str(text).split())


def _hint(message: Any) -> str:
    return f"{_line(message.hint)} {_HINT}" if message.hint else _HINT


def _place(message: Any) -> str:
    """The file and line of what a check complains of: a model, a field's model, a class; else the name that it gives."""
    from django.db.models import Model

    thing = message.obj
    thing = getattr(thing, "model", thing) if not isinstance(thing, type) else thing
    if isinstance(thing, type) and issubclass(thing, Model):
        return place_of_model(thing)
    owner = thing if isinstance(thing, type) else type(thing)
    if thing is None or isinstance(thing, str) or owner.__module__ == "builtins":
        return str(thing or message.id or "settings")
    try:
        return located(str(inspect.getsourcefile(owner)), inspect.getsourcelines(owner)[1])
    except (OSError, TypeError):
        return str(thing)
