# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The first module of the agent that runs: it makes the others importable and starts the command.

It is executed from text, before the package exists, so it imports nothing of it at the top.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType

PACKAGE = "tenancy_agent"


class MemoryImporter(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the agent's modules from the request, so that nothing is written to a disk.

    A name that others go on from is a package. The sources stay at hand for tracebacks (``get_source``).
    """

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = {PACKAGE: "", **{"%s.%s" % (PACKAGE, name): text for name, text in sources.items()}}

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname not in self.sources:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=self.is_package(fullname))

    def get_source(self, fullname: str) -> str:
        return self.sources[fullname]

    def get_code(self, fullname: str) -> CodeType:
        # Not "<…>": of such names linecache asks no loader for the source.
        path = fullname.replace(".", "/") + ".py"
        return compile(self.get_source(fullname), path, "exec", dont_inherit=True)

    def is_package(self, fullname: str) -> bool:
        return any(name.startswith(fullname + ".") for name in self.sources)


def start(request: dict[str, Any]) -> None:
    """Serve one request and end the process.

    :param request: ``sources`` (module name to text), ``command``, ``project`` and ``options``.
    """
    # Nothing is written on this side, so no byte-code either (as another user perhaps, with other rights).
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, MemoryImporter(request.pop("sources")))
    importlib.import_module(PACKAGE + ".serve").serve(request)
