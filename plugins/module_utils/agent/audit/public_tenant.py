# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The public tenant is there and has a domain, that of this environment: without it no request is routed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import ERROR, WARNING, Finding
from ..public_tenant import public_domains, public_tenant_problem
from ..remedies import tenant_task

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    if not context.tenancy.by_schema:
        return
    fleet, wanted = evidence.fleet, evidence.options.get("domain")
    domains = public_domains(context, fleet)
    problem = public_tenant_problem(context, fleet, domains, *([wanted] if wanted else []))
    if problem:
        if fleet.public not in evidence.planned:
            yield Finding(ERROR, fleet.public, problem.message, problem.hint, [fleet.public])
        return
    names = [domain.name for domain in domains or ()]
    if wanted and domains is not None and wanted.lower() not in map(str.lower, names):
        task = tenant_task(context.tenancy, "schema_name", fleet.public, f"domains: ['{wanted}']")
        yield Finding(
            WARNING,
            fleet.public,
            f"The public tenant has the domains {', '.join(names)}, but not {wanted}: is this the database of another environment?",
            f"If it is, correct the environment that the project runs with. If not, run this task: {task}",
            [fleet.public],
        )
