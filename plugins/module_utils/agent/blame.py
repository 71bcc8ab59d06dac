# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where an error of a migration came from: the operation that ran, and the line of the project's code."""

from __future__ import annotations

import functools
import os
import sysconfig
import traceback
from typing import TYPE_CHECKING, Any, Iterator

if TYPE_CHECKING:
    from types import FrameType


def operation_of(error: BaseException) -> str | None:
    """The operation that was running, as ``Operation.describe()`` has it; None where the error came between operations.

    Read from the frames of ``Migration.apply``, so that it is found whoever called that.
    """
    from django.db.migrations.migration import Migration
    from django.db.migrations.operations import SeparateDatabaseAndState

    local = {
        Migration.apply.__code__: "operation",
        # What it is made of says more.
        SeparateDatabaseAndState.database_forwards.__code__: "database_operation",
    }
    found = None
    for frame in _frames(error):
        name = local.get(frame.f_code)
        if name and name in frame.f_locals:
            found = frame.f_locals[name]
    return described(found) if found is not None else None


def described(operation: Any) -> str:
    """An operation in words; one that is Python with the name of its function."""
    try:
        words = str(operation.describe())
    except Exception:
        # A project's own operation, perhaps half made.
        return type(operation).__name__
    function = getattr(getattr(operation, "code", None), "__name__", None)
    return f"{words} ({function})" if function else words


def place_of(error: BaseException) -> str | None:
    """The innermost line of the project's own code that the error passed through, or that Python can't read, as ``file:line``."""
    for link in _chain(error):
        if isinstance(link, SyntaxError) and link.filename:
            return located(link.filename, link.lineno or 0)
    stacks = [traceback.extract_tb(link.__traceback__) for link in _chain(error)]
    found = next((place for place in map(project_line, stacks) if place), None)
    if found is None:
        return None
    return located(*found)


def located(path: str, line: int) -> str:
    """A line as people look for it: below the project's directory, where the file is there."""
    below = os.path.relpath(path)
    return f"{path if below.startswith(os.pardir) else below}:{line}"


def project_line(stack: traceback.StackSummary) -> tuple[str, int] | None:
    """The innermost frame in a real file that no package installer put there."""
    for frame in reversed(stack):
        if os.path.exists(frame.filename) and not is_installed(frame.filename):
            return frame.filename, frame.lineno or 0
    return None


def is_installed(path: str) -> bool:
    """Whether a file is Python's own or a package's, put there by an installer, rather than the project's."""
    parts = path.split(os.sep)
    return path.startswith(_libraries()) or "site-packages" in parts or "dist-packages" in parts


@functools.lru_cache(maxsize=None)
def _libraries() -> tuple[str, ...]:
    # Libraries only: a project may well lie below the prefix, where "data" and "scripts" are.
    paths = sysconfig.get_paths()
    return tuple({os.path.join(paths[name], "") for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _frames(error: BaseException) -> Iterator[FrameType]:
    for link in _chain(error):
        trace = link.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next
