# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.check_tenancy import FAILED, RULES, run
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.errors import DatabaseProblem
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.evidence import Evidence
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.findings import WARNING, Finding
from django.db import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS: dict[str, Any] = {"rules": ["raises", "finds"], "ignore": []}


@pytest.fixture
def evidence() -> Evidence:
    wire = SimpleNamespace(doing=lambda what: None)
    return Evidence(wire, None, tenancy_error=DatabaseProblem("not asked for"))


def raises(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Have one rule that finds something after one that raises."""

    def fail(evidence: Evidence) -> Iterator[Finding]:
        raise error

    found = Finding(WARNING, "here", "Something is wrong.", "Mend it.")
    monkeypatch.setitem(RULES, "raises", SimpleNamespace(findings=fail))
    monkeypatch.setitem(RULES, "finds", SimpleNamespace(findings=lambda evidence: [found]))


def test_a_rule_that_can_not_cope_is_named_and_the_others_look(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    raises(monkeypatch, KeyError("odd"))
    reply = run(evidence, OPTIONS)
    assert reply["not_run"] == {"raises": f"{FAILED}KeyError: 'odd'"}
    assert [finding["rule"] for finding in reply["findings"]] == ["finds"]


@pytest.mark.parametrize("error", [OperationalError("the server went away"), DatabaseProblem("no right to read")])
def test_what_stands_in_the_way_of_every_rule_ends_the_audit(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    raises(monkeypatch, error)
    with pytest.raises(type(error)):
        run(evidence, OPTIONS)
