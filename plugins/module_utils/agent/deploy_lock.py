# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One deployer at a time: an advisory lock on the database, held by a transaction of its own, so that it dies with its holder."""

from __future__ import annotations

import getpass
import os
import socket
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .database import sqlstate
from .errors import Refusal

if TYPE_CHECKING:
    from types import TracebackType

    from .loading import Context

# Keys of two halves; the first tells what the second means. Any application may take advisory locks, so these are hashes of our name.
DEPLOY = zlib.crc32(b"meatscentral.tenancy deploy") - 2**31
RUN = zlib.crc32(b"meatscentral.tenancy run") - 2**31
SHARD = zlib.crc32(b"meatscentral.tenancy shard") - 2**31

_HOLDERS = """
SELECT a.application_name, a.usename, a.client_addr::text, date_trunc('second', a.xact_start)::text, a.pid
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s::bigint::oid AND l.objsubid = 2 AND l.granted AND l.pid <> pg_backend_pid()
AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class Shard:
    """One share of a run that is spread over several hosts: ``index`` of ``of``, under the run's own name."""

    index: int
    of: int
    run_id: str


class DeployLock:
    """Held while a run writes. Shards of one run share it, each exclusive on its index; any other run waits, or is refused.

    The lock is a transaction's, not a session's: behind a pooler that shares sessions out by the transaction it still holds.
    """

    def __init__(self, context: Context, wait: float, shard: Shard | None = None) -> None:
        self.context, self.wait, self.shard = context, wait, shard
        self._raw: Any = None

    def __enter__(self) -> DeployLock:
        connection = self.context.connection
        if connection.vendor != "postgresql":
            return self
        # Not one of Django's connections: those are closed before workers are forked.
        self._raw = connection.get_new_connection(connection.get_connection_params())
        self._raw.autocommit = True
        try:
            self._take()
        except BaseException:
            self._raw.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._raw is not None:
            self._raw.close()

    def _take(self) -> None:
        with self._raw.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [_name()])
            cursor.execute("BEGIN")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(max(1, int(self.wait * 1000)))])
            try:
                if self.shard is None:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [DEPLOY])
                    return
                cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", [DEPLOY])
                cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [RUN, _half(self.shard.run_id)])
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SHARD, self.shard.index])
            except self.context.connection.Database.Error as error:
                if sqlstate(error) != "55P03":
                    raise
                cursor.execute("ROLLBACK")
                raise self._refusal(cursor, DEPLOY) from None
            cursor.execute(_HOLDERS.replace("SELECT a.app", "SELECT l.objid::bigint, a.app"), [_unsigned(RUN)])
            other = [row[1:] for row in cursor.fetchall() if row[0] != _unsigned(_half(self.shard.run_id))]
            if other:
                cursor.execute("ROLLBACK")
                raise _held(other, self.wait)

    def _refusal(self, cursor: Any, key: int) -> Refusal:
        cursor.execute(_HOLDERS, [_unsigned(key)])
        return _held(cursor.fetchall(), self.wait)


def _held(holders: list[Any], wait: float) -> Refusal:
    if holders:
        name, role, address, since, pid = holders[0]
        who = f"{name or 'somebody'} (role {role}, from {address or 'a local socket'}, since {since}, server process {pid})"
    else:
        who = "somebody who has let go of it meanwhile"
    return Refusal(
        f"Another run holds the deploy lock of this database: {who}; waited {wait:g} s.",
        hint="Wait for it, raise lock_wait:, or end it. The lock ends with its holder.",
    )


def _name() -> str:
    """What pg_stat_activity shows of the holder, of at most 63 bytes."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"tenancy deploy by {user}@{socket.gethostname()} pid {os.getpid()}".encode()[:63].decode("utf-8", "ignore")


def _half(text: str) -> int:
    return zlib.crc32(text.encode("utf-8")) - 2**31


def _unsigned(key: int) -> int:
    """A key as pg_locks shows it, as an oid."""
    return key % 2**32
