# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The full list of what was done, schema by schema, as a file."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

from ._errors import OptionError


def require_writable(path: str) -> None:
    """See that a report can be written, before the work that it reports begins.

    :raises OptionError: the directory does not exist, or nothing can be written there.
    """
    directory = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(directory):
        raise OptionError(f"report: the directory {directory} does not exist.")
    if os.path.isdir(path) or not os.access(directory, os.W_OK):
        raise OptionError(f"report: {path} can't be written.")


def write_report(path: str, reply: dict[str, Any], check: bool) -> None:
    """Write the report, whole or not at all; the list of schemas is taken out of ``reply``.

    :raises OptionError: the disk is full, or the directory has gone meanwhile.
    """
    report = {
        "check": check,
        "tenancy": reply["tenancy"],
        "summary": reply["counts"],
        "schemas": reply.pop("schemas"),
    }
    try:
        _replace(path, report)
    except OSError as error:
        raise OptionError(
            f"report: {path} can't be written: {error.strerror}. What it would tell is done all the same.",
            hint="Run the task again without report:, or with a path that can be written, to see that nothing is left to do.",
        ) from None


def _replace(path: str, report: dict[str, Any]) -> None:
    directory = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".report-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
