# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The lists of a project with django-tenants that say which apps have their tables in which schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

if TYPE_CHECKING:
    from django.apps import AppConfig


def app_lists() -> dict[str, Sequence[str]]:
    """The apps by the setting that lists them, the public schema's first; none where the settings have no such lists."""
    from django.conf import settings

    if not getattr(settings, "HAS_MULTI_TYPE_TENANTS", False):
        names = ("SHARED_APPS", "TENANT_APPS")
        return {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    public = str(getattr(settings, "PUBLIC_SCHEMA_NAME", "public"))
    types = [public, *sorted(name for name in settings.TENANT_TYPES if name != public)]
    return {f"TENANT_TYPES[{name!r}]['APPS']": settings.TENANT_TYPES[name]["APPS"] for name in types}


def is_listed(config: AppConfig, apps: Sequence[str]) -> bool:
    """Whether a list has an app, by its name or by its class, as django-tenants' router reads it."""
    return config.name in apps or f"{type(config).__module__}.{type(config).__name__}" in apps


def keeps_tables(config: AppConfig, connection: Any) -> bool:
    return any(model._meta.can_migrate(connection) for model in config.get_models(include_auto_created=True))
