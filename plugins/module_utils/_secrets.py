# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which values must never be shown, and how they are taken out of a text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .agent.secrecy import SHORTEST, passwords_in, secret_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = "********"

_HARMLESS_NAME = re.compile(
    r"(^|_)(HOST|HOSTS|HOSTNAME|PORT|NAME|USER|USERNAME|DB|ENGINE|SCHEMA|DOMAIN|DEBUG|LEVEL|DIR|PATH|HOME|MODULE|"
    r"ENV|ENVIRONMENT|RELEASE|VERSION|LANG|LANGUAGE|TZ|ZONE|PYTHONPATH|DJANGO_SETTINGS_MODULE)$|^(LC_|PYTHON)",
    re.IGNORECASE,
)

# A line of a longer secret, such as a private key, is one too where it is as long as this.
_SHORTEST_LINE = 8

# The parts of a reply that are sentences, and so may repeat what a server or a project said.
_TEXTS = frozenset(("message", "statement", "hint", "warnings", "errors", "detail", "traceback"))

# What a source line in a traceback shows of a secret that nobody has told us.
_WRITTEN_OUT = (
    re.compile(r"(?P<before>://[^:/@\s'\"]*:)(?P<secret>(?:(?!://)[^\s'\"]){1,500})(?P<after>@)"),
    re.compile(
        r"(?P<before>(?:pass(?:word|wd)?|secret(?:_key)?|token|(?:api|access|private)_key)[\"']?\s*[:=]\s*[\"'])"
        r"(?P<secret>[^\"'\n]+)(?P<after>[\"'])",
        re.IGNORECASE,
    ),
)


def secrets_of(environment: Mapping[str, str]) -> set[str]:
    """The values of an environment that are to be kept out of every text.

    Every value is, unless the variable's name says that it is harmless (a host, a port, a path …)
    or the value is too short to be masked. From a URL with a password the password is one more.
    """
    found = secret_values(environment)
    for name, value in environment.items():
        if not _HARMLESS_NAME.search(name) and not value.isdigit() and value.lower() not in ("true", "false", "none"):
            found.add(value)
    return {value for value in found if len(value) >= SHORTEST}


def secrets_within(value: object) -> set[str]:
    """The secrets in nested lists and dictionaries: values whose names say that they are, and passwords in URLs."""
    if isinstance(value, dict):
        found = secret_values({str(name): item for name, item in value.items() if isinstance(item, str)})
        return found.union(*(secrets_within(item) for item in value.values()))
    return set().union(*map(secrets_within, value)) if isinstance(value, list) else set()


def masked(environment: Mapping[str, object]) -> dict[str, object]:
    """An environment as it may be shown: every value masked but those whose variable's name says that they are harmless."""
    return {
        name: value if _HARMLESS_NAME.search(str(name)) and not passwords_in(str(value)) else MASK
        for name, value in environment.items()
    }


def redacted(value: object, secrets: Iterable[str]) -> object:
    """A copy of nested lists, dictionaries and strings, every secret in it masked, however it is spelt there."""
    ordered = sorted(_spellings(secrets), key=len, reverse=True)
    return _mapped(value, lambda text: _without(text, ordered)) if ordered else value


def _spellings(secrets: Iterable[str]) -> set[str]:
    """Each secret as it is, as Python or JSON writes it, as a URL has it, and its long lines."""
    found: set[str] = set()
    for secret in secrets:
        if len(secret) < SHORTEST:
            continue
        found |= {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe="")}
        found |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    return found


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _mapped(value: object, change: Any) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(item, change) for item in value]
    return value


def without_credentials(value: object) -> object:
    """A copy in which passwords that a URL or an assignment writes out are masked, known or not."""
    return _mapped(value, _without_credentials)


def _without_credentials(text: str) -> str:
    for pattern in _WRITTEN_OUT:
        text = pattern.sub(rf"\g<before>{MASK}\g<after>", text)
    return text


def redacted_texts(value: object, secrets: set[str]) -> object:
    """A copy of a reply whose sentences are redacted.

    Names and rows are left as they are: a tenant whose name happens to be the value of some variable keeps it.
    """
    if isinstance(value, dict):
        return {
            key: without_credentials(redacted(item, secrets)) if key in _TEXTS else redacted_texts(item, secrets)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted_texts(item, secrets) for item in value]
    return value


def mask_only(module: Any, secrets: Iterable[str]) -> None:
    """Let Ansible mask these values in the module's output, and no others.

    ``no_log`` on a whole dictionary would mask every short or harmless value of it as well, each "1" and each "localhost".
    """
    module.no_log_values = set(secrets)
