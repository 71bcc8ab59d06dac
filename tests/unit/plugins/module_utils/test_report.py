# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import OptionError
from ansible_collections.meatscentral.tenancy.plugins.module_utils._report import require_writable, write_report

if TYPE_CHECKING:
    from pathlib import Path


def reply() -> dict[str, Any]:
    return {"tenancy": {"kind": "schema"}, "counts": {"schemas": 1}, "schemas": [{"schema": "ćma"}], "pending": []}


def test_a_report_holds_the_full_list_and_the_reply_no_longer_does(tmp_path: Path) -> None:
    path, answer = tmp_path / "report.json", reply()
    write_report(str(path), answer, check=True)
    assert json.loads(path.read_text("utf-8")) == {
        "check": True,
        "tenancy": {"kind": "schema"},
        "summary": {"schemas": 1},
        "schemas": [{"schema": "ćma"}],
    }
    assert "schemas" not in answer


def test_a_report_can_be_read_by_everybody_and_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("older")
    write_report(str(path), reply(), check=False)
    assert json.loads(path.read_text("utf-8"))["check"] is False
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_where_a_report_can_not_be_made_the_older_one_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("older")
    with pytest.raises(TypeError):
        write_report(str(path), {**reply(), "schemas": [object()]}, check=False)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_is_not_there_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"report: the directory {tmp_path}/none does not exist"):
        require_writable(f"{tmp_path}/none/report.json")


def test_a_report_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"report: {tmp_path} can't be written"):
        require_writable(str(tmp_path))


def test_a_new_report_in_the_working_directory_is_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    require_writable("report.json")
    assert list(tmp_path.iterdir()) == []
