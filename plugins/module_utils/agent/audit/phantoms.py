# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every table and column that recorded migrations made is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..evidence import ghosts_of
from ..expected import makers
from ..findings import ERROR, Finding, few, schemas_in_words
from ..mending import run_again
from ..plan import name as named
from ..remedies import in_each
from .app_moved import moved_apps

if TYPE_CHECKING:
    from ..evidence import AuditCohort, Evidence
    from ..expected import Gap


def findings(evidence: Evidence) -> Iterator[Finding]:
    for cohort in evidence.cohorts:
        moved = moved_apps(evidence, cohort)
        gaps = [gap for gap in evidence.gaps.get(cohort.first.name, ()) if gap.app not in moved]
        if gaps:
            yield _finding(evidence, cohort, gaps)


def _finding(evidence: Evidence, cohort: AuditCohort, gaps: list[Gap]) -> Finding:
    loader = evidence.graphs.for_recorded(cohort.first.recorded)
    apps, known, lost = {gap.app for gap in gaps}, set(gaps), {gap.table for gap in gaps if not gap.column}
    made = makers(loader, cohort.plan.applied, apps, evidence.context.connection)
    # By migration: what of its is absent. Of a table that is absent all columns are.
    absent = {key: {gap for gap in things if gap in known or gap.table in lost} for key, things in made.items()}
    absent = {key: things for key, things in absent.items() if things}
    partly = {key for key, things in absent.items() if len(things) < len(made[key])}
    ghosts = [key for key in ghosts_of(evidence, cohort.first.recorded) if key[0] in apps]
    message = (
        f"{few([gap.name for gap in gaps])} {'is' if len(gaps) == 1 else 'are'} not there in {schemas_in_words(cohort.names)}, "
        f"although {few(sorted(map(named, absent)))} {'is' if len(absent) == 1 else 'are'} recorded."
    )
    if ghosts:
        message += (
            f" {few(sorted(map(named, ghosts)))}, recorded as well and not on disk, may have been renamed or replaced."
        )
    hints = []
    if partly:
        columns = sorted(gap.name for key in partly for gap in absent[key] & known)
        hints.append(
            f"{few(sorted(map(named, partly)))} made something else when it ran: it was changed, or another had its name. "
            f"Put it back as it was, and let 'manage.py makemigrations' make a migration for {few(columns)}."
        )
    wanted = absent.keys() - partly
    if wanted:
        # Of an app that has nothing here, all is to be run again: also what only alters what others make.
        here = {item.app for item in evidence.needed[cohort.first.name] if item.table.name in cohort.there}
        gone = {app for app, name in wanted} - here - {app for app, name in partly}
        wanted |= {key for key in cohort.plan.applied if key[0] in gone and key in loader.graph.nodes}
        again = run_again(evidence.context.tenancy, cohort.first.name, loader, cohort.plan.applied, wanted)
        hints.append(f"{in_each(cohort.names)}{again}")
    hint = " ".join(hints)
    return Finding(ERROR, f"{cohort.first.name}.{gaps[0].name}", message, hint, cohort.names)
