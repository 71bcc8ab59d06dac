# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Write one tenant: its row and domains through the project's models, its schema, in one transaction where that is possible."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Callable

from . import schemas
from .errors import Refusal
from .fields import ForeignRow, get_or_create

if TYPE_CHECKING:
    from .desired import Desired
    from .graph import Graphs
    from .loading import Context
    from .plan import SchemaPlan
    from .tenants import Current, Steps


def apply(
    context: Context, graphs: Graphs | None, desired: Desired, current: Current, steps: Steps, plan: SchemaPlan | None
) -> None:
    """Take the steps of one tenant.

    With migrations that can't share a transaction the steps are committed one by one, and the next call completes them.

    :raises schemas.BuildFailed: a migration failed; in one transaction nothing is left of any step.
    """
    from django.db import transaction

    whole = plan is None or graphs is None or not steps.builds_schema or schemas.one_transaction(context, graphs, plan)
    with ExitStack() as stack:
        if whole:
            stack.enter_context(transaction.atomic(using=context.alias))
        if not desired.present:
            _remove(context, desired, current, steps)
            return
        _write(context, graphs, desired, current, steps, plan)


def _write(
    context: Context, graphs: Graphs | None, desired: Desired, current: Current, steps: Steps, plan: SchemaPlan | None
) -> None:
    built = False

    def build(*args: object, **kwargs: object) -> bool:
        nonlocal built
        if plan is None or graphs is None or not steps.builds_schema or built:
            return False
        built = True
        schemas.build(context, graphs, plan)
        return True

    instance = None
    if steps.create or steps.changes:
        instance = _save_row(context, desired, current, steps, build)
    if steps.builds_schema and not built:
        build()
        if instance is None:
            instance = _instance(context, current.pk)
        if steps.make_schema or not current.has_recorder:
            _tell_schema_is_there(instance)
    if desired.schema and steps.grants:
        schemas.grant(context, desired.schema, steps.grants)
    if steps.touches_domains or (instance is not None and context.tenancy.domain):
        _write_domains(context, desired, steps, instance.pk if instance is not None else current.pk)


def _instance(context: Context, pk: Any) -> Any:
    return context.tenancy.tenant._base_manager.using(context.alias).get(pk=pk)


def _save_row(context: Context, desired: Desired, current: Current, steps: Steps, build: Callable[..., bool]) -> Any:
    """Save the row through the model. Where django-tenants' save() would make the schema, ours is made."""
    values = dict(steps.values) if steps.create else {name: new for name, (old, new) in steps.changes.items()}
    values = {
        name: get_or_create(value, context.alias) if isinstance(value, ForeignRow) else value
        for name, value in values.items()
    }
    if steps.create:
        instance = context.tenancy.tenant(**desired.identity, **values)
        instance.full_clean(
            exclude=[
                item.name
                for item in instance._meta.fields
                if item.name not in values and item.name not in desired.identity
            ]
        )
    else:
        instance = _instance(context, current.pk)
        for name, value in values.items():
            setattr(instance, name, value)
        instance.full_clean(exclude=[item.name for item in instance._meta.fields if item.name not in values])
    if not desired.schema:
        instance.save(using=context.alias)
        return instance
    # After a failure save() would drop the schema, even one that was there before and holds rows.
    overridden = {"create_schema": build, "delete": _do_nothing, "_drop_schema": _do_nothing}
    vars(instance).update(overridden)
    try:
        instance.save(using=context.alias)
    finally:
        for name in overridden:
            vars(instance).pop(name, None)
    return instance


def _do_nothing(*args: object, **kwargs: object) -> None:
    return None


def _tell_schema_is_there(instance: Any) -> None:
    """The signal by which save() says that it has made a schema; receivers fill it."""
    from django_tenants.models import TenantMixin
    from django_tenants.signals import post_schema_sync

    post_schema_sync.send(sender=TenantMixin, tenant=instance.serializable_fields())


def _write_domains(context: Context, desired: Desired, steps: Steps, tenant_pk: Any) -> None:
    """Bring the domains to what is declared, whatever the project's signals and save() made of them meanwhile."""
    tenancy = context.tenancy
    model, field, link, primary = (
        tenancy.domain,
        tenancy.domain_field,
        tenancy.domain_tenant_field,
        tenancy.primary_field,
    )
    if model is None or field is None or link is None:
        return
    rows = model._base_manager.using(context.alias)

    def save(instance: Any, is_primary: bool) -> None:
        if primary:
            setattr(instance, primary, is_primary)
        instance.full_clean(exclude=[item.name for item in instance._meta.fields if item.name not in (field, link)])
        instance.save(using=context.alias)

    losers = set()
    # The primary one first: DomainMixin.save() makes any domain primary where there is no other.
    for name in sorted((domain.name for domain in desired.domains), key=lambda name: name != steps.primary):
        spelt_before = next((old for old, new in steps.rename_domains.items() if new == name), name)
        lookup = field if tenancy.subfolder_routing else f"{field}__iexact"
        instance = rows.filter(**{lookup: spelt_before}).first() or model()
        owner = getattr(instance, f"{link}_id")
        is_primary = name == steps.primary
        unchanged = owner == tenant_pk and getattr(instance, field) == name
        if unchanged and (not primary or getattr(instance, primary) == is_primary):
            continue
        if owner not in (None, tenant_pk):
            if not desired.move_domains:
                raise Refusal(f"{desired.label}: the domain {name!r} belongs to another tenant meanwhile.")
            losers.add(owner)
        setattr(instance, field, name)
        setattr(instance, f"{link}_id", tenant_pk)
        save(instance, is_primary)
    declared = {domain.name for domain in desired.domains}
    for instance in rows.filter(**{link: tenant_pk}) if desired.exclusive_domains else ():
        if getattr(instance, field) not in declared:
            instance.delete()
    if primary:
        _one_primary(context, tenant_pk, steps.primary)
        for loser in losers:
            _one_primary(context, loser, None)


def _one_primary(context: Context, tenant_pk: Any, wanted: str | None) -> None:
    """Leave exactly one primary domain of a tenant. Written past save(), which may turn it round again."""
    tenancy = context.tenancy
    rows = tenancy.domain._base_manager.using(context.alias).filter(**{tenancy.domain_tenant_field: tenant_pk})  # type: ignore[union-attr]
    found = list(rows.order_by("pk").values_list("pk", tenancy.domain_field, tenancy.primary_field))
    if not found:
        return
    keep = next((pk for pk, name, primary in found if name == wanted), None)
    keep = keep or next((pk for pk, name, primary in found if primary), found[0][0])
    if [pk for pk, name, primary in found if primary] != [keep]:
        # Demoted first: a unique constraint may allow one primary domain a tenant.
        rows.exclude(pk=keep).update(**{tenancy.primary_field: False})
        rows.filter(pk=keep).update(**{tenancy.primary_field: True})


def _remove(context: Context, desired: Desired, current: Current, steps: Steps) -> None:
    instance = _instance(context, current.pk) if steps.delete else None
    if instance is not None:
        if desired.schema:
            # The schema goes only where the task says so, whatever the model's own flag is.
            instance.auto_drop_schema = False
        instance.delete()
    if steps.drop_schema and desired.schema:
        schemas.drop(context, desired.schema, instance)
