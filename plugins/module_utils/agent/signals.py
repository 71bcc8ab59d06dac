# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The signals around migrations, as ``migrate`` and django-tenants send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loading import Context


def send_signal(which: str, context: Context, apps: Any, plan: list[tuple[Any, bool]]) -> None:
    from django.core.management import sql

    send = getattr(sql, f"emit_{which}_signal")
    send(verbosity=0, interactive=False, db=context.alias, apps=apps, plan=plan)


def announce(context: Context, signal: str, **values: object) -> None:
    """Send one of django-tenants' signals, with the sender that its own commands have."""
    if context.tenancy.by_schema:
        from django_tenants import signals
        from django_tenants.migration_executors.base import run_migrations

        known = getattr(signals, signal, None)
        if known:
            known.send(run_migrations, **values)
