# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From what the audit found to a task's result. Pure."""

from __future__ import annotations

from typing import Any

# Which severities fail the task.
_FAILING = {"error": ("error",), "warning": ("error", "warning"), "never": ()}
_NAMED = 3


def audit_result(reply: dict[str, Any], fail_on: str) -> dict[str, Any]:
    """The result of django_tenancy_check.

    :param reply: ``tenancy``, ``findings`` (the worst first), ``counts``, ``ignored``, ``rules``, ``reading``, ``not_run``.
    :param fail_on: ``error``, ``warning`` or ``never``.
    """
    failing = [finding for finding in reply["findings"] if finding["severity"] in _FAILING[fail_on]]
    result = {
        "changed": False,
        "msg": _message(reply["counts"], failing),
        "tenancy": reply["tenancy"],
        "findings": reply["findings"],
        "rules": reply["rules"],
        "reading": reply["reading"],
        "not_run": reply["not_run"],
        "summary": {**reply["counts"], "ignored": reply["ignored"]},
    }
    if failing:
        result["failed"] = True
    return result


def _message(counts: dict[str, int], failing: list[dict[str, Any]]) -> str:
    parts = [_count(counts[severity], severity) for severity in ("error", "warning", "notice")]
    sentence = f"{', '.join(parts)}.".capitalize()
    if not failing:
        return sentence
    named = " ".join(
        f"{finding['rule']} at {finding['place']}: {finding['message']} {finding['hint']}"
        for finding in failing[:_NAMED]
    )
    more = f" And {len(failing) - _NAMED} more, in findings." if len(failing) > _NAMED else ""
    return f"{sentence} {named}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}" + ("" if number == 1 else "s")
