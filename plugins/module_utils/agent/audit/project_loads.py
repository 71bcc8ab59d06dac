# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The settings and apps load: no syntax error, no import that is missing, no setting that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..errors import LoadProblem
from ..findings import ERROR, Finding

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    error = evidence.load_error
    if error is not None:
        place = error.place if isinstance(error, LoadProblem) else None
        message = str(error).rstrip(".") + "."
        yield Finding(ERROR, place or "settings", message, _hint(message, place))


def _hint(message: str, place: str | None) -> str:
    where = f" at {place}" if place else ""
    end = "'manage.py check' then passes the same point."
    if "Conflicting '" in message:
        return (
            f"Take one of the two classes out, or give it another name: one of them is{where or ' named above'}; {end}"
        )
    if "ImproperlyConfigured" in message:
        return f"Set what the message asks for in the settings; {end}"
    return f"Mend the code{where}, or install what it imports into the project's Python; {end}"
