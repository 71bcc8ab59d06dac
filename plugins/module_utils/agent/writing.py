# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Write one tenant: its row and domains through the project's models, its schema, in one transaction where that is possible."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from . import schemas
from .cleaning import clean_given
from .errors import Refusal
from .fields import ForeignRow, get_or_create
from .path_once import path_once

if TYPE_CHECKING:
    from .desired import Desired
    from .loading import Context
    from .new_schemas import NewSchemas
    from .plan import SchemaPlan
    from .tenants import Current, Steps


def apply(context: Context, builder: Builder, desired: Desired, current: Current, steps: Steps) -> None:
    """Take the steps of one tenant.

    With migrations that can't share a transaction the steps are committed one by one, and the next call completes them.

    :raises schemas.BuildFailed: a migration failed; in one transaction nothing is left of any step.
    """
    from django.db import transaction

    with ExitStack() as stack:
        if builder.in_one_transaction:
            stack.enter_context(transaction.atomic(using=context.alias))
            stack.enter_context(path_once(context.connection))
        if desired.present:
            _write(context, builder, desired, current, steps)
        else:
            _remove(context, desired, current, steps)


class Builder:
    """Builds the tenant's schema once, when the model's save() asks for it or else afterwards."""

    def __init__(self, context: Context, new_schemas: NewSchemas | None, plan: SchemaPlan | None) -> None:
        self.context, self.new_schemas, self.plan = context, new_schemas, plan
        self.done = False
        self.told = False
        self.failure: schemas.BuildFailed | None = None

    @property
    def in_one_transaction(self) -> bool:
        if self.new_schemas is None or self.plan is None:
            return True
        return schemas.one_transaction(self.context, self.new_schemas.graphs, self.plan)

    def build(self) -> bool:
        """Whether there was something to build, and it was built."""
        if self.done or self.plan is None or self.new_schemas is None:
            return False
        self.done = True
        try:
            schemas.build(self.context, self.new_schemas.graphs, self.plan, self.new_schemas)
        except schemas.BuildFailed as failure:
            # Kept, since the project's save() or receivers may swallow it.
            self.failure = failure
            raise
        return True

    @contextmanager
    def in_place_of_create_schema(self, instance: Any) -> Iterator[None]:
        """Have django-tenants' save() of this tenant build the schema here, and never drop one.

        After a failure save() would drop the schema, even one that was there before and holds rows. The project's
        own create_schema(), if it has one, is still called, and calls this through super().
        """
        from django_tenants.models import TenantMixin
        from django_tenants.signals import post_schema_sync

        original = TenantMixin.create_schema

        def told(**kwargs: object) -> None:
            self.told = True

        def create_schema(tenant: Any, *args: Any, **kwargs: Any) -> Any:
            return self.build() if tenant is instance else original(tenant, *args, **kwargs)

        TenantMixin.create_schema = create_schema
        vars(instance).update(delete=_do_nothing, _drop_schema=_do_nothing)
        post_schema_sync.connect(told)
        try:
            yield
        except Exception:
            if self.failure:
                raise self.failure from None
            raise
        finally:
            post_schema_sync.disconnect(told)
            TenantMixin.create_schema = original
            for name in ("delete", "_drop_schema"):
                vars(instance).pop(name, None)
        if self.failure:
            raise self.failure


def _write(context: Context, builder: Builder, desired: Desired, current: Current, steps: Steps) -> None:
    from django.db import transaction

    instance = None
    if steps.create or steps.changes:
        instance = _save_row(context, builder, desired, current, steps)
    builder.build()
    if steps.finish_schema and not builder.told:
        _tell_schema_is_there(instance or _instance(context, current.pk))
    if desired.schema and steps.grants:
        schemas.grant(context, desired.schema, steps.grants)
    if steps.touches_domains or (instance is not None and context.tenancy.domain):
        with transaction.atomic(using=context.alias):
            _write_domains(context, desired, steps, instance.pk if instance is not None else current.pk, instance)


def _instance(context: Context, pk: Any) -> Any:
    return context.tenancy.tenant._base_manager.using(context.alias).get(pk=pk)


def _save_row(context: Context, builder: Builder, desired: Desired, current: Current, steps: Steps) -> Any:
    """Save the row through the model."""
    values = dict(steps.values) if steps.create else {name: new for name, (old, new) in steps.changes.items()}
    values = {
        name: get_or_create(value, context.alias) if isinstance(value, ForeignRow) else value
        for name, value in values.items()
    }
    if steps.create:
        instance = context.tenancy.tenant(**desired.identity, **values)
        # Should another have made it meanwhile, the database says so.
        clean_given(instance, {*values, *desired.identity}, desired.identity if desired.schema else ())
    else:
        instance = _instance(context, current.pk)
        for name, value in values.items():
            setattr(instance, name, value)
        clean_given(instance, values)
    if not desired.schema:
        instance.save(using=context.alias)
        return instance
    with builder.in_place_of_create_schema(instance):
        instance.save(using=context.alias)
    return instance


def _do_nothing(*args: object, **kwargs: object) -> None:
    return None


def _tell_schema_is_there(instance: Any) -> None:
    """The signal by which save() says that it has made a schema; receivers fill it."""
    from django_tenants.models import TenantMixin
    from django_tenants.signals import post_schema_sync

    post_schema_sync.send(sender=TenantMixin, tenant=instance.serializable_fields())


def _write_domains(context: Context, desired: Desired, steps: Steps, tenant_pk: Any, tenant: Any) -> None:
    """Bring the domains to what is declared, whatever the project's signals and save() made of them meanwhile.

    :param tenant: its row as saved just now, if it was.
    """
    from django.db.models import Q

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
    attname = model._meta.get_field(link).attname
    losers = set()
    # The primary one first: DomainMixin.save() makes any domain primary where there is no other.
    for name in sorted((domain.name for domain in desired.domains), key=lambda name: name != steps.primary):
        is_primary = name == steps.primary
        demotes = bool(primary) and is_primary
        # Read for each: the save() of the one before may have changed it.
        wanted = Q(**{f"{field}__{'iexact' if desired.fold_domains else 'exact'}": name})
        if demotes:
            wanted |= Q(**{link: tenant_pk, str(primary): True})
        there = list(rows.filter(wanted).order_by("pk"))
        own = [one for one in there if getattr(one, attname) == tenant_pk]
        if demotes and any(getattr(one, str(primary)) and getattr(one, field) != name for one in own):
            # Demoted first: a unique constraint may allow one primary domain a tenant.
            rows.filter(**{link: tenant_pk, str(primary): True}).exclude(**{field: name}).update(
                **{str(primary): False}
            )
        instance = _called(there, own, name, desired.fold_domains, field) or model()
        owner = getattr(instance, attname)
        unchanged = owner == tenant_pk and getattr(instance, field) == name
        if unchanged and (not primary or getattr(instance, primary) == is_primary):
            continue
        if owner not in (None, tenant_pk):
            if not desired.move_domains:
                raise Refusal(f"The domain {name!r} belongs to another tenant meanwhile.")
            losers.add(owner)
        setattr(instance, field, name)
        setattr(instance, attname, tenant_pk)
        if tenant is not None:
            # DomainMixin.save() asks for it.
            setattr(instance, link, tenant)
        if primary:
            setattr(instance, primary, is_primary)
        clean_given(instance, (field, link), (field,) if instance._state.adding else ())
        instance.save(using=context.alias)
    declared = {domain.name for domain in desired.domains}
    for instance in rows.filter(**{link: tenant_pk}) if desired.exclusive_domains else ():
        if getattr(instance, field) not in declared:
            instance.delete()
    if primary:
        _one_primary(context, tenant_pk, steps.primary)
        for loser in losers:
            _one_primary(context, loser, None)


def _called(there: list[Any], own: list[Any], name: str, folded: bool, field: str) -> Any:
    """The domain of this name: spelt so before one in another case, the tenant's own before another's."""

    def is_called_so(instance: Any) -> bool:
        spelt = getattr(instance, field)
        return instance not in own or spelt == name or (folded and spelt.lower() == name.lower())

    def rank(instance: Any) -> tuple[bool, bool]:
        return getattr(instance, field) != name, instance not in own

    return min(filter(is_called_so, there), key=rank, default=None)


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
        rows.exclude(pk=keep).update(**{tenancy.primary_field: False})
        rows.filter(pk=keep).update(**{tenancy.primary_field: True})


def _remove(context: Context, desired: Desired, current: Current, steps: Steps) -> None:
    instance = _instance(context, current.pk) if steps.delete else None
    if steps.drop_schema and desired.schema:
        schemas.drop(context, desired.schema, instance)
    if instance is not None:
        if desired.schema:
            # The schema goes only where the task says so, whatever the model's own flag or delete() says.
            instance.auto_drop_schema = False
            vars(instance).update(_drop_schema=_do_nothing)
        instance.delete()
