# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The command behind django_tenant: ensure tenants, each in a transaction and with a line in the reply of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .checking import (
    domain_warnings,
    finder,
    identity_errors,
    model_errors,
    name_errors,
    raise_all,
    refuse,
    require_columns,
    type_of,
    value_errors,
)
from .deploy_lock import DeployLock
from .desired import contradictions, desired
from .errors import OptionProblem
from .fields import ForeignRow, settable_fields
from .fleet import read_fleet
from .graph import Graphs
from .outcome import Failure
from .planning import WHOLE, make_plan
from .schemas import lacking_grants, require_roles
from .tenant_run import all_applied
from .tenants import Work, before_and_after, decide, read_current, sentences, shown

if TYPE_CHECKING:
    from .fleet import Fleet
    from .loading import Context
    from .routing import Columns


def run(context: Context, options: dict[str, Any]) -> dict[str, Any]:
    """Ensure the declared tenants, or with ``check`` say what would be done.

    :param options: ``tenants`` (descriptions as the module's options give them), ``check``, ``lock_wait`` (seconds).
    :returns: ``tenancy``, ``tenants`` (a line each), ``planned``, ``warnings``.
    :raises AgentError: what was asked can't be done as a whole; nothing has been written.
    """
    if options["check"]:
        return _ensure(context, options)
    context.wire.doing("waiting for the deploy lock")
    with DeployLock(context, options["lock_wait"]):
        return _ensure(context, options)


def _ensure(context: Context, options: dict[str, Any]) -> dict[str, Any]:
    check = options["check"]
    context.wire.doing("reading the tenants")
    works, errors = _works(context, options["tenants"])
    columns = require_columns(context, check)
    known = [work for work in works if not work.misfit]
    for work, current in zip(known, read_current(context, [work.desired for work in known], columns)):
        work.current = current
    schemas = [work.schema for work in works]
    # Of the other tenants only the names matter.
    fleet = read_fleet(context, planned=schemas, recorders_of=schemas) if context.tenancy.by_schema else None
    raise_all(errors + name_errors(context, fleet, works) + value_errors(context, works))
    graphs = _plan_schemas(context, fleet, works) if fleet else None
    for work in works:
        _decide(context, work)
    raise_all(model_errors(context, works, columns))
    refuse(context, works)
    warnings = domain_warnings(context, works) + _lost_schemas(works)
    if not check:
        with all_applied(context, graphs, works):
            warnings += _not_kept(context, works, columns)
    return {
        "tenancy": context.tenancy.facts(),
        "tenants": [_line(work) for work in works],
        "planned": [work.desired.label for work in works if _completes(work)],
        "warnings": warnings,
    }


def _lost_schemas(works: list[Work]) -> list[str]:
    """A schema that is made anew for a row that was there has none of the rows that it may have held."""
    return [
        f"{work.desired.label}: the row is there, but the schema {work.schema} was not, so an empty one is made. "
        "If it held rows before, they come from a backup only."
        for work in works
        if work.current.row is not None and work.steps.make_schema
    ]


def _works(context: Context, descriptions: list[dict[str, Any]]) -> tuple[list[Work], list[str]]:
    """The declared tenants, and what is wrong with the declarations as they stand."""
    works, errors = [], []
    for description in descriptions:
        try:
            item = desired(context.tenancy, description)
        except OptionProblem as problem:
            errors.append(str(problem))
            continue
        misfits = identity_errors(context, item)
        errors += [f"{item.label}: {error}" for error in misfits]
        works.append(Work(item, misfit=bool(misfits)))
    return works, errors + contradictions([work.desired for work in works])


def _plan_schemas(context: Context, fleet: Fleet, works: list[Work]) -> Graphs:
    """What each declared tenant's schema is, and what it lacks."""
    graphs = Graphs()
    for work in works:
        state = fleet.schemas[work.schema]
        # What the public schema lacks is the business of django_migrate_schemas.
        work.current.schema_exists = state.exists or work.schema == fleet.public
        work.current.recorded, work.current.has_recorder = state.recorded, state.has_recorder
    present = [work for work in works if work.desired.present]
    _read_grants(context, fleet, present)
    tenants = [work for work in present if work.schema != fleet.public]
    states = [replace(fleet.schemas[work.schema], type=type_of(context, work)) for work in tenants]
    # A schema that is still to be made is planned as an empty one.
    plans = make_plan(context, graphs, fleet, [replace(state, exists=True) for state in states], WHOLE).schemas
    for work, state, plan in zip(tenants, states, plans):
        plan.schema = state
        work.plan = plan
        if plan.problem and work.desired.migrate:
            work.error = Failure(work.schema, plan.problem.message, hint=plan.problem.hint).as_reply()
    return graphs


def _read_grants(context: Context, fleet: Fleet, works: list[Work]) -> None:
    roles = {role for work in works for role in work.desired.grant_to}
    require_roles(context, roles)
    lacking = lacking_grants(context, {work.schema for work in works if work.desired.grant_to}, roles)
    for work in works:
        exists = fleet.schemas[work.schema].exists
        work.current.grants_missing = [
            role for role in work.desired.grant_to if not exists or (work.schema, role) in lacking
        ]


def _decide(context: Context, work: Work) -> None:
    if work.error:
        return
    marks_primary = context.tenancy.primary_field is not None
    fields = settable_fields(context.tenancy.tenant)
    pending = work.plan.lines if work.plan else ()
    work.steps = decide(work.desired, work.current, work.values, pending, fields, marks_primary)


def _not_kept(context: Context, works: list[Work], columns: Columns) -> list[str]:
    """Read back what was written: what the project's own save() or signals changed again."""
    done = [work for work in works if work.steps and not work.error and work.desired.present]
    if not done:
        return []
    fields = settable_fields(context.tenancy.tenant)
    find = finder(context)
    warnings = []
    for work, now in zip(done, read_current(context, [work.desired for work in done], columns)):
        for value in work.values.attributes.values():
            if isinstance(value, ForeignRow):
                value.value = find(value)
        left = decide(work.desired, now, work.values, (), fields, context.tenancy.primary_field is not None)
        warnings += [
            f"{work.desired.label}: {name} was set, but the project's own code left {shown(name, old)!r}; it will be set again on every run."
            for name, (old, new) in left.changes.items()
        ]
        if left.touches_domains:
            warnings.append(
                f"{work.desired.label}: the domains were written, but the project's own code changed them again; they will be written again on every run."
            )
    return warnings


def _completes(work: Work) -> bool:
    """Whether the tenant is whole only after these steps, so that later steps of a check take it as made."""
    steps = work.steps
    completes = steps.create or steps.builds_schema or steps.add_domains or steps.move_domains
    return work.desired.present and not work.error and bool(completes)


def _line(work: Work) -> dict[str, Any]:
    steps = work.steps
    if work.error:
        state = "failed"
    elif not work.desired.present:
        state = "removed" if steps else "absent"
    elif steps.create:
        state = "created"
    else:
        state = "updated" if steps else "unchanged"
    before, after = before_and_after(work.desired, work.current, steps)
    line: dict[str, Any] = {
        "tenant": work.desired.label,
        "state": state,
        "actions": sentences(work.desired, work.current, steps),
        "migrations": list(steps.migrations),
        "domains": [domain.name for domain in work.desired.domains] or [domain.name for domain in work.current.domains],
        "unused_defaults": work.values.unused_defaults,
        "before": before,
        "after": after,
    }
    if work.error:
        line["error"] = work.error
    return line
