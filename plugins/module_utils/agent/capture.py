# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Capture the SQL that Django sends to the first schema of a cohort, as it is sent, or held until an answer is wanted."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Iterator

from .fleet import RECORDER_TABLE
from .outcome import Watch
from .path_once import sets_path
from .purity import statement_kind

if TYPE_CHECKING:
    from .fleet import Migration

# What has no answer but whether it worked: a migration's own statements, and those around it.
_OF_A_MIGRATION = re.compile(r"\s*(?:CREATE|ALTER|DROP|COMMENT)\s", re.IGNORECASE)
_WRITES_ROWS = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|COPY|SELECT)\b", re.IGNORECASE)
_AROUND = re.compile(r"(?:SET CONSTRAINTS|SAVEPOINT|RELEASE SAVEPOINT)\s")
# On a line of its own: what is before it may end with a comment.
NEXT = "\n;\n"


@dataclass
class Step:
    """One operation with the model states before and after it, rendered once for all schemas."""

    operation: Any
    before: Any
    after: Any


@dataclass
class Unit:
    """One migration as the other schemas of the cohort get it: its SQL, or the reason why Django runs it, and its steps for that.

    ``leaves`` is the structure that Django left in the first schema; only where it leaves the same is SQL replayed after it.
    """

    key: Migration
    atomic: bool
    rows: tuple[Migration, ...]
    sql: list[str] = field(default_factory=list)
    because: str | None = None
    steps: list[Step] = field(default_factory=list)
    leaves: str | None = None

    @property
    def name(self) -> str:
        return f"{self.key[0]}.{self.key[1]}"

    @cached_property
    def writes_rows(self) -> bool:
        """Whether the SQL may write rows. Asked once all of it is there."""
        return any(_WRITES_ROWS.search(sql) for sql in self.sql)


class NotHeld(Exception):
    """Something is to run that must not find statements held back; the plan has to run without that."""


class CapturingWatch(Watch):
    """Keeps the statements of each migration that are to be sent to the other schemas."""

    def __init__(self, schema: str, connection: Any) -> None:
        super().__init__(schema, connection)
        self.holding = self._closing = False
        self._forget()

    def _forget(self) -> None:
        self.units: dict[str, Unit] = {}
        self.prelude: list[str] = []
        # What the catalog was asked for by name.
        self.looked_at: set[str] = set()
        # What goes last, once all else has worked: what is rolled back would still move sequences.
        self.at_the_end: list[str] = []
        self._held: list[str] = []
        self._path: str | None = None
        self._place: object = None
        self.applied.clear()
        self.current = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Inside, statements wait until one is sent whose answer counts, and then go in one message.

        In a transaction of the caller's, so that an error leaves nothing: where it came from can't be told, and the caller runs
        the plan again without this. Not for a plan with code or SQL of the project in it.
        """
        self.holding = True
        try:
            yield
            self._closing = True
            self._held += self.at_the_end
            if self._held:
                with self.connection.cursor() as cursor:
                    cursor.execute(self._taken())
        except BaseException:
            self._forget()
            raise
        finally:
            self.holding = self._closing = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if self._closing:
            return super().__call__(execute, sql, params, many, context)
        text = str(sql)
        if self.holding:
            # Not every version of django-tenants lets its SET search_path be seen here.
            place = (self.connection.schema_name, self.connection.include_public_schema)
            if self._held and self._place != place and not sets_path(text):
                raise NotHeld("the search_path has been changed meanwhile")
            self._place = place
            if sets_path(text) and text == self._path:
                # django-tenants sets it for every cursor.
                return None
            if self._is_held(text, params):
                self._held.append(text)
                self.capture(text, params)
                return None
            if self._held:
                super().__call__(execute, self._taken(), None, False, context)
            if sets_path(text) or text.startswith("ROLLBACK"):
                # What is rolled back may take the path with it.
                self._path = text if sets_path(text) else None
        result = super().__call__(execute, sql, params, many, context)
        self.capture(text, params)
        return result

    def _is_held(self, text: str, params: Any) -> bool:
        return not params and bool(_AROUND.match(text) or (self.current and _OF_A_MIGRATION.match(text)))

    def _taken(self) -> str:
        text = NEXT.join(self._held)
        self._held.clear()
        return text

    def capture(self, sql: str, params: Any) -> None:
        """Keep a statement as one of the current migration's, or say of that why it can't be replayed."""
        unit = self.units.get(self.current or "")
        if unit is None:
            if sql.startswith(f'CREATE TABLE "{RECORDER_TABLE}"'):
                self.prelude.append(sql)
            return
        kind = statement_kind(sql)
        if kind == "skip" and isinstance(params, (list, tuple)):
            self.looked_at.update(value for value in params if isinstance(value, str))
        if unit.because or kind == "skip":
            return
        if kind == "reads":
            unit.because = f"it reads rows: {' '.join(sql.split())[:80]}"
        elif params:
            unit.because = f"it sends values apart from its SQL: {' '.join(sql.split())[:80]}"
        else:
            unit.sql.append(sql)
