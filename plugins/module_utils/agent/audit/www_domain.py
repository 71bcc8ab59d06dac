# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No domain begins with www., which django-tenants' middleware takes off the host name before it looks for the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import NOTICE, WARNING, Finding, bounded
from ..remedies import domain_sql, literal

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    tenancy, routing = evidence.context.tenancy, evidence.routing
    if tenancy.subfolder_routing:
        return
    names = {domain.name for domain in routing.domains or ()}
    found = []
    for domain in routing.domains or ():
        if not domain.name.lower().startswith("www."):
            continue
        bare, owner = domain.name[4:], routing.owner_of(domain)
        if tenancy.by_schema:
            severity = WARNING
            message = f"The domain {domain.name} of {owner} can never match: django-tenants' middleware takes www. off the host name first."
        else:
            severity = NOTICE
            message = f"The domain {domain.name} of {owner} begins with www.: it matches only if the project's middleware leaves that on the host name."
        statement = (
            f"DELETE FROM {{table}} WHERE {{domain}} = {literal(domain.name)};"
            if bare in names
            else f"UPDATE {{table}} SET {{domain}} = {literal(bare)} WHERE {{domain}} = {literal(domain.name)};"
        )
        why = f"{bare} is there as well" if bare in names else "Store it without"
        names.add(bare)
        hint = f"{why}: {domain_sql(tenancy, evidence.fleet.public, statement)}"
        found.append(Finding(severity, domain.name, message, hint, [owner]))
    yield from bounded(found)
