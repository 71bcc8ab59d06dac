# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What became of one schema, and the watch that sees it happen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable

from .blame import described, operation_of, place_of
from .database import first_line, sqlstate

_STATEMENT_LENGTH = 2000


@dataclass
class Failure:
    """Why a schema could not be brought to its plan: where it stopped, and what the server said."""

    schema: str
    message: str
    migration: str | None = None
    operation: str | None = None
    place: str | None = None
    statement: str | None = None
    sqlstate: str | None = None
    hint: str | None = None

    def as_reply(self) -> dict[str, object]:
        return {
            "schema": self.schema,
            "migration": self.migration,
            "operation": self.operation,
            "place": self.place,
            "statement": self.statement,
            "sqlstate": self.sqlstate,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass
class Outcome:
    """What was done to a schema: its migrations with their seconds, and the failure that ended it, if one did.

    ``executed`` is ``replayed`` or ``django``, and ``because`` the reason for the latter; ``replayed`` are the migrations
    that were replayed, also where Django ran others.
    """

    schema: str
    applied: list[tuple[str, float]] = field(default_factory=list)
    failure: Failure | None = None
    seconds: float = 0.0
    executed: str = "django"
    because: str | None = None
    replayed: set[str] = field(default_factory=set)


class StopHere(Exception):
    """A schema that must not be touched, with the failure to report."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Watch:
    """Sees what runs: each migration with its time, and the statement that failed."""

    def __init__(self, schema: str, connection: Any) -> None:
        self.schema = schema
        self.connection = connection
        self.applied: list[tuple[str, float]] = []
        self.replayed: set[str] = set()
        self.current: str | None = None
        # What runs, where it is not Migration.apply that runs it.
        self.operation: Any = None
        self._since = 0.0
        self._failed_sql: str | None = None
        self._failed_error: BaseException | None = None

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        try:
            return execute(sql, params, many, context)
        except Exception as error:
            # After a failure everything fails until the rollback (25P02), also the SET search_path on the way to it.
            if sqlstate(error) != "25P02":
                self._failed_sql, self._failed_error = str(sql), error
            raise

    def progress(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if action == "apply_start":
            self.begin(f"{migration.app_label}.{migration.name}")
        elif action == "apply_success" and self.current:
            self.end()

    def begin(self, migration: str) -> None:
        self.current, self._since = migration, time.monotonic()

    def end(self) -> None:
        if self.current:
            self.applied.append((self.current, round(time.monotonic() - self._since, 3)))
            self.current = None
            if self.connection.in_atomic_block and self.connection.vendor == "postgresql":
                # Checks put off to the end of the transaction forbid the next migration's ALTER TABLE
                # ("pending trigger events"); here several migrations share one.
                with self.connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def failure(self, error: BaseException) -> Failure:
        from django.db import Error

        known = self._failed_error is error or _is_cause(self._failed_error, error)
        message = first_line(error) if isinstance(error, Error) else f"{type(error).__name__}: {first_line(error)}"
        return Failure(
            self.schema,
            message,
            migration=self.current,
            operation=described(self.operation) if self.operation is not None else operation_of(error),
            place=place_of(error),
            statement=(self._failed_sql or "")[:_STATEMENT_LENGTH] or None if known else None,
            sqlstate=sqlstate(error),
            hint=hint(sqlstate(error), self._fake_command()),
        )

    def _fake_command(self) -> str:
        """The stock command that records the current migration without running it."""
        app, _point, name = (self.current or "app.name").partition(".")
        if hasattr(self.connection, "set_schema"):
            return f"manage.py migrate_schemas --schema={self.schema} --fake {app} {name}"
        return f"manage.py migrate --fake {app} {name}"


def _is_cause(cause: BaseException | None, error: BaseException | None) -> bool:
    while error is not None and cause is not None:
        if error is cause:
            return True
        error = error.__cause__ or error.__context__
    return False


def hint(code: str | None, fake_command: str) -> str | None:
    """What to do next, for the SQLSTATEs that deploys meet most (PostgreSQL, Appendix A). Pure.

    :param fake_command: the command that records the migration without running it.
    """
    by_hand = "It was made by hand or by another migration. Compare it with what this one makes; if it is the same, record it with"
    hints = {
        "42P07": f"The table is there but not recorded. {by_hand}: {fake_command}",
        "42701": f"The column is there but not recorded. {by_hand}: {fake_command}",
        "42P01": "A table that the migration needs is not there. Is the app in the right list (shared or tenants'), and migrated before?",
        "42501": "The role may not do this. Let the owner run it (session_role:), or grant it.",
        "23502": "Rows hold NULL where the migration wants none: fill them first.",
        "23505": "Rows hold a value twice where the migration wants it once: mend them first.",
        "55P03": "Somebody else holds a lock on the table: run it again when less is going on.",
    }
    return hints.get(code or "")
