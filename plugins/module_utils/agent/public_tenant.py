# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause


"""The public tenant and its domain: without them nothing routes, so no tenant is migrated before they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import Refusal
from .fleet import in_public
from .plan import Problem
from .remedies import tenant_task
from .routing import domain_rows, read_domains
from .structure import read_columns, read_tables

if TYPE_CHECKING:
    from .fleet import Fleet
    from .loading import Context
    from .routing import CurrentDomain


def require_public_tenant(context: Context, fleet: Fleet, planned: set[str]) -> None:
    """See that they are there, or are among what earlier steps of a check would have made.

    :raises Refusal: one of them is missing; the hint is the task that makes it.
    """
    if fleet.public in planned:
        return
    problem = public_tenant_problem(context, fleet, public_domains(context, fleet))
    if problem:
        raise Refusal(problem.message, hint=problem.hint)


def public_domains(context: Context, fleet: Fleet) -> list[CurrentDomain] | None:
    """The domains of the public tenant; None where there can be none."""
    columns = read_columns(context.connection, fleet.public, context.tenancy.tables)
    rows = domain_rows(context, columns)
    if rows is None:
        return None
    owners = [row.pk for row in fleet.tenants if row.key == fleet.public]
    with in_public(context):
        return read_domains(context, columns, rows.filter(**{f"{context.tenancy.domain_tenant_field}__in": owners}))


def public_tenant_problem(
    context: Context,
    fleet: Fleet,
    domains: list[CurrentDomain] | None,
    domain: str = "<the host name of this environment>",
) -> Problem | None:
    """Which of them is missing; the hint is the task that makes it.

    :param domains: those of the public tenant, as :func:`public_domains` reads them.
    :param domain: the one that it should have.
    """
    tenancy = context.tenancy
    task = tenant_task(tenancy, "schema_name", fleet.public, f"domains: ['{domain}']" if tenancy.domain else "")
    table = tenancy.tenant._meta.db_table
    if table not in read_tables(context.connection, [fleet.public])[fleet.public]:
        return Problem(
            f"The table {fleet.public}.{table} of the tenants does not exist yet: what is shared comes first.",
            f"Run meatscentral.tenancy.django_migrate_schemas with scope: shared, then {task}, then this task again.",
        )
    if not any(row.key == fleet.public for row in fleet.tenants):
        return Problem(
            f"There is no public tenant: no {tenancy.tenant._meta.label} has the schema {fleet.public!r}, so no request would be routed.",
            f"Run this task first: {task}",
        )
    if domains is not None and not domains:
        return Problem(
            f"The public tenant {fleet.public!r} has no domain, so no request would be routed to it.",
            f"Run this task first: {task}",
        )
    return None
