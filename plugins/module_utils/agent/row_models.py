# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Under row tenancy: which models hold rows of tenants, and by which foreign key one knows whose a row is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable

from .tenancy import leads_somewhere, tenant_links

if TYPE_CHECKING:
    from django.db.models import Field, Model

    from .loading import Context


def migrated_models(context: Context) -> list[type[Model]]:
    """The models that migrations keep a table of in the tenants' database, those of many-to-many fields left out."""
    from django.apps import apps
    from django.db import router

    return [
        model
        for model in apps.get_models()
        if model._meta.can_migrate(context.connection) and router.allow_migrate_model(context.alias, model)
    ]


def tenant_keys(context: Context) -> dict[type[Model], Field[Any, Any]]:
    """The foreign key to the tenant of each model whose own table has one; that of the tenant model itself is none."""
    tenant = context.tenancy.tenant
    kin = {tenant._meta.concrete_model, *tenant._meta.get_parent_list()}
    keys = {
        model: tenant_key(model, tenant)
        for model in migrated_models(context)
        if model._meta.concrete_model not in kin and tenant not in model._meta.get_parent_list()
    }
    return {model: key for model, key in keys.items() if key is not None}


def tenant_key(model: type[Model], tenant: type[Model]) -> Field[Any, Any] | None:
    """The foreign key that says whose a row is: the one called ``tenant``, else one that every row has, else the first."""
    own = [item for item in tenant_links(model, tenant) if item.model is model and not item.remote_field.parent_link]
    return min(own, key=lambda item: (item.name != "tenant", item.null), default=None)


def belongs(model: type[Model], keyed: Iterable[type[Model]]) -> bool:
    """Whether each row of a model belongs to one of ``keyed``: by foreign keys that it can't be without, or as its child."""
    known, seen, todo = set(keyed), set(), [model]
    while todo:
        current = todo.pop()
        if current in known:
            return True
        seen.add(current)
        targets = [
            item.remote_field.model
            for item in current._meta.fields
            if (item.many_to_one or item.one_to_one) and leads_somewhere(item) and not item.null
        ]
        todo += [target for target in targets if target not in seen]
    return False
