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


# Receivers of Django's own whose whole effect is known: content types and permissions, which are compared and made for many
# schemas at once, and the renaming of content types, which they add to the plan itself.
_KNOWN = frozenset(
    {
        ("django.contrib.contenttypes.management", "create_contenttypes"),
        ("django.contrib.contenttypes.management", "inject_rename_contenttypes_operations"),
        ("django.contrib.auth.management", "create_permissions"),
        ("django.contrib.auth.management", "rename_permissions_after_model_rename"),
    }
)


def has_own_receivers(which: str) -> bool:
    """Whether anybody but Django's content types and permissions listens to ``pre_migrate`` or ``post_migrate``."""
    from django.db.models import signals

    return any(not _is_known(receiver) for receiver in _receivers(getattr(signals, which)))


def hears(which: str, name: str) -> bool:
    """Whether a receiver of Django's own, by its name, is connected to ``pre_migrate`` or ``post_migrate``."""
    from django.db.models import signals

    return any(_is_known(one) and one.__name__ == name for one in _receivers(getattr(signals, which)))


def _receivers(signal: Any) -> list[Any]:
    """The live receivers of a signal, for any sender."""
    import weakref

    found = []
    for entry in signal.receivers:
        receiver = entry[1]
        if isinstance(receiver, weakref.ReferenceType):
            receiver = receiver()
        if receiver is not None:
            found.append(receiver)
    return found


def _is_known(receiver: Any) -> bool:
    return (getattr(receiver, "__module__", ""), getattr(receiver, "__name__", "")) in _KNOWN


def has_listeners(signal: str) -> bool:
    """Whether anybody listens to one of django-tenants' signals."""
    from django_tenants import signals

    known = getattr(signals, signal, None)
    return bool(known and _receivers(known))
