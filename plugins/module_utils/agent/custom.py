# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Projects that migrate a schema their own way: TENANT_BASE_MIGRATE_COMMAND and GET_EXECUTOR_FUNCTION of django-tenants."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loading import Context
    from .plan import SchemaPlan
    from .tenancy import Tenancy


def own_command(tenancy: Tenancy) -> str | None:
    """The setting by which the project replaces how one schema is migrated, if it does."""
    from django.conf import settings

    if tenancy.by_schema:
        for setting in ("GET_EXECUTOR_FUNCTION", "TENANT_BASE_MIGRATE_COMMAND"):
            if getattr(settings, setting, None):
                return setting
    return None


def migrate(context: Context, plan: SchemaPlan, fake_initial: bool) -> None:
    """Migrate one schema through the project's own executor and command.

    They get one schema a call, and one target, so that a failure can be told from the others'.
    """
    from django.conf import settings
    from django.utils.module_loading import import_string
    from django_tenants.migration_executors import get_executor

    setting = getattr(settings, "GET_EXECUTOR_FUNCTION", None)
    choose = import_string(setting) if setting else get_executor
    for app, name in _targets(plan):
        # A default executor from the environment may fork; here the process that watches must be the one that works.
        options = {**_options(context, fake_initial), "app_label": app, "migration_name": name}
        executor = choose(codename=None if setting else "standard")((), options)
        if context.tenancy.type_field and plan.schema.type:
            executor.run_multi_type_migrations([(plan.schema.name, plan.schema.type)])
        else:
            executor.run_migrations([plan.schema.name])


def _targets(plan: SchemaPlan) -> list[tuple[str, str]]:
    """The last planned migration of each app, in the order of the plan: what the command's two arguments can say."""
    last = dict(plan.migrations)
    return [(app, name) for app, name in plan.migrations if last[app] == name]


def _options(context: Context, fake_initial: bool) -> dict[str, Any]:
    """What ``migrate`` is called with: its parser's defaults, quiet, and never asking."""
    return {
        "database": context.alias,
        "verbosity": 1,
        "interactive": False,
        "fake": False,
        "fake_initial": fake_initial,
        "run_syncdb": False,
        "plan": False,
        "check_unapplied": False,
        "prune": False,
        "skip_checks": True,
        "force_color": False,
        "no_color": True,
        "traceback": True,
        "stdout": sys.stderr,
        "stderr": sys.stderr,
    }
