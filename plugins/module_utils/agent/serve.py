# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Serve one request: take on the project's environment, load it, run the command, reply, end."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import time
from typing import Any

from .database import first_line, sqlstate
from .errors import AgentError
from .loading import load, own_traceback, reason
from .wire import Wire

_INSUFFICIENT_PRIVILEGE = "42501"


def serve(request: dict[str, Any]) -> None:
    """Answer ``request`` (``project``, ``command``, ``options``) with one line and end the process."""
    wire = Wire()
    project = request["project"]
    wire.watch(project["timeout"])
    answer = _answer(wire, request, project)
    _flush()
    while wire.stopping:
        # The process ends in a moment, and what it was stopped for has been said.
        time.sleep(1)
    wire.send(answer)
    # Not sys.exit: threads or atexit hooks of the project must not hold up or spoil what is done.
    os._exit(0)


def _answer(wire: Wire, request: dict[str, Any], project: dict[str, Any]) -> dict[str, Any]:
    try:
        command = importlib.import_module("." + request["command"], __package__)
        # A command that has something to say of a project that does not load prepares for itself.
        prepare = getattr(command, "prepare", load)
        # A command that takes no check option only reads.
        context = prepare(wire, project, writes=not request["options"].get("check", True))
        try:
            return {"reply": command.run(context, request["options"])}
        finally:
            context.close()
    except AgentError as error:
        return {"error": error.as_reply()}
    except BaseException as error:
        return {"error": _unforeseen(wire, error)}


def _unforeseen(wire: Wire, error: BaseException) -> dict[str, object]:
    """An error of the database, or of the project's code, in the middle of a command."""
    code = sqlstate(error)
    if code is None:
        return {"kind": "project", "message": f"While {wire.phase}: {reason(error)}", "traceback": own_traceback(error)}
    message = f"While {wire.phase}: {first_line(error)} (SQLSTATE {code})"
    if code == _INSUFFICIENT_PRIVILEGE:
        hint = "The role that the project's settings name lacks a right: grant it, or name another role with session_role:."
        return {"kind": "database", "message": message, "sqlstate": code, "hint": hint}
    return {"kind": "database", "message": message, "sqlstate": code, "traceback": own_traceback(error)}


def _flush() -> None:
    """Let what the project printed reach the module before the reply does."""
    for stream in (sys.stdout, sys.stderr):
        # The project may have closed or replaced it.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
