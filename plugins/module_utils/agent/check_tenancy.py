# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The command behind django_tenancy_check: the rules of the audit, one after the other. Nothing is written."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .audit import RULES
from .errors import AgentError, LoadProblem, OptionProblem, TenancyProblem
from .evidence import Evidence, Unknown
from .findings import SEVERITIES, Finding, in_order, is_ignored
from .loading import connect_tenancy, load_apps, reason

if TYPE_CHECKING:
    from .loading import Context
    from .wire import Wire

# Begins the reason why a rule did not look where the rule itself is at fault.
FAILED = "the rule could not cope with this project: "


def prepare(wire: Wire, project: dict[str, Any], writes: bool) -> Evidence:
    """Load the project as far as it loads: what stands in the way is a finding.

    :raises AgentError: the task's own options are wrong, or the database can't be reached.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            load_apps(wire, project)
        except LoadProblem as error:
            return Evidence(wire, None, load_error=error)
    said = [str(warning.message) for warning in caught]
    try:
        context = connect_tenancy(wire, project, writes)
    except TenancyProblem as error:
        if _is_of_the_task(project, str(error)):
            raise
        return Evidence(wire, None, tenancy_error=error, load_warnings=said)
    _read_only(context)
    return Evidence(wire, context, load_warnings=said)


def _is_of_the_task(project: dict[str, Any], message: str) -> bool:
    """Whether an option of the task is wrong, rather than the project."""
    return any(
        project[option] and message.startswith(f"{option}:") for option in ("database", "tenant_model", "domain_model")
    )


def _read_only(context: Context) -> None:
    """Let the database refuse whatever the project's own code might write while it is looked at."""
    with context.connection.cursor() as cursor:
        if context.connection.vendor == "sqlite":
            cursor.execute("PRAGMA query_only = ON")
        elif context.connection.vendor == "postgresql" and not context.pooled:
            # Of the session, which is ours: one transaction for all would hold a lock on every recorder at once.
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")


def run(evidence: Evidence, options: dict[str, Any]) -> dict[str, Any]:
    """Have the rules look.

    :param options: ``rules`` (only these; all where empty), ``ignore`` (``rule`` or ``rule:place``), ``planned`` (tenants that
        later tasks of the play ensure), ``planned_public`` (whether the public one is among them), ``fake_initial``.
    :returns: ``tenancy`` (None where it makes none), ``findings`` (the worst first), ``counts``, ``ignored`` (a number), ``rules`` and
        ``reading`` (seconds by rule and by what was read), ``not_run`` (rule to reason).
    :raises OptionProblem: a rule that does not exist.
    """
    wanted = _chosen(options["rules"])
    _chosen([item.partition(":")[0] for item in options["ignore"]], "ignore")
    evidence.options = options
    found: list[Finding] = []
    seconds: dict[str, float] = {}
    skipped: dict[str, str] = {}
    for name in wanted:
        evidence.wire.doing(f"looking with the rule {name}")
        started, read = time.monotonic(), evidence.reading_seconds
        try:
            found += [replace(finding, rule=name) for finding in RULES[name].findings(evidence)]
        except Unknown as unknown:
            skipped[name] = str(unknown)
        except AgentError:
            raise
        except Exception as error:
            # A project that is odd in a way that the rule does not know is no faulty one: the deploy goes on without the rule.
            if _is_lost(error):
                raise
            skipped[name] = f"{FAILED}{reason(error)}"
        seconds[name] = round(time.monotonic() - started - (evidence.reading_seconds - read), 4)
    kept = [finding for finding in in_order(found) if not is_ignored(finding, options["ignore"])]
    return {
        "tenancy": evidence.tenancy_facts(),
        "findings": [finding.as_reply() for finding in kept],
        "counts": {severity: sum(finding.severity == severity for finding in kept) for severity in SEVERITIES},
        "ignored": len(found) - len(kept),
        "rules": seconds,
        "reading": {name: round(time_taken, 4) for name, time_taken in evidence.seconds.items()},
        "not_run": skipped,
    }


def _is_lost(error: Exception) -> bool:
    """Whether the database itself is what failed, for the rules to come too."""
    try:
        from django.db import InterfaceError, OperationalError
    except ImportError:
        return False
    return isinstance(error, (InterfaceError, OperationalError))


def _chosen(names: list[str], option: str = "rules") -> list[str]:
    unknown = sorted(set(names) - set(RULES))
    if unknown:
        raise OptionProblem(
            f"{option}: there is no rule {', '.join(map(repr, unknown))}.", hint=f"The rules are: {', '.join(RULES)}."
        )
    return [name for name in RULES if not names or name in names]
