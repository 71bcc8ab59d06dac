# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._audit_result import audit_result


def reply(*severities: str) -> dict[str, Any]:
    findings = [
        {"rule": f"rule-{n}", "severity": severity, "place": f"place-{n}", "message": f"It is {n}.", "hint": f"Do {n}."}
        for n, severity in enumerate(severities)
    ]
    counts = {severity: severities.count(severity) for severity in ("error", "warning", "notice")}
    return {
        "tenancy": None,
        "findings": findings,
        "counts": counts,
        "ignored": 2,
        "rules": {},
        "reading": {},
        "not_run": {},
    }


def test_nothing_found_is_no_failure() -> None:
    result = audit_result(reply(), "warning")
    assert "failed" not in result
    assert not result["changed"]
    assert result["msg"] == "No errors, no warnings, no notices."


@pytest.mark.parametrize(
    ("severity", "fail_on", "fails"),
    [
        ("error", "error", True),
        ("error", "warning", True),
        ("error", "never", False),
        ("warning", "error", False),
        ("warning", "warning", True),
        ("warning", "never", False),
        ("notice", "warning", False),
    ],
)
def test_a_finding_fails_the_task_from_the_severity_on_that_the_task_names(
    severity: str, fail_on: str, fails: bool
) -> None:
    assert audit_result(reply(severity), fail_on).get("failed", False) is fails


def test_the_message_names_the_first_that_fail_and_says_how_many_more_there_are() -> None:
    result = audit_result(reply("error", "error", "error", "error", "warning"), "error")
    assert result["msg"] == (
        "4 errors, 1 warning, no notices. rule-0 at place-0: It is 0. Do 0. rule-1 at place-1: It is 1. Do 1."
        " rule-2 at place-2: It is 2. Do 2. And 1 more, in findings."
    )


def test_the_summary_counts_what_was_ignored_as_well() -> None:
    assert audit_result(reply("notice"), "error")["summary"] == {"error": 0, "warning": 0, "notice": 1, "ignored": 2}
