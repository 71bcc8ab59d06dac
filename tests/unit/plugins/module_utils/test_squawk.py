# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._squawk import judge

from tests.support import checkout

if TYPE_CHECKING:
    from pathlib import Path

NO_LIMITS = {"lock_timeout": 0.0, "statement_timeout": 0.0}
LIMITS = {"lock_timeout": 2.0, "statement_timeout": 60.0}
INDEX = "CREATE INDEX i ON plants_dock (number)"


@pytest.fixture
def squawk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, of the collection's own tools."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(checkout.TOOLS), os.defpath]))


def judged(sql: dict[str, list[str]], **options: Any) -> dict[str, Any]:
    reply: dict[str, Any] = {"rehearsal": {"sql": sql, "findings": []}, "warnings": []}
    judge(reply, {**NO_LIMITS, **options})
    assert "sql" not in reply["rehearsal"]
    return reply


@pytest.mark.usefixtures("squawk")
def test_what_squawk_says_is_a_finding_of_the_migration_once_each() -> None:
    reply = judged({"plants.0004_dock": [f"{INDEX} -- a comment", INDEX], "plants.0005_x": ["SELECT 1"]}, **LIMITS)
    findings = reply["rehearsal"]["findings"]
    assert {
        "rule": "squawk/require-concurrent-index-creation",
        "severity": "warning",
        "place": "plants.0004_dock",
        "message": "During normal index creation, table updates are blocked, but reads are still allowed.",
        "hint": "Use `concurrently` to avoid blocking writes.",
    } in findings
    assert len(findings) == len({(item["rule"], item["place"], item["message"]) for item in findings})
    assert reply["warnings"] == [
        f"squawk has {len(findings)} finding{'s' * (len(findings) > 1)} on the SQL of the pending migrations, in rehearsal.findings."
    ]


@pytest.mark.usefixtures("squawk")
def test_a_time_limit_that_the_run_sets_is_not_missed() -> None:
    sql = {"plants.0004_dock": ["ALTER TABLE plants_dock ADD COLUMN a bigint"]}
    rules = {item["rule"] for item in judged(sql)["rehearsal"]["findings"]}
    assert "squawk/require-lock-timeout" in rules
    assert judged(sql, **LIMITS)["rehearsal"]["findings"] == []


def test_without_squawk_or_a_rehearsal_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert judged({"plants.0004_dock": [INDEX]}) == {"rehearsal": {"findings": []}, "warnings": []}
    reply: dict[str, Any] = {"rehearsal": None, "warnings": []}
    judge(reply, NO_LIMITS)
    assert reply == {"rehearsal": None, "warnings": []}


def test_a_squawk_that_does_not_work_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "squawk"
    program.write_text("#!/bin/sh\necho no such option >&2\nexit 2\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    reply = judged({"plants.0004_dock": [INDEX]})
    assert reply["warnings"] == ["squawk could not judge the SQL of the rehearsal: no such option"]
