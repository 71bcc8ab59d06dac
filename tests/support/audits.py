# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the audit says of a variant of a sample, as one call."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .variants import Variant


def audit(variant: Variant, *rules: str, **options: Any) -> list[dict[str, Any]]:
    """The findings of these rules (of all, where none is named); nothing is written, and no rule was skipped that is named."""
    before = variant.dump()
    answer = variant.module("django_tenancy_check", fail_on="never", rules=list(rules), **options)
    assert not answer.get("failed"), answer
    assert variant.dump() == before
    assert not set(rules) & set(answer["not_run"]), answer["not_run"]
    assert not rules or {finding["rule"] for finding in answer["findings"]} <= set(rules)
    return list(answer["findings"])


def only(findings: list[dict[str, Any]]) -> dict[str, Any]:
    """The one finding that there is."""
    assert len(findings) == 1, findings
    return findings[0]


def follow(variant: Variant, finding: dict[str, Any]) -> None:
    """Run the stock commands and the statements of a hint, in their order, for every schema of the finding."""
    found = re.findall(
        r"'(manage\.py [^']+)'|((?:INSERT INTO|DELETE FROM|ALTER TABLE|CREATE SCHEMA|GRANT)\b[^;]*;)", finding["hint"]
    )
    assert found, finding["hint"]
    first = finding["schemas"][0]
    for schema in finding["schemas"]:
        for command, statement in found:
            if command:
                words = [word.replace(f"--schema={first}", f"--schema={schema}") for word in shlex.split(command)]
                variant.sample.manage(*words[1:])
            else:
                variant.execute(statement.replace(f'"{first}".', f'"{schema}".'))
