# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One message to the server and all that comes back, by the part of psycopg 3 that speaks libpq.

Its cursors keep an object for each statement's result, and copy one table a message: that costs more than the server's own work
where there are a thousand messages. psycopg2 has nothing like it; its cursors are written in C.
"""

from __future__ import annotations

import select
from typing import Any


def speaks_libpq(raw: Any) -> bool:
    """Whether a driver's connection is one of psycopg 3."""
    return hasattr(raw, "pgconn")


def send(raw: Any, message: str) -> list[bytes]:
    """Send statements, without parameters, as one message; what each ``COPY … TO STDOUT`` among them has to say, in their order.

    :param raw: a connection of psycopg 3.
    :raises psycopg.Error: the server refused a statement. Those before it have run, as far as transactions go.
    """
    return _Talk(raw).answers(message)


class _Talk:
    def __init__(self, raw: Any) -> None:
        from psycopg import errors, pq

        self.pgconn, self.errors, self.pq = raw.pgconn, errors, pq

    def answers(self, message: str) -> list[bytes]:
        found: list[bytes] = []
        refusal = None
        self._send(message.encode())
        self.incoming = self._watched(select.POLLIN)
        while True:
            result = self._result()
            if result is None:
                break
            if result.status == self.pq.ExecStatus.COPY_OUT:
                found.append(self._copied())
            elif result.status == self.pq.ExecStatus.FATAL_ERROR:
                refusal = result
        if refusal is not None:
            raise self._error(refusal)
        return found

    def _watched(self, events: int) -> select.poll:
        poll = select.poll()
        poll.register(self.pgconn.socket, events)
        return poll

    def _send(self, message: bytes) -> None:
        self.pgconn.send_query(message)
        while self.pgconn.flush():
            ((_socket, events),) = self._watched(select.POLLIN | select.POLLOUT).poll()
            if events & ~select.POLLOUT:
                self.pgconn.consume_input()

    def _result(self) -> Any:
        while self.pgconn.is_busy():
            self._wait()
        return self.pgconn.get_result()

    def _copied(self) -> bytes:
        rows: list[bytes] = []
        get, keep = self.pgconn.get_copy_data, rows.append
        while True:
            length, row = get(1)
            if length > 0:
                keep(row)
            elif length == 0:
                self._wait()
            else:
                # What went wrong, if anything did, is in the result that follows.
                return b"".join(rows)

    def _wait(self) -> None:
        # Not left to libpq: there no signal handler would get its turn.
        self.incoming.poll()
        self.pgconn.consume_input()

    def _error(self, refusal: Any) -> Exception:
        code, text = (
            (refusal.error_field(field) or b"").decode("utf-8", "replace")
            for field in (self.pq.DiagnosticField.SQLSTATE, self.pq.DiagnosticField.MESSAGE_PRIMARY)
        )
        # Without a code it comes from libpq itself: the server is gone.
        message = text or refusal.error_message.decode("utf-8", "replace").strip()
        try:
            kind: Any = self.errors.lookup(code)
        except KeyError:
            kind = self.errors.DatabaseError if code else self.errors.OperationalError
        error: Exception = kind(message)
        return error
