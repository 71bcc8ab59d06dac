# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Serve one request: take on the project's environment, load it, run the command, reply, end."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from typing import Any

from .errors import AgentError
from .loading import load
from .wire import Wire


def serve(request: dict[str, Any]) -> None:
    """Answer ``request`` (``project``, ``command``, ``options``) with one line and end the process."""
    wire = Wire()
    project = request["project"]
    wire.watch(project["timeout"])
    wire.send(_answer(wire, request, project))
    # Not sys.exit: threads or atexit hooks of the project must not hold up or spoil what is done.
    sys.stderr.flush()
    os._exit(0)


def _answer(wire: Wire, request: dict[str, Any], project: dict[str, Any]) -> dict[str, Any]:
    try:
        context = load(wire, project)
        command = importlib.import_module("." + request["command"], __package__)
        try:
            return {"reply": command.run(context, request["options"])}
        finally:
            context.close()
    except AgentError as error:
        return {"error": error.as_reply()}
    except BaseException as error:
        print(traceback.format_exc(), file=sys.stderr)
        return {
            "error": {
                "kind": "project",
                "message": f"While {wire.phase}: {type(error).__name__}: {error}",
                "traceback": traceback.format_exc()[-4000:],
            }
        }
