# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No two domains differ only in case, and django-tenants' domains are in lower case, as browsers send host names."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Iterator

from ..findings import WARNING, Finding, bounded
from ..remedies import domain_sql, literal

if TYPE_CHECKING:
    from ..evidence import Evidence
    from ..routing import CurrentDomain


def findings(evidence: Evidence) -> Iterator[Finding]:
    tenancy, routing = evidence.context.tenancy, evidence.routing
    if tenancy.subfolder_routing:
        # Folders' names, in which case counts.
        return
    spelt: dict[str, list[CurrentDomain]] = defaultdict(list)
    for domain in routing.domains or ():
        spelt[domain.name.lower()].append(domain)
    found = []
    for name, same in spelt.items():
        if len(same) == 1 and (same[0].name == name or not tenancy.by_schema):
            continue
        # The one that requests have come to so far.
        kept = next((domain for domain in same if domain.name == name), same[0])
        others = [domain for domain in same if domain is not kept]
        if others:
            who = ", ".join(f"{domain.name} of {routing.owner_of(domain)}" for domain in same)
            message = f"The domains {who} are one and the same to browsers, which don't mind the case of a host name."
        else:
            message = f"The domain {kept.name} of {routing.owner_of(kept)} is not in lower case, as browsers send host names, so no request matches it."
        found.append(Finding(WARNING, kept.name, message, _hint(evidence, kept, others), _owners(evidence, same)))
    yield from bounded(found)


def _hint(evidence: Evidence, kept: CurrentDomain, others: list[CurrentDomain]) -> str:
    statements = []
    if others:
        names = ", ".join(literal(domain.name) for domain in others)
        statements.append(f"DELETE FROM {{table}} WHERE {{domain}} IN ({names});")
    if kept.name != kept.name.lower():
        statements.append(
            f"UPDATE {{table}} SET {{domain}} = {literal(kept.name.lower())} WHERE {{domain}} = {literal(kept.name)};"
        )
    sql = domain_sql(evidence.context.tenancy, evidence.fleet.public, " ".join(statements))
    return f"{f'Keep the one of {evidence.routing.owner_of(kept)}, or another' if others else 'Write it in lower case'}: {sql}"


def _owners(evidence: Evidence, domains: list[CurrentDomain]) -> list[str]:
    return list(dict.fromkeys(evidence.routing.owner_of(domain) for domain in domains))
