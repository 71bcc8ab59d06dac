# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.wire import _innermost

if TYPE_CHECKING:
    from pathlib import Path


def stack_of(function: object, *arguments: object) -> traceback.StackSummary:
    """The stack at the moment in which ``function`` ends with an error."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function(*arguments)  # type: ignore[operator]
    return traceback.extract_tb(caught.value.__traceback__)


def project_in(directory: Path) -> traceback.StackSummary:
    """The stack of a project's module that calls a library."""
    file = directory / "signals.py"
    file.write_text("import json\n\n\ndef receiver():\n    json.loads('{')\n")
    namespace: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), namespace)  # noqa: S102
    return stack_of(namespace["receiver"])


def test_a_time_out_names_the_line_of_the_project_and_not_of_the_library_it_called(tmp_path: Path) -> None:
    assert _innermost(project_in(tmp_path)) == f" ({tmp_path}/signals.py, line 5)"


def test_a_project_that_lies_in_its_virtual_environments_directory_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_paths", lambda: installed_below(tmp_path))
    (tmp_path / "app").mkdir()
    assert _innermost(project_in(tmp_path / "app")) == f" ({tmp_path}/app/signals.py, line 5)"


def installed_below(prefix: Path) -> dict[str, str]:
    library = str(prefix / "lib" / "python3.11" / "site-packages")
    return {
        "stdlib": json.__path__[0].rpartition("/")[0],
        "platstdlib": str(prefix / "lib" / "python3.11"),
        "purelib": library,
        "platlib": library,
        "include": f"{sys.base_prefix}/include",
        "scripts": str(prefix / "bin"),
        "data": str(prefix),
    }


def test_where_no_frame_is_the_projects_no_place_is_named() -> None:
    frames = [frame for frame in stack_of(json.loads, "{") if frame.filename != __file__]
    assert _innermost(traceback.StackSummary.from_list(frames)) == ""
    nowhere = traceback.FrameSummary("<tenancy_agent.serve>", 3, "serve", line="", lookup_line=False)
    assert _innermost(traceback.StackSummary.from_list([nowhere])) == ""
