# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No app has moved between SHARED_APPS and TENANT_APPS while it stayed recorded where its tables are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import ERROR, Finding, few, schemas_in_words
from ..mending import run_again
from ..remedies import in_each

if TYPE_CHECKING:
    from ..evidence import AuditCohort, Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    for cohort in evidence.cohorts:
        moved = moved_apps(evidence, cohort)
        if moved:
            yield _finding(evidence, cohort, moved)


def moved_apps(evidence: Evidence, cohort: AuditCohort) -> dict[str, list[str]]:
    """The apps of which all tables are recorded here and on the other side only, with their tables."""
    if not evidence.context.tenancy.by_schema:
        return {}
    public = evidence.fleet.public
    here_is_public = cohort.first.name == public
    absent: dict[str, list[str]] = {}
    for gap in evidence.gaps.get(cohort.first.name, ()):
        if not gap.column:
            absent.setdefault(gap.app, []).append(gap.table)
    if not absent:
        return {}
    elsewhere: set[str] = set()
    for other in evidence.cohorts:
        if (other.first.name == public) != here_is_public:
            elsewhere |= other.there.keys()
    partly = {item.app for item in evidence.needed[cohort.first.name] if item.table.name in cohort.there}
    return {app: tables for app, tables in absent.items() if app not in partly and set(tables) <= elsewhere}


def _finding(evidence: Evidence, cohort: AuditCohort, moved: dict[str, list[str]]) -> Finding:
    apps, tables = sorted(moved), [table for app in sorted(moved) for table in moved[app]]
    if cohort.first.name == evidence.fleet.public:
        way, where = "from TENANT_APPS to SHARED_APPS", "only in the tenants' schemas"
    else:
        way, where = "from SHARED_APPS to TENANT_APPS", f"only in {evidence.fleet.public}"
    message = (
        f"The app{'' if len(apps) == 1 else 's'} {few(apps)} {'has' if len(apps) == 1 else 'have'} moved {way}: recorded in "
        f"{schemas_in_words(cohort.names)}, but {few(tables)} {'is' if len(tables) == 1 else 'are'} {where}."
    )
    loader, applied = evidence.graphs.for_recorded(cohort.first.recorded), cohort.plan.applied
    wanted = {key for key in applied if key[0] in moved and key in loader.graph.nodes}
    again = run_again(evidence.context.tenancy, cohort.first.name, loader, applied, wanted)
    hint = f"{in_each(cohort.names)}{again} The rows stay where they are: copy them yourself, or move the app back."
    return Finding(ERROR, f"{cohort.first.name}.{tables[0]}", message, hint, cohort.names)
