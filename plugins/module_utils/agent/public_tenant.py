# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause


"""The public tenant and its domain: without them nothing routes, so no tenant is migrated before they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import Refusal
from .fleet import in_public
from .structure import read_tables

if TYPE_CHECKING:
    from .fleet import Fleet
    from .loading import Context


def require_public_tenant(context: Context, fleet: Fleet, planned: set[str]) -> None:
    """See that they are there, or are among what earlier steps of a check would have made.

    :raises Refusal: one of them is missing; the hint is the task that makes it.
    """
    if fleet.public in planned:
        return
    tenancy = context.tenancy
    domain = ", domains: ['<the host name of this environment>']" if tenancy.domain else ""
    task = f"meatscentral.tenancy.django_tenant: {{schema: {fleet.public!r}{domain}}}"
    row = next((row for row in fleet.tenants if row.key == fleet.public), None)
    tables = read_tables(context.connection, [fleet.public])[fleet.public]
    if tenancy.tenant._meta.db_table not in tables:
        raise Refusal(
            f"The table {fleet.public}.{tenancy.tenant._meta.db_table} of the tenants does not exist yet: what is shared comes first.",
            hint=f"Run meatscentral.tenancy.django_migrate_schemas with scope: shared, then {task}, then this task again.",
        )
    if row is None:
        raise Refusal(
            f"There is no public tenant: no {tenancy.tenant._meta.label} has the schema {fleet.public!r}, so no request would be routed.",
            hint=f"Run this task first: {task}",
        )
    if tenancy.domain and tenancy.domain_tenant_field:
        with in_public(context):
            domains = tenancy.domain._base_manager.using(context.alias).filter(**{tenancy.domain_tenant_field: row.pk})
            if not domains.exists():
                raise Refusal(
                    f"The public tenant {fleet.public!r} has no domain, so no request would be routed to it.",
                    hint=f"Run this task first: {task}",
                )
