# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Keep a forked process away from everything but its database: other databases, mail and caches. It is never undone."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterable, Mapping

# A project's migration may look at it, and leave out what nothing here can keep away.
VARIABLE = "TENANCY_REHEARSAL"

_LOCAL = ("", "localhost", "127.0.0.1", "::1")
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
}
_DUMMY_MAIL = "django.core.mail.backends.dummy.EmailBackend"
_MEMORY = "django.core.cache.backends.locmem.LocMemCache"


class KeptAway(Exception):
    """What was asked for is not to be had in a rehearsal."""


def same_database(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries of DATABASES mean the same database, as far as they tell. Pure."""
    return _place(one) == _place(other)


def _place(entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    host = str(entry.get("HOST") or "")
    service = str((entry.get("OPTIONS") or {}).get("service") or "")
    # A directory is where the socket of this machine is.
    local = host in _LOCAL or host.startswith("/")
    return str(entry.get("NAME") or ""), "" if local else host, str(entry.get("PORT") or ""), service


def isolate(alias: str, scratch: Mapping[str, Any]) -> None:
    """Point an alias, and those that mean the same database, at a scratch one, and keep away from all else.

    :param scratch: the entry of DATABASES that reaches it.
    """
    from django.db import connections

    real = dict(connections.databases[alias])
    moved = [name for name, entry in connections.databases.items() if same_database(entry, real)]
    for name in moved:
        _point(name, scratch if name == alias else {**connections.databases[name], "NAME": scratch["NAME"]})
    _require_there([*moved], str(scratch["NAME"]))
    keep_away(alias, moved)


def keep_away(alias: str, allowed: Iterable[str] = ()) -> None:
    """Nothing but ``alias`` and the other ``allowed`` aliases can be written to; mail goes nowhere, caches are the process's own."""
    from django.db import connections

    os.environ[VARIABLE] = "1"
    for name in connections.databases:
        if name != alias and name not in allowed:
            _make_read_only(name)
    _silence_mail()
    _own_caches()


def _point(alias: str, entry: Mapping[str, Any]) -> None:
    """The connection that exists and those that threads make share the one entry of the settings."""
    from django.db import connections

    connection = connections[alias]
    connection.close()
    settings = connections.databases[alias]
    new = {**entry, "OPTIONS": {name: value for name, value in (entry.get("OPTIONS") or {}).items() if name != "pool"}}
    settings.clear()
    settings.update(new)
    if connection.settings_dict is not settings:
        connection.settings_dict.clear()
        connection.settings_dict.update(new)


def _require_there(aliases: list[str], name: str) -> None:
    """Refuse every connection of these aliases that has come to another database, whatever led it there."""
    from django.db.backends.signals import connection_created

    def look(sender: object, connection: Any, **kwargs: object) -> None:
        if connection.alias not in aliases:
            return
        if connection.vendor == "postgresql":
            with connection.connection.cursor() as cursor:
                cursor.execute("SELECT current_database()")
                current = cursor.fetchone()[0]
        else:
            current = str(connection.settings_dict["NAME"])
        if current != name:
            connection.close()
            raise KeptAway(f"the connection {connection.alias!r} leads to {current!r}, not to the scratch database")

    connection_created.connect(look, weak=False, dispatch_uid="tenancy-agent-scratch")


def _make_read_only(alias: str) -> None:
    """The server itself refuses what is written through this alias."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections
    from django.db.backends.signals import connection_created

    try:
        connection = connections[alias]
    except ImproperlyConfigured:
        # Without its driver nobody can use it.
        return
    connection.close()
    vendor = connection.vendor
    if vendor == "postgresql":
        # Asked for as the session begins: set later, a pooler would hand it on to others.
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options.pop("pool", None)
        options["options"] = f"{options.get('options') or ''} -c default_transaction_read_only=on".strip()

    def restrict(sender: object, connection: Any, **kwargs: object) -> None:
        if connection.alias == alias and not _restricted(connection):
            connection.close()
            raise KeptAway(f"the database {alias!r} ({vendor}) can't be held read-only")

    connection_created.connect(restrict, weak=False, dispatch_uid=f"tenancy-agent-read-only-{alias}")


def _restricted(connection: Any) -> bool:
    """Whether what has just been opened can only be read."""
    with contextlib.closing(connection.connection.cursor()) as cursor:
        if connection.vendor == "postgresql":
            # A pooler may have passed over what was asked for.
            cursor.execute("SHOW default_transaction_read_only")
            return bool(cursor.fetchone()[0] == "on")
        if connection.vendor in _READ_ONLY:
            cursor.execute(_READ_ONLY[connection.vendor])
            return True
    return False


def _silence_mail() -> None:
    from django.conf import settings
    from django.core.mail.backends.base import BaseEmailBackend
    from django.core.mail.backends.dummy import EmailBackend

    settings.EMAIL_BACKEND = _DUMMY_MAIL
    if hasattr(settings, "MAILERS"):
        # Django 6.1.
        settings.MAILERS = {alias: {"BACKEND": _DUMMY_MAIL} for alias in settings.MAILERS}
    for backend in _below(BaseEmailBackend):
        # Those that the project names by itself, or has made already.
        backend.open, backend.close = BaseEmailBackend.open, BaseEmailBackend.close
        backend.send_messages = EmailBackend.send_messages


def _below(base: type) -> list[Any]:
    return [found for child in base.__subclasses__() for found in (child, *_below(child))]


def _own_caches() -> None:
    """A memory of the process's own rather than a cache that keeps nothing: what is set can be read again."""
    from django.conf import settings
    from django.core.cache import caches
    from django.core.cache.backends.locmem import LocMemCache

    class OwnCache(LocMemCache):
        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"KeptAway: a rehearsal's cache has no {name}")

    entries = {alias: {"BACKEND": _MEMORY, "LOCATION": f"tenancy-{alias}"} for alias in settings.CACHES}
    for cache in caches.all(initialized_only=True):
        # Somebody may have kept it.
        with contextlib.suppress(TypeError):
            cache.__class__ = OwnCache
            vars(cache).update(vars(OwnCache("tenancy-kept", {})))
    settings.CACHES = entries
    caches.settings = entries
    for alias in entries:
        caches[alias] = OwnCache(f"tenancy-{alias}", {})
