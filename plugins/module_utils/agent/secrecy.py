# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which values are secrets, by the names that they go under and by what they look like (pure; used on both sides)."""

from __future__ import annotations

import re
from typing import Mapping
from urllib.parse import unquote

# Shorter values can't be masked without garbling every other word of a message.
SHORTEST = 4

_SECRET_NAME = re.compile(
    r"PASS(WORD|WD|PHRASE)?(_\d+)?$|SECRET(?!.*(NAME|PATH|FILE|DIR)$)|(ACCESS|AUTH|API|BEARER|REFRESH|BOT)_?TOKEN$|^TOKEN$|_TOKEN$|"
    r"CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|ENCRYPTION_?KEY|(?<!PUBLIC)_KEY$|(^|_)(PWD|PW|DSN)$",
    re.IGNORECASE,
)
# scheme://user:password@host, the password up to the last @ before what can't be in one URL.
_CREDENTIALS = re.compile(r"://(?P<user>[^:/@\s]*):(?P<password>[^\s'\"]+)@(?P<rest>[^@\s'\"]*)")
_KEYWORD = re.compile(r"(?:^|[\s;])(?:password|passwd|pwd)\s*=\s*(?:'([^']*)'|([^\s;]+))", re.IGNORECASE)
_NO_SECRETS = ("true", "false", "none", "null", "yes", "no")


def secret_values(variables: Mapping[str, str]) -> set[str]:
    """The values that are secrets for sure: the variable's name says so, or there is a password in a URL or a DSN."""
    found: set[str] = set()
    for name, value in variables.items():
        passwords = passwords_in(value)
        if passwords:
            found |= {value, *passwords}
        elif _SECRET_NAME.search(name) and name.upper() not in ("PWD", "OLDPWD"):
            found.add(value)
    return {value for value in found if len(value) >= SHORTEST and value.lower() not in _NO_SECRETS}


def passwords_in(value: str) -> set[str]:
    """The passwords in a URL or a DSN, as written and as decoded; none where it only repeats a name that is shown anyway."""
    found: set[str] = set()
    for match in _CREDENTIALS.finditer(value):
        shown = {unquote(match["user"]), *re.split(r"[:/?]", match["rest"])}
        found |= {match["password"], unquote(match["password"])} - shown
    for match in _KEYWORD.finditer(value):
        found.add(match[1] or match[2])
    return {item for item in found if item}
