# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What of a project's settings and packages makes its tenancy, without hosts, names and secrets; asked of several environments to compare."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from .app_lists import app_lists, keeps_tables
from .loading import load_apps

if TYPE_CHECKING:
    from .wire import Wire


class Settings:
    """A project whose apps are loaded, and that has asked no database."""

    def __init__(self, database: str | None) -> None:
        self.database = database

    def close(self) -> None:
        """There is nothing to close but what an app has opened itself."""
        from django.db import connections

        connections.close_all()


def prepare(wire: Wire, project: dict[str, Any], writes: bool) -> Settings:
    """
    :raises AgentError: what does not load.
    """
    load_apps(wire, project)
    return Settings(project["database"])


def run(context: Settings, options: dict[str, Any]) -> dict[str, Any]:
    """The facts alone."""
    return settings_facts(context.database)


def settings_facts(database: str | None = None) -> dict[str, Any]:
    """What has to be the same in all environments of a project, each by the name of its setting or package.

    :param database: the alias of the tenants' database, if the task names one.
    :returns: JSON types; None where a setting is not there.
    """
    import django
    from django.apps import apps
    from django.conf import settings
    from django.db import connections

    alias = database or getattr(settings, "TENANT_DB_ALIAS", "default")
    facts: dict[str, Any] = {
        "ENGINE": settings.DATABASES.get(alias, {}).get("ENGINE"),
        "DATABASE_ROUTERS": [
            item if isinstance(item, str) else _name(type(item)) for item in settings.DATABASE_ROUTERS
        ],
        "MIDDLEWARE": [path for path in settings.MIDDLEWARE if "tenant" in path.lower()],
    }
    for name in ("TENANT_MODEL", "TENANT_DOMAIN_MODEL", "PUBLIC_SCHEMA_NAME", "AUTH_USER_MODEL"):
        facts[name] = getattr(settings, name, None)
    # Apps without tables differ for good reasons: what helps developers, and what only serves.
    bare = {
        name
        for config in apps.get_app_configs()
        if alias in settings.DATABASES and not keeps_tables(config, connections[alias])
        for name in (config.name, _name(type(config)))
    }
    for setting, listed in app_lists().items():
        facts[setting] = sorted(set(listed) - bare)
    facts["Django"] = django.get_version()
    try:
        facts["django-tenants"] = version("django-tenants") if apps.is_installed("django_tenants") else None
    except PackageNotFoundError:
        facts["django-tenants"] = None
    return facts


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
