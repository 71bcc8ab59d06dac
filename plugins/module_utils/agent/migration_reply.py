# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause


"""What is answered of a run over the fleet: schemas with the same migrations together, failures each by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .fleet_run import grouped_reasons
from .outcome import Failure, Outcome
from .plan import Plan, SchemaPlan, grouped

if TYPE_CHECKING:
    from .loading import Context


def reply(
    context: Context, plan: Plan, outcomes: list[Outcome], options: dict[str, Any], warnings: list[str]
) -> dict[str, Any]:
    failures = [
        Failure(item.schema.name, item.problem.message, hint=item.problem.hint)
        for item in plan.problems
        if item.problem
    ]
    failures += [outcome.failure for outcome in outcomes if outcome.failure]
    touched = {outcome.schema: outcome for outcome in outcomes}
    lines = {item.schema.name: item.lines for item in plan.pending}
    # In the order of the plan, whichever worker was first.
    begun = [touched[name] for name in lines if name in touched]
    done = [outcome for outcome in begun if outcome.applied or not outcome.failure]
    untouched = [item for item in plan.pending if item.schema.name not in touched]
    only_told = [outcome for outcome in outcomes if outcome.schema not in lines]
    answer: dict[str, Any] = {
        "tenancy": context.tenancy.facts(),
        "pending": grouped((item.lines, item.schema.name, None) for item in untouched),
        "migrated": grouped(
            (
                tuple(name for name, seconds in outcome.applied) if outcome.failure else lines[outcome.schema],
                outcome.schema,
                outcome.seconds,
            )
            for outcome in done
        ),
        "failed": [failure.as_reply() for failure in failures],
        "warnings": warnings,
        "through_django": grouped_reasons(begun),
        "counts": {
            "replayed": sum(1 for outcome in begun if outcome.executed == "replayed" and not outcome.failure),
            "schemas": len(plan.schemas),
            "migrated": sum(1 for outcome in begun if not outcome.failure),
            "pending": len(untouched),
            "failed": len(failures),
            "up_to_date": len(plan.schemas)
            - len(plan.pending)
            - len(plan.problems)
            - sum(1 for outcome in only_told if outcome.failure),
            "signalled": sum(1 for outcome in only_told if not outcome.failure),
        },
    }
    if options["report"]:
        answer["schemas"] = [
            _entry(item, touched.get(item.schema.name), {f.schema: f for f in failures}) for item in plan.schemas
        ]
    return answer


def _entry(item: SchemaPlan, outcome: Outcome | None, failures: dict[str, Failure]) -> dict[str, Any]:
    """One schema in the report."""
    failure = failures.get(item.schema.name)
    if failure:
        state = "failed"
    elif outcome and item.lines:
        state = "migrated"
    else:
        state = "pending" if item.lines else "up_to_date"
    applied = outcome.applied if outcome else []
    done = {migration for migration, seconds in applied}
    return {
        "schema": item.schema.name,
        "type": item.schema.type,
        "state": state,
        "recorded": len(item.schema.recorded),
        "executed": outcome.executed if outcome else None,
        "because": outcome.because if outcome else None,
        "applied": [
            {
                "migration": migration,
                "seconds": seconds,
                "executed": "replayed" if outcome and migration in outcome.replayed else "django",
            }
            for migration, seconds in applied
        ],
        "pending": [] if outcome and not failure else [line for line in item.lines if line not in done],
        "seconds": outcome.seconds if outcome else 0.0,
        "failure": failure.as_reply() if failure else None,
    }
