# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which values must never be shown, and how they are taken out of a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = "********"

# Shorter values can't be masked without garbling every other word of a message.
_SHORTEST = 4

_HARMLESS_NAME = re.compile(
    r"(^|_)(HOST|HOSTS|HOSTNAME|PORT|NAME|USER|USERNAME|DB|ENGINE|SCHEMA|DOMAIN|DEBUG|LEVEL|DIR|PATH|HOME|MODULE|"
    r"ENV|ENVIRONMENT|RELEASE|VERSION|LANG|LANGUAGE|TZ|ZONE|PYTHONPATH|DJANGO_SETTINGS_MODULE)$|^(LC_|PYTHON)",
    re.IGNORECASE,
)


def secrets_of(environment: Mapping[str, str]) -> set[str]:
    """The values of an environment that are to be kept secret.

    Every value is, unless the variable's name says that it is harmless (a host, a port, a path …)
    or the value is too short to be masked. From a URL with a password the password is one more.
    """
    found: set[str] = set()
    for name, value in environment.items():
        password = _password_in(value)
        if password:
            found.update((password, unquote(password), value))
        elif not _HARMLESS_NAME.search(name) and not value.isdigit() and value.lower() not in ("true", "false", "none"):
            found.add(value)
    return {value for value in found if len(value) >= _SHORTEST}


def _password_in(value: str) -> str | None:
    if "://" not in value:
        return None
    try:
        # The split must not decode: a raw password may hold what a URL would escape.
        return urlsplit(value).password
    except ValueError:
        return None


def redacted(value: object, secrets: Iterable[str]) -> object:
    """A copy of nested lists, dictionaries and strings, every secret in it masked."""
    ordered = sorted(secrets, key=len, reverse=True)
    return _redacted(value, ordered) if ordered else value


def _redacted(value: object, secrets: list[str]) -> object:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {key: _redacted(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item, secrets) for item in value]
    return value


def mask_only(module: Any, secrets: Iterable[str]) -> None:
    """Let Ansible mask these values in the module's output, and no others.

    ``no_log`` on a whole dictionary would mask every short or harmless value of it as well, each "1" and each "localhost".
    """
    module.no_log_values = set(secrets)
