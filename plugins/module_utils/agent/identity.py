# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tell databases apart: whether two hosts, whatever name or address each has for it, work on one and the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .loading import Context


def database_id(context: Context) -> str | None:
    """The same text wherever it is asked for of one database, and another one for any other; None where only this host has it.

    It follows from the moment at which the server was started, to the microsecond, so that a copy of a server is not taken for the
    original; and it is another one after the server's next start.
    """
    if context.connection.vendor != "postgresql":
        return None
    with context.connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text, d.oid::text, d.datname"
            " FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()"
        )
        return hashlib.sha256("/".join(cursor.fetchone()).encode("utf-8")).hexdigest()[:16]
