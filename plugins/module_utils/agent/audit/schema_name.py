# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No tenant's schema has a name that PostgreSQL or django-tenants would take for another, or cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..database import quoted
from ..desired import alike, schema_name_error
from ..findings import ERROR, Finding, bounded
from ..remedies import literal

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.context.tenancy.by_schema:
        return
    yield from bounded(
        [
            Finding(ERROR, name, f"The tenant {name}: {why}", _hint(evidence, name), [name])
            for name, why in names_at_fault(evidence).items()
        ]
    )


def names_at_fault(evidence: Evidence) -> dict[str, str]:
    """The tenants' schemas whose name won't do, each with the reason."""
    fleet = evidence.fleet
    names = [row.key for row in fleet.tenants if row.key != fleet.public]
    folded = alike([fleet.public, *names])
    found = {}
    for name in names:
        same = sorted(folded[name.lower()], key=lambda other: (other != fleet.public, other != other.lower(), other))
        # Of names that are alike the first stays, and only the others have to go.
        why = schema_name_error(name, same[: same.index(name)])
        if why is None and name == "public":
            why = "the schema is the one that every role of PostgreSQL looks into, and not only this tenant's."
        if why:
            found[name] = why
    return found


def _hint(evidence: Evidence, name: str) -> str:
    tenancy, fleet = evidence.context.tenancy, evidence.fleet
    item = tenancy.tenant._meta.get_field("schema_name")
    table = f"{quoted(fleet.public)}.{quoted(item.model._meta.db_table)}"
    statement = (
        f"UPDATE {table} SET {quoted(item.column)} = '<new name>' WHERE {quoted(item.column)} = {literal(name)};"
    )
    stored = name.encode("utf-8")[:63].decode("utf-8", "ignore")
    if fleet.schemas[name].exists or stored in fleet.orphans:
        statement = f'ALTER SCHEMA {quoted(stored)} RENAME TO "<new name>"; {statement}'
    return f"Give it a name of small letters, digits and underscores, in one transaction: {statement}"
