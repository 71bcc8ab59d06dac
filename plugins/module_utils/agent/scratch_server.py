# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The life of a scratch database on a PostgreSQL server: made beside the real one, dropped at the end, and the left-overs of killed runs with it."""

from __future__ import annotations

import json
import os
import secrets
import threading
import zlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, ContextManager, Iterator, Sequence

from .database import first_line, quoted, sqlstate
from .scratch import CannotRehearse, Scratch
from .scratch_content import Filling
from .scratch_names import create_statement, number_in, scratch_name, set_statement
from .scratch_session import session

if TYPE_CHECKING:
    from .loading import Context

# An advisory lock on the real database says that a scratch database is in use; the other half of the key is the number in its name.
REHEARSAL = zlib.crc32(b"meatscentral.tenancy rehearsal") - 2**31

_FORCE_VERSION = 130000
_INSUFFICIENT_PRIVILEGE, _IN_USE, _NO_DATABASE = "42501", "55006", "3D000"
_DROP_ATTEMPTS = 3

_REAL = """
SELECT to_jsonb(d)::text, pg_catalog.pg_encoding_to_char(d.encoding), current_user::text, session_user::text, r.rolcreatedb OR r.rolsuper,
    ARRAY(SELECT unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0)
FROM pg_catalog.pg_database d, pg_catalog.pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user
"""


@contextmanager
def scratch_on_server(context: Context, schemas: Sequence[str], rows: int) -> Iterator[Scratch]:
    """See :func:`scratch.scratch_database`."""
    with Life(context) as life:
        life.fill(schemas, rows)
        yield life.scratch


class Life:
    """A scratch database from its making to its end.

    A lock on the real database marks it as in use. It is a transaction's, for the reasons that the deploy lock has,
    and it is there before the database is, so that a database without its lock is always a left-over.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        # Without a pool, and with any name that a test or a service gives.
        self.settings = Scratch("", context.connection.settings_dict).settings()
        self.settings["NAME"] = context.connection.settings_dict["NAME"]
        self._gate = threading.Lock()
        self._closed = self._dropped = False
        self._owner = os.getpid()
        self._stack = ExitStack()
        with context.connection.cursor() as cursor:
            cursor.execute(_REAL)
            text, self._encoding, user, login, self._may_create, self._options = cursor.fetchone()
        self._row = json.loads(text)
        self.real: str = self._row["datname"]
        self.user: str = user
        self.login: str = login
        self.role: str | None = user if user != login else None
        self.number = secrets.randbits(32)
        self.scratch = Scratch(scratch_name(self.real, self.number), context.connection.settings_dict)

    def __enter__(self) -> Life:
        if not self._may_create:
            raise CannotRehearse(
                f"The role {self.user!r} may not create databases.",
                hint=f"As a superuser: ALTER ROLE {quoted(self.user)} CREATEDB;",
            )
        try:
            with ExitStack() as stack:
                lock = stack.enter_context(self.session())
                self._hold(lock)
                self._remove_leftovers(lock)
                stack.enter_context(self.context.wire.at_a_stop(self.drop))
                stack.callback(self.drop)
                self._create()
                self._stack = stack.pop_all()
        except self.context.connection.Database.Error as error:
            raise CannotRehearse(f"The server does not make a scratch database: {first_line(error)}") from None
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def session(self) -> ContextManager[Any]:
        """A connection to the real database."""
        return self._followed(self.settings)

    def inside(self) -> ContextManager[Any]:
        """A connection to the scratch database."""
        return self._followed(self.scratch.settings())

    @contextmanager
    def _followed(self, settings: dict[str, Any]) -> Iterator[Any]:
        """A session whose statement is cancelled when the agent is stopped."""
        with session(self.context, settings, self.role) as raw:
            self.context.wire.cancellers[id(raw)] = raw.cancel
            try:
                yield raw
            finally:
                del self.context.wire.cancellers[id(raw)]

    def fill(self, schemas: Sequence[str], rows: int) -> None:
        """Copy the structure and the rows.

        :raises CannotRehearse: it can't be connected to, or not be built.
        """
        errors = self.context.connection.Database.Error
        with ExitStack() as stack:
            try:
                scratch = stack.enter_context(self.inside())
            except errors as error:
                raise CannotRehearse(
                    f"The scratch database was made, but can't be connected to: {first_line(error)}",
                    hint="A pooler, or a pg_hba.conf that names databases, does not know it: give the deploy a direct connection to PostgreSQL, "
                    "or let it connect to databases whose names begin with tenancy_rehearsal_.",
                ) from None
            try:
                real = stack.enter_context(self.session())
                self.scratch.notices += Filling(self.context, real, scratch, self.role, self.session).fill(
                    schemas, rows
                )
            except errors as error:
                raise CannotRehearse(
                    f"The real database can't be copied to a scratch one: {first_line(error)}"
                ) from error

    def _hold(self, lock: Any) -> None:
        with lock.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            # PostgreSQL 17 ends a transaction that lasts too long.
            cursor.execute(
                "SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout'"
            )
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [REHEARSAL, self.number - 2**31])

    def _remove_leftovers(self, lock: Any) -> None:
        with lock.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_catalog.pg_database")
            numbers = {name: number_in(name, self.real) for (name,) in cursor.fetchall()}
            for name, number in numbers.items():
                if number is None:
                    continue
                # Ours from now on, so that no other run removes it at the same time.
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [REHEARSAL, number - 2**31])
                if cursor.fetchone()[0]:
                    self._drop(name, "A scratch database that an earlier run left")

    def _create(self) -> None:
        name = quoted(self.scratch.name)
        with self.session() as raw, raw.cursor() as cursor:
            with self._gate:
                if self._closed:
                    raise CannotRehearse("The run was stopped.")
                cursor.execute(create_statement(self.scratch.name, self._row, self._encoding))
            # Rows are copied into it, and what guards the real ones is not.
            cursor.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
            if self.role:
                cursor.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {quoted(self.login)}")
            for setting in self._options:
                try:
                    cursor.execute(set_statement(self.scratch.name, setting))
                except self.context.connection.Database.Error as error:
                    variable = setting.partition("=")[0]
                    self.scratch.notices.append(
                        f"The setting {variable} of the real database does not hold in the scratch one: {first_line(error)}"
                    )

    def drop(self) -> None:
        """Drop it; a second time it does nothing. Called from another thread when the agent is stopped."""
        if os.getpid() != self._owner:
            return
        with self._gate:
            self._closed = True
            if not self._dropped:
                self._dropped = self._drop(self.scratch.name, "The scratch database")

    def _drop(self, name: str, what: str) -> bool:
        try:
            self._end_sessions_and_drop(name)
            return True
        except self.context.connection.Database.Error as error:
            self.scratch.notices.append(
                f"{what} ({name}) could not be dropped: {first_line(error)} The next rehearsal tries again."
            )
            return False

    def _end_sessions_and_drop(self, name: str) -> None:
        error_class = self.context.connection.Database.Error
        # As the login role: sessions belong to it, whatever role they have taken on.
        with session(self.context, self.settings) as raw, raw.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int")
            force = cursor.fetchone()[0] >= _FORCE_VERSION
            for attempt in range(_DROP_ATTEMPTS):
                try:
                    cursor.execute(
                        "SELECT pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a, pg_catalog.pg_roles r WHERE a.datname = %s"
                        " AND a.usesysid = r.oid AND r.rolname = session_user",
                        [name],
                    )
                    if self.role:
                        cursor.execute("SET ROLE " + quoted(self.role))
                    cursor.execute(f"DROP DATABASE IF EXISTS {quoted(name)}" + (" WITH (FORCE)" if force else ""))
                    return
                except error_class as error:
                    code = sqlstate(error)
                    if code == _NO_DATABASE:
                        return
                    # An autovacuum worker can't be ended by FORCE, but is by a plain DROP.
                    retry = code == _IN_USE or (code == _INSUFFICIENT_PRIVILEGE and force)
                    if not retry or attempt == _DROP_ATTEMPTS - 1:
                        raise
                    force = force and code != _INSUFFICIENT_PRIVILEGE
                    cursor.execute("RESET ROLE")
