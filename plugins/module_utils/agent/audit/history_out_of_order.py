# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Nothing is recorded before what it depends on: Django refuses to migrate with such a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..expected import gaps, makers, needed_after
from ..findings import ERROR, Finding, few, schemas_in_words
from ..forecast import whole_plan
from ..mending import ancestors, commands, descendants, record_sql, rows_of, steps, unrecord_sql
from ..plan import inconsistency
from ..plan import name as named
from ..remedies import in_each

if TYPE_CHECKING:
    from ..evidence import AuditCohort, Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    for cohort in evidence.cohorts:
        recorded = cohort.first.recorded
        loader, applied = evidence.graphs.for_recorded(recorded), evidence.graphs.applied(recorded)
        wrong = inconsistency(loader.graph, applied, loader.replacements)
        if wrong:
            child, parent = map(named, wrong)
            yield Finding(
                ERROR,
                f"{cohort.first.name}.django_migrations.{wrong[0][0]}",
                f"{child} is recorded in {schemas_in_words(cohort.names)}, but {parent}, which it depends on, is not: Django refuses to migrate.",
                f"{in_each(cohort.names)}{_hint(evidence, cohort)}",
                cohort.names,
            )


def _hint(evidence: Evidence, cohort: AuditCohort) -> str:
    """Record what is there; have run what is not, before what builds on it is recorded again."""
    context, schema, recorded = evidence.context, cohort.first.name, cohort.first.recorded
    loader, applied = evidence.graphs.for_recorded(recorded), evidence.graphs.applied(recorded)
    order = whole_plan(loader)
    whole = ancestors(loader, applied)
    lacking = [key for key in order if key in whole and key not in applied]
    kind = evidence.kind_of(cohort.first)
    absent = gaps(needed_after(context, loader, whole, kind), cohort.there, evidence.folds) if kind else []
    lost = {gap.table for gap in absent if not gap.column}
    made = makers(loader, whole, {app for app, _name in lacking}, context.connection)
    run = {key for key in lacking if any(gap in absent or gap.table in lost for gap in made.get(key, ()))}
    if not run:
        return f"What {few(list(map(named, lacking)))} makes is there, so record it: {record_sql(schema, rows_of(loader, lacking))}"
    back = descendants(loader, lacking, applied) - set(lacking)
    fake = back | (set(lacking) - run)
    return (
        f"What {few(sorted(map(named, run)))} makes is not there. Take back the records of what builds on it: {unrecord_sql(schema, rows_of(loader, back))} "
        f"Then run {commands(context.tenancy, schema, steps(order, run, fake))}."
    )
