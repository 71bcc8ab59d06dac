# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every tenant has a domain, or no request comes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import WARNING, Finding, bounded
from ..remedies import tenant_task

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    tenancy, routing = evidence.context.tenancy, evidence.routing
    if routing.domains is None or not (routing.domains or tenancy.by_schema):
        # Tenants as rows may be told apart by something else: by the user, or by a header.
        return
    spared = {*evidence.planned, evidence.fleet.public} if tenancy.by_schema else evidence.planned
    yield from bounded(
        [
            Finding(
                WARNING,
                name,
                f"The tenant {name} has no domain, so no request is routed to it.",
                f"Run this task: {tenant_task(tenancy, *routing.key_of(pk), more=_DOMAINS)}, or remove the tenant with state: absent.",
                [name],
            )
            for pk, name in routing.tenants.items()
            if not routing.by_tenant[pk] and name not in spared
        ]
    )


_DOMAINS = "domains: ['<its host name>']"
