# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The command behind django_tenant: ensure tenants, each in a transaction and with a line in the reply of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .database import first_line, require_create, sqlstate
from .desired import Desired, contradictions, desired, schema_name_error
from .errors import AgentError, DatabaseProblem, OptionProblem, Refusal
from .fields import Values, checked, clean_value, missing_required, settable_fields
from .fleet import SchemaState, in_public, public_schema, read_fleet
from .graph import Graphs
from .migrate_schemas import WHOLE, make_plan
from .schemas import BuildFailed, lacking_grants, require_roles
from .structure import read_columns
from .tenants import Current, Steps, before_and_after, decide, read_current, sentences
from .writing import apply

if TYPE_CHECKING:
    from .loading import Context
    from .plan import SchemaPlan


class Work:
    """One tenant on its way: what is declared, what is there, the values, and the steps between."""

    def __init__(self, item: Desired) -> None:
        self.desired = item
        self.current = Current()
        self.values = Values()
        self.plan: SchemaPlan | None = None
        self.steps = Steps()
        self.error: dict[str, object] | None = None


def run(context: Context, options: dict[str, Any]) -> dict[str, Any]:
    """Ensure the declared tenants, or with ``check`` say what would be done.

    :param options: ``tenants`` (descriptions as the module's options give them), ``check``.
    :returns: ``tenancy``, ``tenants`` (a line each), ``planned``, ``warnings``.
    :raises AgentError: what was asked can't be done as a whole; nothing has been written.
    """
    check = options["check"]
    context.wire.doing("reading the tenants")
    works = _works(context, options["tenants"])
    columns = _columns(context, check)
    for work, current in zip(works, read_current(context, [work.desired for work in works], columns)):
        work.current = current
    _check_values(context, works)
    graphs = _plan_schemas(context, works)
    for work in works:
        pending = work.plan.lines if work.plan else ()
        work.steps = decide(work.desired, work.current, work.values, pending, settable_fields(context.tenancy.tenant))
    _refuse(context, works)
    warnings = _www_warnings(context, works)
    if not check:
        for number, work in enumerate(works, 1):
            if work.steps:
                context.wire.doing(f"ensuring the tenant {work.desired.label}")
                _apply(context, graphs, work)
                context.wire.event(
                    "tenant", tenant=work.desired.label, number=number, of=len(works), failed=work.error is not None
                )
        warnings += _not_kept(context, works, columns)
    return {
        "tenancy": context.tenancy.facts(),
        "tenants": [_line(work) for work in works],
        "planned": [work.desired.label for work in works if work.desired.present and _completes(context, work)],
        "warnings": warnings,
    }


def _works(context: Context, descriptions: list[dict[str, Any]]) -> list[Work]:
    declared, errors = [], []
    for description in descriptions:
        try:
            declared.append(desired(context.tenancy, description))
        except OptionProblem as problem:
            errors.append(str(problem))
    errors += contradictions(declared)
    _raise_all(errors)
    return [Work(item) for item in declared]


def _raise_all(errors: list[str]) -> None:
    if len(errors) == 1:
        raise OptionProblem(errors[0])
    if errors:
        raise OptionProblem(f"{len(errors)} things are wrong with what is declared: " + " ".join(errors), errors=errors)


def _columns(context: Context, check: bool) -> dict[str, set[str]]:
    """The columns that exist of the tenant's and the domain's table.

    :raises DatabaseProblem: some are still to come, and this is no check.
    """
    models = [model for model in (context.tenancy.tenant, context.tenancy.domain) if model]
    schema = public_schema(context)
    columns = dict(read_columns(context.connection, schema, [model._meta.db_table for model in models]))
    if check:
        return columns
    for model in models:
        table = model._meta.db_table
        lacking = [item.column for item in model._meta.concrete_fields if item.column not in columns[table]]
        if lacking:
            what = (
                f"the table {schema}.{table} does not exist"
                if not columns[table]
                else f"{schema}.{table} lacks {', '.join(lacking)}"
            )
            raise DatabaseProblem(
                f"{model._meta.label} is ahead of the database: {what}.",
                hint="Run this task first: meatscentral.tenancy.django_migrate_schemas: {scope: shared}",
            )
    return columns


def _check_values(context: Context, works: list[Work]) -> None:
    """Check every value of every tenant, and raise one error that lists all that is wrong."""
    model = context.tenancy.tenant
    errors = []
    with in_public(context):
        for work in works:
            item = work.desired
            if not item.present:
                continue
            work.values = checked(model, context.alias, item.attributes, {} if work.current.row else item.defaults)
            if work.current.row:
                fields = settable_fields(model)
                work.values.unused_defaults = [name for name in item.defaults if name not in fields]
            wrong = list(work.values.errors)
            wrong += _identity_errors(context, item)
            if work.current.row is None:
                given = set(work.values.attributes) | set(work.values.defaults) | set(item.identity)
                named = {error.partition(":")[0] for error in wrong}
                wrong += [f"{name}: is required, and has no value." for name in missing_required(model, given | named)]
            wrong += _domain_errors(context, work)
            errors += [f"{item.label}: {error}" for error in wrong]
    _raise_all(errors)


def _identity_errors(context: Context, item: Desired) -> list[str]:
    if item.schema:
        return []
    fields = {field.name: field for field in context.tenancy.tenant._meta.concrete_fields}
    errors = []
    for name, value in item.identity.items():
        if name not in fields:
            errors.append(
                f"{name}: {context.tenancy.tenant._meta.label} has no such field (it has: {', '.join(sorted(fields))})."
            )
            continue
        try:
            item.identity[name] = clean_value(fields[name], value)
        except Exception as error:
            errors.append(f"{name}: {' '.join(getattr(error, 'messages', [str(error)]))}")
    return errors


def _domain_errors(context: Context, work: Work) -> list[str]:
    from django.core.exceptions import ValidationError

    tenancy, errors = context.tenancy, []
    if not work.desired.domains or tenancy.domain is None or tenancy.domain_field is None:
        return []
    field = tenancy.domain._meta.get_field(tenancy.domain_field)
    for domain in work.desired.domains:
        try:
            field.clean(domain.name, None)
        except ValidationError as error:
            errors.append(f"domain {domain.name!r}: {' '.join(error.messages)}")
        claim = work.current.claimed.get(domain.name)
        if claim and not work.desired.move_domains:
            errors.append(
                f"the domain {domain.name!r} belongs to the tenant {claim[1]!r}; with move_domains: true it would be moved."
            )
    return errors


def _plan_schemas(context: Context, works: list[Work]) -> Graphs | None:
    """Under schema tenancy: the names checked, and what each declared tenant's schema lacks."""
    if not context.tenancy.by_schema:
        return None
    graphs = Graphs()
    names = [work.desired.schema for work in works if work.desired.schema]
    fleet = read_fleet(context, planned=names)
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_catalog.pg_namespace")
        existing = [row[0] for row in cursor.fetchall()]
    others = existing + [row.key for row in fleet.tenants]
    errors = []
    roles: set[str] = set()
    for work in works:
        name = work.desired.schema or ""
        state = fleet.schemas[name]
        work.current.schema_exists, work.current.recorded, work.current.has_recorder = (
            state.exists,
            state.recorded,
            state.has_recorder,
        )
        if not work.desired.present:
            continue
        error = None if work.current.row else schema_name_error(name, others)
        if error:
            errors.append(f"{name}: {error}")
        if name == fleet.public:
            # What the public schema lacks is the business of django_migrate_schemas.
            work.current.schema_exists = True
            continue
        roles |= set(work.desired.grant_to)
        if state.exists:
            work.current.grants_missing = lacking_grants(context, name, work.desired.grant_to)
        tenant_type = _type_of(context, work)
        wanted = SchemaState(name, state.exists, state.has_recorder, state.recorded, tenant_type)
        if state.exists:
            work.plan = make_plan(context, graphs, fleet, [wanted], WHOLE).schemas[0]
        else:
            work.plan = make_plan(context, graphs, fleet, [SchemaState(name, True, type=tenant_type)], WHOLE).schemas[0]
            work.plan.schema = wanted
    _raise_all(errors)
    require_roles(context, roles)
    return graphs


def _type_of(context: Context, work: Work) -> str | None:
    field = context.tenancy.type_field
    if field is None:
        return None
    given = {**work.values.defaults, **(work.current.row or {}), **work.values.attributes}
    if field in given:
        return str(given[field])
    default = context.tenancy.tenant._meta.get_field(field).get_default()
    return None if default is None else str(default)


def _refuse(context: Context, works: list[Work]) -> None:
    """What must not be done, found before anything is written."""
    for work in works:
        item, steps = work.desired, work.steps
        if not item.present:
            _refuse_removal(context, work)
        if steps.make_schema:
            require_create(context.connection, None)


def _refuse_removal(context: Context, work: Work) -> None:
    item = work.desired
    if item.schema and item.schema == context.tenancy.public_schema:
        raise Refusal(
            f"{item.label} is the public tenant: without it nothing routes, and its schema holds what all tenants share."
        )
    if item.drop_schema and item.confirm != item.schema:
        raise Refusal(
            f"{item.label}: the schema is dropped, with all its rows, only where confirm: is equal to its name.",
            hint=f"Add confirm: {item.schema!r} if that is meant; leave drop_schema: out to keep the schema.",
        )
    if item.schema or not work.steps.delete or item.confirm == item.label:
        return
    lost = _rows_lost(context, work.current.pk)
    if lost:
        raise Refusal(
            f"{item.label}: deleting the row would delete {', '.join(lost)} with it.",
            hint=f"Move them to another tenant first, or add confirm: {item.label!r} if that is meant.",
        )


def _rows_lost(context: Context, pk: Any) -> list[str]:
    """What a delete would take with it (foreign keys that cascade), but for the row itself and its domains."""
    from django.db.models import ProtectedError, RestrictedError
    from django.db.models.deletion import Collector

    tenancy = context.tenancy
    collector = Collector(using=context.alias)
    try:
        collector.collect([tenancy.tenant._base_manager.using(context.alias).get(pk=pk)])
    except (ProtectedError, RestrictedError) as error:
        raise Refusal(f"The project's models forbid it: {first_line(error)}") from None
    counts: dict[str, int] = {}
    for model, rows in collector.data.items():
        counts[model._meta.label] = counts.get(model._meta.label, 0) + len(rows)
    for queryset in collector.fast_deletes:
        counts[queryset.model._meta.label] = counts.get(queryset.model._meta.label, 0) + queryset.count()
    spared = {model._meta.label for model in (tenancy.tenant, tenancy.domain) if model}
    return [f"{count} {label}" for label, count in sorted(counts.items()) if count and label not in spared]


def _www_warnings(context: Context, works: list[Work]) -> list[str]:
    if not context.tenancy.by_schema or context.tenancy.subfolder_routing:
        return []
    return [
        f"{work.desired.label}: django-tenants' middleware takes www. off the host name, so the domain {domain.name!r} can never match."
        for work in works
        for domain in work.desired.domains
        if domain.name.startswith("www.")
    ]


def _apply(context: Context, graphs: Graphs | None, work: Work) -> None:
    """One tenant; what fails is kept with it, and the others go on."""
    from django.core.exceptions import ValidationError

    try:
        with in_public(context):
            apply(context, graphs, work.desired, work.current, work.steps, work.plan)
    except BuildFailed as failed:
        work.error = failed.failure.as_reply()
    except AgentError as refused:
        work.error = {"message": str(refused), **refused.details}
    except ValidationError as error:
        work.error = {"message": "The model refuses it: " + " ".join(error.messages)}
    except Exception as error:
        work.error = {"message": f"{type(error).__name__}: {first_line(error)}", "sqlstate": sqlstate(error)}
    finally:
        if context.tenancy.by_schema:
            context.connection.set_schema_to_public()


def _not_kept(context: Context, works: list[Work], columns: dict[str, set[str]]) -> list[str]:
    """Read back what was written: attributes that the project's own save() or signals changed again."""
    done = [work for work in works if work.steps and not work.error and work.desired.present]
    fields = settable_fields(context.tenancy.tenant)
    warnings = []
    for work, now in zip(done, read_current(context, [work.desired for work in done], columns) if done else []):
        left = decide(work.desired, now, work.values, (), fields)
        warnings += [
            f"{work.desired.label}: {name} was set, but the project's own code left {old!r}; it will be set again on every run."
            for name, (old, new) in left.changes.items()
            if name in work.steps.changes or (work.steps.create and not hasattr(new, "lookup"))
        ]
    return warnings


def _completes(context: Context, work: Work) -> bool:
    """Whether the tenant is whole only after these steps, so that later steps of a check take it as made."""
    steps = work.steps
    return steps.create or steps.builds_schema or bool(steps.add_domains or steps.move_domains)


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
