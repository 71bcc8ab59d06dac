# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Under row tenancy no table lacks a foreign key to the tenant where the other tables of its app have one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Iterator

from ..findings import NOTICE, Finding
from ..row_models import belongs, migrated_models, tenant_keys
from ..tenancy import leads_somewhere

if TYPE_CHECKING:
    from django.db.models import Model

    from ..evidence import Evidence
    from ..loading import Context


def findings(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    if context.tenancy.by_schema:
        return
    tenant, schema = context.tenancy.tenant._meta.label, evidence.fleet.public
    keyed = tenant_keys(context)
    aside = _above(context)
    apps: dict[str, list[type[Model]]] = defaultdict(list)
    for model in migrated_models(context):
        if model not in aside:
            apps[model._meta.app_label].append(model)
    for models in apps.values():
        lacking = [model for model in models if not belongs(model, keyed)]
        having = [model for model in models if model in keyed]
        # Where most have none, none is an exception.
        for model in lacking if len(having) > len(lacking) else ():
            place = f"{schema}.{model._meta.db_table}"
            yield Finding(
                NOTICE,
                place,
                f"{model._meta.label} has no foreign key to {tenant}, and none that leads there, though {_named(having)} of the same app"
                f" {'has' if len(having) == 1 else 'have'} one: its rows are all tenants'.",
                f"If its rows are a tenant's, give it a foreign key to {tenant}, run makemigrations, and deploy."
                f" If they are for all, say so with ignore: ['neighbour-without-tenant:{place}']",
                [schema],
            )


def _above(context: Context) -> set[Any]:
    """Models whose rows are no tenant's: tenants, domains and users themselves, and what a tenant's row refers to, such as its plan."""
    from django.conf import settings

    tenant, domain = context.tenancy.tenant, context.tenancy.domain
    above: set[Any] = {tenant, *tenant._meta.get_parent_list(), domain}
    above |= {item.remote_field.model for item in tenant._meta.get_fields() if item.concrete and leads_somewhere(item)}
    user = str(getattr(settings, "AUTH_USER_MODEL", "")).lower()
    return above | {
        model
        for model in migrated_models(context)
        if model._meta.label_lower == user or tenant in model._meta.get_parent_list()
    }


def _named(models: list[type[Model]]) -> str:
    names = [model.__name__ for model in models[:3]]
    more = f" and {len(models) - 3} more" if len(models) > 3 else ""
    return ", ".join(names) + more
