# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The search_path that django-tenants sets before every statement, sent only where the session has another.

The server says which it has: from version 18 on it reports every change of it (PostgreSQL, Frontend/Backend Protocol,
Asynchronous Operations), whoever made it, a rollback included. An older one is sent what django-tenants sends.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Any, Iterator

_SETS_PATH = re.compile(r"\s*SET\s+search_path\b", re.IGNORECASE)


def sets_path(text: str) -> bool:
    """Whether a statement is one by which django-tenants sets a session's search_path. Pure."""
    return bool(_SETS_PATH.match(text))


@contextmanager
def path_once(connection: Any) -> Iterator[None]:
    """Inside, a search_path that the session has already is not set again."""
    made: dict[str, str] = {}

    def send(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        text = str(sql)
        if not sets_path(text):
            return execute(sql, params, many, context)
        if text in made and made[text] == reported_path(connection):
            return None
        result = execute(sql, params, many, context)
        value = reported_path(connection)
        if value is not None:
            made[text] = value
        return result

    with connection.execute_wrapper(send):
        yield


def reported_path(connection: Any) -> str | None:
    """The search_path of the session as the server last reported it; None where it does not report it."""
    info = getattr(connection.connection, "info", None)
    return info.parameter_status("search_path") if info is not None else None
