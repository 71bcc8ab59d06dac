# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every schema with recorded migrations has a tenant's row: without one it is migrated no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..database import quoted
from ..findings import WARNING, Finding, bounded
from ..remedies import tenant_task

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    from django.conf import settings

    tenancy = evidence.context.tenancy
    # Schemas that a project keeps beside its tenants' on purpose.
    own = {getattr(settings, "TENANT_BASE_SCHEMA", None), *getattr(settings, "PG_EXTRA_SEARCH_PATHS", ())}
    yield from bounded(
        [
            Finding(
                WARNING,
                schema,
                f"The schema {schema} has recorded migrations, but no {tenancy.tenant._meta.label} has it, so that it is migrated no more.",
                f"If it is a tenant's: {tenant_task(tenancy, 'schema_name', schema)}, with its attributes and domains. If nobody needs its rows: "
                f"DROP SCHEMA {quoted(schema)} CASCADE;",
                [schema],
            )
            for schema in evidence.fleet.orphans
            if schema not in own and schema not in evidence.planned
        ]
    )
