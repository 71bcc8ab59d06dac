# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No table or column that pending migrations make is there already: they would fail with 'already exists'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..conflicts import COLUMN_THERE, TABLE_THERE
from ..database import quoted
from ..evidence import ghosts_of
from ..findings import ERROR, Finding, few, schemas_in_words
from ..mending import ancestors, commands, steps
from ..plan import name as named
from ..remedies import in_each

if TYPE_CHECKING:
    from ..conflicts import Conflict
    from ..evidence import AuditCohort, Evidence
    from ..fleet import Migration
    from ..forecast import Effect


def findings(evidence: Evidence) -> Iterator[Finding]:
    for cohort in evidence.cohorts:
        effects = evidence.pending_effects.get(cohort.first.name, [])
        spared = _faked_by_django(cohort, effects) if evidence.options["fake_initial"] else set()
        conflicts = [
            conflict
            for conflict in evidence.pending_conflicts[cohort.first.name]
            if conflict.kind in (TABLE_THERE, COLUMN_THERE)
            and conflict.maker is None
            and conflict.effect.migration not in spared
        ]
        if conflicts:
            yield _finding(evidence, cohort, conflicts)


def _faked_by_django(cohort: AuditCohort, effects: list[Effect]) -> set[Migration]:
    """The pending migrations that ``migrate --fake-initial`` records without running them (``detect_soft_applied``)."""
    return {
        effect.migration
        for effect in effects
        if _is_initial(effect) and not _not_there(cohort, effects, effect.migration)
    }


def _is_initial(effect: Effect) -> bool:
    source = effect.source
    if source.initial is None:
        return not any(app == source.app_label for app, _name in source.dependencies)
    return bool(source.initial)


def _not_there(cohort: AuditCohort, effects: list[Effect], migration: Migration, with_columns: bool = False) -> bool:
    """Whether something that a migration makes is not there."""
    for effect in effects:
        if effect.migration != migration:
            continue
        columns = cohort.there.get(effect.table)
        if effect.kind == "create_table" and (
            columns is None or (with_columns and not set(effect.columns or ()) <= columns)
        ):
            return True
        if effect.kind == "add_column" and effect.column not in (columns or ()):
            return True
    return False


def _finding(evidence: Evidence, cohort: AuditCohort, conflicts: list[Conflict]) -> Finding:
    things = [f"{item.table}.{item.column}" if item.column else item.table for item in conflicts]
    migrations = list(dict.fromkeys(item.effect.migration for item in conflicts))
    apps = {app for app, _name in migrations}
    message = (
        f"{few(things)} {'is' if len(things) == 1 else 'are'} there in {schemas_in_words(cohort.names)}, but {few(list(map(named, migrations)))} "
        f"{'is' if len(migrations) == 1 else 'are'} not recorded, and would fail with 'already exists'."
    )
    ghosts = [key for key in ghosts_of(evidence, cohort.first.recorded) if key[0] in apps]
    if ghosts:
        message += f" {few(list(map(named, ghosts)))}, recorded and not on disk, may have made {'it' if len(things) == 1 else 'them'}."
    place = f"{cohort.first.name}.{things[0]}"
    return Finding(ERROR, place, message, f"{in_each(cohort.names)}{_hint(evidence, cohort, conflicts)}", cohort.names)


def _hint(evidence: Evidence, cohort: AuditCohort, conflicts: list[Conflict]) -> str:
    """Record what is there as a whole; move out of the way what is something else."""
    context, schema, pending = evidence.context, cohort.first.name, cohort.plan.migrations
    effects = evidence.pending_effects[schema]
    renames = {item.effect.migration for item in conflicts if item.effect.kind.startswith("rename")}
    whole = {
        key
        for key in {item.effect.migration for item in conflicts} - renames
        if not _not_there(cohort, effects, key, with_columns=True)
    }
    parts = []
    away = [item for item in conflicts if item.effect.migration not in whole]
    if away:
        at_fault = few(list(dict.fromkeys(item.effect.name for item in away)))
        statements = " ".join(_away(evidence, schema, item) for item in away)
        parts.append(
            f"It is not, or not all, what {at_fault} would make: move it out of the way, rows and all. {statements}"
        )
    if whole:
        loader = evidence.graphs.for_recorded(cohort.first.recorded)
        first = ancestors(loader, whole) - whole
        parts.append(
            f"All that {few(list(map(named, (key for key in pending if key in whole))))} would make is there. If it is right, record it: "
            f"{commands(context.tenancy, schema, steps(pending, first & set(pending), whole))}."
        )
    return " ".join(parts)


def _away(evidence: Evidence, schema: str, conflict: Conflict) -> str:
    table = f"{quoted(schema)}.{quoted(conflict.table)}"
    if conflict.column:
        return f"ALTER TABLE {table} RENAME COLUMN {quoted(conflict.column)} TO {quoted(conflict.column + '_old')};"
    if evidence.context.connection.vendor != "postgresql":
        return f"ALTER TABLE {table} RENAME TO {quoted(conflict.table + '_old')};"
    # With its indexes, whose names would be in the way as well.
    attic = quoted(f"{schema}_old")
    return f"CREATE SCHEMA IF NOT EXISTS {attic}; ALTER TABLE {table} SET SCHEMA {attic};"
