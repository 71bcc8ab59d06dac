# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which operations of the migrations the database would refuse, where, and how bad that is; for the rules of the audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .findings import ERROR, WARNING, schemas_in_words

if TYPE_CHECKING:
    from .conflicts import Conflict
    from .evidence import Evidence
    from .forecast import Effect
    from .kinds import SchemaKind


@dataclass
class Refused:
    """An operation that is refused in an empty schema of some kinds, and in schemas that are there.

    ``schemas`` are those in which it is pending, and would be refused.
    """

    conflict: Conflict
    kinds: list[SchemaKind] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)

    @property
    def severity(self) -> str:
        """A new tenant's schema gets all the migrations; a database that is there only those that are pending."""
        return ERROR if self.schemas or not all(kind.public for kind in self.kinds) else WARNING

    @property
    def where(self) -> str:
        """Where it is refused, as the end of a sentence."""
        if self.schemas:
            return f"it would fail in {schemas_in_words(self.schemas)}"
        tenants = [kind.words for kind in self.kinds if not kind.public]
        if tenants:
            return f"it would fail in new {' and '.join(tenants)}"
        return "it would fail in an empty database, though not here, where it is recorded"


def refused(evidence: Evidence, *kinds: str) -> list[Refused]:
    """The operations that are refused for one of these kinds of conflict, one entry for all schemas."""
    found: dict[tuple[object, ...], Refused] = {}
    for schema_kind, conflicts in evidence.new_conflicts.items():
        for conflict in conflicts:
            if conflict.kind in kinds:
                found.setdefault(_key(conflict), Refused(conflict)).kinds.append(schema_kind)
    for cohort in evidence.cohorts:
        for conflict in evidence.pending_conflicts[cohort.first.name]:
            if _key(conflict) in found:
                found[_key(conflict)].schemas += cohort.names
    return list(found.values())


def leave_to_state(effect: Effect) -> str:
    """How to leave the second of two operations that make one thing to the state alone."""
    if type(effect.operation).__name__ == "RunSQL":
        return f"Let the statement at {effect.place} say IF NOT EXISTS, or take it out."
    return (
        f"Wrap the operation at {effect.place} in migrations.SeparateDatabaseAndState(state_operations=[...]), so that only the first one"
        " makes it, and add what the first lacks with a further migration."
    )


def _key(conflict: Conflict) -> tuple[object, ...]:
    effect = conflict.effect
    return conflict.kind, effect.migration, effect.index, conflict.table, conflict.column
