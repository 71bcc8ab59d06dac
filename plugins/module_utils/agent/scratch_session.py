# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Connections of a rehearsal's own, to the real database and to the scratch one, and transactions in which both speak alike."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator

from .database import quoted

if TYPE_CHECKING:
    from .loading import Context

# Names are printed whole where the path is empty; rows are printed alike on both sides.
SETTINGS = (
    "SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off; SET LOCAL jit = off; SET LOCAL lock_timeout = '10s';"
    " SET LOCAL statement_timeout = 0; SET LOCAL standard_conforming_strings = on; SET LOCAL datestyle = 'ISO, YMD';"
    " SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL synchronous_commit = off; SET LOCAL xmloption = 'content'; SET LOCAL timezone = 'UTC'"
)


@contextmanager
def session(context: Context, settings: dict[str, Any], role: str | None = None) -> Iterator[Any]:
    """A connection of our own, in autocommit, as ``role``.

    Not one of Django's: those are closed before workers are forked, may come from a pool, and run the project's receivers.
    """
    wrapper = type(context.connection)({**settings, "OPTIONS": settings.get("OPTIONS") or {}}, context.alias)
    raw = wrapper.get_new_connection(wrapper.get_connection_params())
    try:
        raw.autocommit = True
        if role:
            with raw.cursor() as cursor:
                cursor.execute("SET ROLE " + quoted(role))
        yield raw
    finally:
        raw.close()


@contextmanager
def transaction(cursor: Any, begin: str = "BEGIN") -> Iterator[None]:
    """A transaction in which both databases print and read names and values alike."""
    cursor.execute(f"{begin}; {SETTINGS}")
    try:
        yield
    except BaseException:
        # Nothing is to be done where the connection itself is lost.
        with contextlib.suppress(Exception):
            cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")
