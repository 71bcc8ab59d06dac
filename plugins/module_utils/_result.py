# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From the agent's reply to a task's result: the only place where ``changed``, ``msg``, ``diff`` and ``summary`` are made."""

from __future__ import annotations

from collections import Counter
from typing import Any

_NAMED = 5


def tenant_result(reply: dict[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The result of django_tenant.

    :param reply: ``tenancy``, ``tenants`` (each with ``state``, ``actions``, ``before``, ``after``), ``planned``, ``warnings``.
    """
    lines = reply["tenants"]
    counts = Counter(line["state"] for line in lines)
    changed = [line for line in lines if line["actions"] and line["state"] != "failed"]
    failed = [line for line in lines if line["state"] == "failed"]
    result = {
        "changed": bool(changed),
        "tenancy": reply["tenancy"],
        "tenants": [{key: value for key, value in line.items() if key not in ("before", "after")} for line in lines],
        "summary": {
            state: counts.get(state, 0) for state in ("created", "updated", "unchanged", "removed", "absent", "failed")
        },
        "planned": reply["planned"],
        "msg": _tenant_message(lines, changed, failed, check),
    }
    if diff:
        result["diff"] = [
            {
                "before_header": line["tenant"],
                "after_header": line["tenant"],
                "before": line["before"],
                "after": line["after"],
            }
            for line in changed
        ]
    if failed:
        result["failed"] = True
    return result


def _tenant_message(
    lines: list[dict[str, Any]], changed: list[dict[str, Any]], failed: list[dict[str, Any]], check: bool
) -> str:
    if failed:
        first, *others = failed
        named = ", ".join(line["tenant"] for line in others[:_NAMED])
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        also = f" Failed as well: {named}{more}." if others else ""
        return (
            f"{len(failed)} of {_count(len(lines), 'tenant')} failed: {first['tenant']}: {_where(first['error'])}{also}"
        )
    if not changed:
        return (
            f"{lines[0]['tenant']} is as declared." if len(lines) == 1 else f"All {len(lines)} tenants are as declared."
        )
    would = "would " if check else ""
    if len(changed) == 1:
        return f"{changed[0]['tenant']}: {would}{'; '.join(changed[0]['actions'])}."
    counts = Counter(line["state"] for line in changed)
    parts = ", ".join(f"{number} {would and 'to be '}{state}" for state, number in counts.items())
    return f"{len(changed)} of {len(lines)} tenants: {parts}."


def migration_result(reply: dict[str, Any], check: bool, diff: bool) -> dict[str, Any]:
    """The result of django_migrate_schemas.

    :param reply: ``tenancy``, ``pending`` and ``migrated`` (groups of schemas with the same migrations), ``failed``, ``counts``.
    """
    groups = reply["pending"] if check else reply["migrated"]
    result = {
        "changed": bool(groups),
        "tenancy": reply["tenancy"],
        "pending": reply["pending"],
        "migrated": reply["migrated"],
        "failures": reply["failed"],
        "summary": reply["counts"],
        "through_django": reply["through_django"],
        "msg": _migration_message(reply, check),
    }
    if reply.get("rehearsal"):
        result["rehearsal"] = reply["rehearsal"]
    if diff:
        result["diff"] = [_migration_diff(group) for group in groups]
    if reply["failed"]:
        result["failed"] = True
    return result


def _migration_diff(group: dict[str, Any]) -> dict[str, Any]:
    names = group["schemas"]
    header = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return {
        "before_header": header,
        "after_header": header,
        "before": "",
        "after": "".join(f"{name}\n" for name in group["migrations"]),
    }


def _migration_message(reply: dict[str, Any], check: bool) -> str:
    counts, failed = reply["counts"], reply["failed"]
    if failed:
        first = failed[0]
        more = f" (and {len(failed) - 1} more, in failures)" if len(failed) > 1 else ""
        done = f" {_count(counts['migrated'], 'schema')} migrated." if counts["migrated"] else ""
        return f"{len(failed)} of {_count(counts['schemas'], 'schema')} failed: {first['schema']}: {_where(first)}{more}{done}"
    number = counts["pending"] if check else counts["migrated"]
    if not number:
        return (
            f"All {counts['schemas']} schemas are up to date."
            if counts["schemas"] != 1
            else "The schema is up to date."
        )
    groups = reply["pending"] if check else reply["migrated"]
    migrations = sum(len(group["migrations"]) * group["count"] for group in groups)
    what = f"{_count(migrations, 'migration')} in {_count(number, 'schema')}"
    return f"{what} would be applied." if check else f"{what} applied."


def _where(failure: dict[str, Any]) -> str:
    parts = [failure["message"]]
    if failure.get("migration"):
        parts.insert(0, f"{failure['migration']}:")
    if failure.get("sqlstate"):
        parts.append(f"(SQLSTATE {failure['sqlstate']})")
    if failure.get("hint"):
        if not parts[-1].endswith((".", "?", "!", ":")):
            parts[-1] += "."
        parts.append(failure["hint"])
    return " ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def info_result(reply: dict[str, Any]) -> dict[str, Any]:
    """The result of django_tenant_info."""
    pending = sum(group["count"] for group in reply["pending"])
    tenants, missing = len(reply["tenants"]), len(reply["missing"])
    parts = [
        _count(tenants, "tenant"),
        f"{_count(pending, 'schema')} with pending migrations",
        f"{_count(missing, 'table')} missing",
    ]
    if reply["problems"]:
        parts.append(f"{_count(len(reply['problems']), 'schema')} that can't be migrated")
    return {
        **reply,
        "changed": False,
        "summary": {
            "tenants": tenants,
            "schemas": len(reply["schemas"]),
            "pending": pending,
            "problems": len(reply["problems"]),
            "missing": missing,
            "orphans": len(reply["orphans"]),
        },
        "msg": ", ".join(parts) + ".",
    }
