# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every tenant's row has its schema: migrate_schemas stops at one that has none, before any other is migrated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import ERROR, Finding, bounded
from ..planning import without_schema
from .schema_name import names_at_fault

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.context.tenancy.by_schema:
        return
    spared = {*evidence.planned, *names_at_fault(evidence)}
    problems = {
        state.name: without_schema(state.name)
        for state in evidence.fleet.tenant_schemas
        if not state.exists and state.name not in spared
    }
    yield from bounded(
        [Finding(ERROR, schema, problem.message, problem.hint, [schema]) for schema, problem in problems.items()]
    )
