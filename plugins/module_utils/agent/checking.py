# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is wrong with the tenants that a task declares: found against the models and the database, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cleaning import clean_given
from .database import first_line, require_create
from .desired import alike, schema_name_error
from .errors import DatabaseProblem, OptionProblem, Refusal
from .fields import Finder, ForeignRow, checked, clean_value, missing_required, settable_fields
from .fleet import in_public, public_schema
from .routing import fields_there
from .structure import read_columns

if TYPE_CHECKING:
    from .desired import Desired
    from .fleet import Fleet
    from .loading import Context
    from .routing import Columns
    from .tenants import Work


def raise_all(errors: list[str]) -> None:
    """One error that lists all that is wrong.

    :raises OptionProblem: something is.
    """
    if len(errors) == 1:
        raise OptionProblem(errors[0])
    if errors:
        raise OptionProblem(f"{len(errors)} things are wrong with what is declared: " + " ".join(errors), errors=errors)


def require_columns(context: Context, check: bool) -> Columns:
    """The columns that exist of the tables that hold tenants and domains.

    :raises DatabaseProblem: some are still to come, and this is no check.
    """
    schema = public_schema(context)
    columns = read_columns(context.connection, schema, context.tenancy.tables)
    for model in (context.tenancy.tenant, context.tenancy.domain):
        if check or model is None:
            continue
        there = fields_there(model, columns)
        lacking = [item.column for item in model._meta.concrete_fields if item.name not in there]
        if lacking:
            table = model._meta.db_table
            what = (
                f"{schema}.{table} lacks {', '.join(lacking)}"
                if columns[table]
                else f"the table {schema}.{table} does not exist"
            )
            raise DatabaseProblem(
                f"{model._meta.label} is ahead of the database: {what}.",
                hint="Run this task first: meatscentral.tenancy.django_migrate_schemas: {scope: shared}",
            )
    return columns


def finder(context: Context) -> Finder:
    schema = public_schema(context)
    return Finder(context.alias, lambda table: read_columns(context.connection, schema, [table])[table])


def identity_errors(context: Context, item: Desired) -> list[str]:
    """What is wrong with ``key``; its values are left as the model's fields take them."""
    from django.core.exceptions import ValidationError

    if item.schema:
        return []
    model = context.tenancy.tenant
    fields = {field.name: field for field in model._meta.concrete_fields}
    errors = []
    for name, value in item.identity.items():
        if name not in fields:
            errors.append(f"key: {model._meta.label} has no field {name!r} (it has: {', '.join(sorted(fields))}).")
            continue
        try:
            item.identity[name] = clean_value(fields[name], value)
        except ValidationError as error:
            errors.append(f"key: {name}: {value!r} does not fit: {' '.join(error.messages)}")
        except (TypeError, ValueError) as error:
            errors.append(f"key: {name}: {value!r} does not fit: {error}")
    return errors


def name_errors(context: Context, fleet: Fleet | None, works: list[Work]) -> list[str]:
    """What is wrong with the names of schemas that tenants are to have."""
    if fleet is None:
        return []
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_catalog.pg_namespace")
        others = alike([row[0] for row in cursor.fetchall()] + [row.key for row in fleet.tenants])
    found = [
        (work.schema, schema_name_error(work.schema, others.get(work.schema.lower(), ())))
        for work in works
        if work.desired.present and work.current.row is None
    ]
    return [f"{schema}: {error}" for schema, error in found if error]


def value_errors(context: Context, works: list[Work]) -> list[str]:
    """What is wrong with the values and domains of the tenants; the values are left as the model's fields take them."""
    model = context.tenancy.tenant
    find = finder(context)
    errors = []
    with in_public(context):
        for work in works:
            item = work.desired
            if not item.present:
                continue
            work.values = checked(model, find, item.attributes, {} if work.current.row else item.defaults)
            if work.current.row:
                work.values.unused_defaults = [name for name in item.defaults if name not in settable_fields(model)]
            wrong = list(work.values.errors)
            if work.current.row is None:
                # A value that is wrong is named already, and is not missing.
                given = {*item.attributes, *item.defaults, *item.identity}
                wrong += [f"{name}: is required, and has no value." for name in missing_required(model, given)]
            wrong += _type_errors(context, work) + _domain_errors(context, work)
            errors += [f"{item.label}: {error}" for error in wrong]
    return errors


def type_of(context: Context, work: Work) -> str | None:
    """The tenant's type, where the project has several: as declared, else as it is, else as the model makes it."""
    field = context.tenancy.type_field
    if field is None or field not in settable_fields(context.tenancy.tenant):
        return None
    given = {**work.values.defaults, **(work.current.row or {}), **work.values.attributes}
    value = given[field] if field in given else context.tenancy.tenant._meta.get_field(field).get_default()
    return None if value is None else str(value)


def _type_errors(context: Context, work: Work) -> list[str]:
    from django.conf import settings

    field = context.tenancy.type_field
    if field is None or work.desired.schema == context.tenancy.public_schema:
        return []
    known = [name for name in settings.TENANT_TYPES if name != context.tenancy.public_schema]
    tenant_type = type_of(context, work)
    if tenant_type in known or any(error.startswith(f"{field}:") for error in work.values.errors):
        return []
    return [f"{field}: {tenant_type!r} is none of the tenants' types ({', '.join(sorted(known))})."]


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


def model_errors(context: Context, works: list[Work], columns: Columns) -> list[str]:
    """What the model's own validation refuses of the rows as they would be saved."""
    from django.core.exceptions import ValidationError

    errors = []
    with in_public(context):
        for work in works:
            if not (work.steps.create or work.steps.changes):
                continue
            try:
                _validate(context, work, columns)
            except ValidationError as error:
                errors += [f"{work.desired.label}: {message}" for message in _messages(error)]
            except Exception as error:
                # The project's clean() may need what is only there once the row is written; then the write shows it.
                context.wire.doing(f"validating {work.desired.label} ({type(error).__name__})")
    return errors


def _messages(error: Any) -> list[str]:
    """What a model's validation says, with the fields that it says it of."""
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    return [
        message if name == "__all__" else f"{name}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    ]


def _validate(context: Context, work: Work, columns: Columns) -> None:
    item, steps, model = work.desired, work.steps, context.tenancy.tenant
    there = fields_there(model, columns)
    given: dict[str, Any] = dict(item.identity) if steps.create else {}
    given.update(steps.values if steps.create else {name: new for name, (old, new) in steps.changes.items()})
    instance = model()
    if not steps.create:
        instance._state.adding, instance._state.db = False, context.alias
        for name, value in (work.current.row or {}).items():
            setattr(instance, there[name].attname, value)
    settled = set()
    for name, value in given.items():
        if name not in there or (isinstance(value, ForeignRow) and value.value is None):
            continue
        attname = there[name].attname
        setattr(instance, attname, value.value if isinstance(value, ForeignRow) else getattr(value, "pk", value))
        settled.add(name)
    clean_given(instance, settled, item.identity if steps.create and item.schema else ())


def refuse(context: Context, works: list[Work]) -> None:
    """What must not be done, found before anything is written.

    :raises AgentError: there is such a thing.
    """
    for work in works:
        if not work.desired.present:
            _refuse_removal(context, work)
    if any(work.steps.make_schema for work in works):
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
    if not work.steps.delete or item.confirm == item.label:
        return
    lost = _rows_lost(context, work)
    if lost:
        raise Refusal(
            f"{item.label}: deleting the row would delete {', '.join(lost)} with it.",
            hint=f"Move them to another tenant first, or add confirm: {item.label!r} if that is meant.",
        )


def _rows_lost(context: Context, work: Work) -> list[str]:
    """What a delete would take with it (foreign keys that cascade), but for the row itself and its domains."""
    from django.db import Error
    from django.db.models import ProtectedError, RestrictedError
    from django.db.models.deletion import Collector

    tenancy = context.tenancy
    collector = Collector(using=context.alias)
    try:
        collector.collect([tenancy.tenant._base_manager.using(context.alias).get(pk=work.current.pk)])
        counts: dict[str, int] = {}
        for model, rows in collector.data.items():
            counts[model._meta.label] = counts.get(model._meta.label, 0) + len(rows)
        for queryset in collector.fast_deletes:
            counts[queryset.model._meta.label] = counts.get(queryset.model._meta.label, 0) + queryset.count()
    except (ProtectedError, RestrictedError) as error:
        raise Refusal(f"{work.desired.label}: the project's models forbid it: {first_line(error)}") from None
    except Error as error:
        if tenancy.by_schema:
            # A model of the tenants' apps points at the tenant; the delete itself would ask for its table in public too, and fail.
            return []
        raise DatabaseProblem(
            f"{work.desired.label}: what a delete would take with it can't be counted: {first_line(error)}",
            hint="Migrate everything first: meatscentral.tenancy.django_migrate_schemas: {scope: all}",
        ) from None
    own = [model for model in (tenancy.tenant, tenancy.domain) if model]
    spared = {part._meta.label for model in own for part in (model, *model._meta.get_parent_list())}
    return [f"{count} {label}" for label, count in sorted(counts.items()) if count and label not in spared]


def domain_warnings(context: Context, works: list[Work]) -> list[str]:
    """Domains that are stored as declared, and that no request can match."""
    if context.tenancy.subfolder_routing:
        return []
    warnings = []
    for work in works:
        for domain in work.desired.domains if work.desired.present else ():
            if any(character in domain.name for character in ":/ "):
                warnings.append(
                    f"{work.desired.label}: the domain {domain.name!r} is no bare host name"
                    " (no scheme, port, path or blank), so that no request matches it."
                )
            elif context.tenancy.by_schema and domain.name.startswith("www."):
                warnings.append(
                    f"{work.desired.label}: django-tenants' middleware takes www. off the host name, so the domain {domain.name!r} can never match."
                )
    return warnings
