# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Each tenant has exactly one primary domain, the one that links are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import WARNING, Finding, bounded
from ..remedies import tenant_task

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    tenancy, routing = evidence.context.tenancy, evidence.routing
    if not routing.has_primary:
        return
    found = []
    for pk, domains in routing.by_tenant.items():
        primaries = [domain.name for domain in domains if domain.primary]
        if not domains or len(primaries) == 1 or routing.tenants[pk] in evidence.planned:
            continue
        name = routing.tenants[pk]
        stays = (primaries or [domains[0].name])[0]
        what = (
            f"{len(primaries)} primary domains, {', '.join(primaries)}" if primaries else "domains, but no primary one"
        )
        task = tenant_task(tenancy, *routing.key_of(pk))
        hint = f"This task leaves {stays} as the primary one: {task}. Another is chosen with domains:, the first of which is primary."
        found.append(Finding(WARNING, name, f"The tenant {name} has {what}.", hint, [name]))
    yield from bounded(found)
