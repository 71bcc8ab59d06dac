# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections for parts of the agent that are tried without a project."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg


class AsDjangoHasIt:
    """A connection of the driver, as Django wraps one."""

    def __init__(self, raw: psycopg.Connection[tuple[object, ...]]) -> None:
        self.connection, self.wrap_database_errors, self.cursor = raw, contextlib.nullcontext(), raw.cursor

    def ensure_connection(self) -> None:
        assert not self.connection.closed
