# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No rows of the tenants' apps are in the public schema, where no tenant's schema has these tables yet to hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..database import quoted
from ..expected import needed_after
from ..findings import ERROR, Finding, few
from ..fleet import RECORDER_TABLE
from ..sizes import read_sizes

if TYPE_CHECKING:
    from ..evidence import Evidence

# Where the hint moves the tables to.
_ASIDE = "before_tenants"


def findings(evidence: Evidence) -> Iterator[Finding]:
    context, public = evidence.context, evidence.fleet.public
    cohort = next((item for item in evidence.cohorts if item.first.name == public), None)
    if not context.tenancy.by_schema or cohort is None or cohort.plan.problem:
        return
    own = {item.table.name for item in evidence.needed.get(public, ())}
    held = {name for item in evidence.cohorts if item is not cohort for name in item.there}
    others = cohort.there.keys() - own - held - {RECORDER_TABLE}
    if not others:
        return
    loader, applied = evidence.graphs.for_recorded(cohort.first.recorded), cohort.plan.applied
    kinds = [kind for kind in evidence.kinds if not kind.public]
    tenants = {item.table.name for kind in kinds for item in needed_after(context, loader, applied, kind)}
    stray = others & tenants
    # Views are left out.
    sizes = read_sizes(context.connection, [public], stray) if stray else {}
    if all(size.empty for size in sizes.values()):
        return
    full, several = sorted(table for (schema, table), size in sizes.items() if not size.empty), len(sizes) > 1
    moves = " ".join(
        f"ALTER TABLE {quoted(public)}.{quoted(table)} SET SCHEMA {quoted(_ASIDE)};" for schema, table in sorted(sizes)
    )
    yield Finding(
        ERROR,
        f"{public}.{full[0]}",
        f"{few(full)} {'hold' if len(full) > 1 else 'holds'} rows in {public}, and belong{'' if len(full) > 1 else 's'} to the tenants' schemas now: "
        "the deploy would make empty tables there, and no tenant would see these rows again.",
        f"If a schema for each tenant is meant, put the {'tables' if several else 'table'} aside, deploy, and copy each tenant's rows from there: "
        f"CREATE SCHEMA IF NOT EXISTS {quoted(_ASIDE)}; {moves}",
        [public],
    )
