# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How a scratch database is called, and the statements that make it like the real one (pure)."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Mapping

from .database import quoted

_PREFIX = "tenancy_rehearsal"
_LIST_ELEMENT = re.compile(r'"((?:[^"]|"")*)"|([^,"\s]+)')

# Settings whose value is a list of names, each quoted by itself: as one literal they would be one name.
_LISTS = frozenset(
    [
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    ]
)


def scratch_name(real: str, number: int) -> str:
    """The name of the scratch database with this number, of the real database ``real``: always 39 bytes."""
    return f"{_PREFIX}_{_digest(real)}_{number:08x}"


def number_in(name: str, real: str) -> int | None:
    """The number in the name of a scratch database of ``real``; None where the name is anything else."""
    match = re.fullmatch(f"{_PREFIX}_{_digest(real)}_([0-9a-f]{{8}})", name)
    return int(match[1], 16) if match else None


def _digest(real: str) -> str:
    return hashlib.sha256(real.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def create_statement(name: str, real: Mapping[str, Any], encoding: str) -> str:
    """``CREATE DATABASE`` with the encoding and the locale of the real one.

    :param real: its row of pg_database, as the server's own version has it.
    """
    provider = real.get("datlocprovider", "c")
    # Called daticulocale in 15 and 16.
    locale = real.get("datlocale") or real.get("daticulocale")
    parts = [
        f"CREATE DATABASE {quoted(name)} TEMPLATE template0 ENCODING {literal(encoding)}",
        f"LC_COLLATE {literal(real['datcollate'])} LC_CTYPE {literal(real['datctype'])}",
    ]
    if provider == "i":
        parts.append(f"LOCALE_PROVIDER icu ICU_LOCALE {literal(locale or '')}")
        if real.get("daticurules"):
            parts.append(f"ICU_RULES {literal(real['daticurules'])}")
    elif provider == "b":
        parts.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {literal(locale or '')}")
    elif "datlocprovider" in real:
        parts.append("LOCALE_PROVIDER libc")
    return " ".join(parts)


def set_statement(name: str, setting: str) -> str:
    """``ALTER DATABASE … SET`` of a setting as pg_db_role_setting keeps it (``name=value``)."""
    variable, _equals, value = setting.partition("=")
    target = ".".join(quoted(part) for part in variable.split("."))
    if variable in _LISTS:
        names = [(a.replace('""', '"') if a or not b else b) for a, b in _LIST_ELEMENT.findall(value)]
        value = ", ".join(literal(item) for item in names) or "''"
    else:
        value = literal(value)
    return f"ALTER DATABASE {quoted(name)} SET {target} TO {value}"


def literal(text: str) -> str:
    """A string of SQL. Only where no parameter can stand, as in CREATE DATABASE."""
    doubled = text.replace("'", "''")
    return "E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in text else f"'{doubled}'"
