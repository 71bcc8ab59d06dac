# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Sees every statement of a rehearsal: what each migration sends, what it reads, and what must not be sent."""

from __future__ import annotations

import re
from typing import Any, Callable

from .doubt import Circumstances, is_beyond
from .purity import statement_kind

# Django's and our own housekeeping around operations.
_HOUSEKEEPING = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "SET CONSTRAINTS ")
_WORD = re.compile(r"[\w$]+")
# Kept for those who judge SQL; a plan of this size is judged by nobody.
_MOST_TEXT = 500_000


class RehearsalWatch:
    """An execute wrapper for the time of a rehearsal, with the migration that each statement belongs to.

    :param sql: filled with the statements of each migration, by its name.
    """

    def __init__(self, connection: Any, sql: dict[str, list[str]]) -> None:
        self.connection, self.sql = connection, sql
        # Tables that hold rows in the real database which may be missing here.
        self.rows_of: frozenset[str] = frozenset()
        self.seen = Circumstances()
        self.keeps_sql = False
        self.current: str | None = None
        self._left = _MOST_TEXT
        self._original: Any = None

    def __enter__(self) -> RehearsalWatch:
        from django.db.migrations.executor import MigrationExecutor

        original = self._original = MigrationExecutor.apply_migration

        def apply_migration(executor: Any, state: Any, migration: Any, *args: Any, **kwargs: Any) -> Any:
            outer, self.current = self.current, f"{migration.app_label}.{migration.name}"
            try:
                return original(executor, state, migration, *args, **kwargs)
            finally:
                self.current = outer

        # Whoever runs migrations, a project's own executor too, comes this way.
        MigrationExecutor.apply_migration = apply_migration
        self.connection.execute_wrappers.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        from django.db.migrations.executor import MigrationExecutor

        MigrationExecutor.apply_migration = self._original
        self.connection.execute_wrappers.remove(self)

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        text = str(sql)
        if is_beyond(text):
            self.seen.left_out.append(" ".join(text.split())[:80])
            return None
        if "SELECT" in text.upper():
            self._note_reading(text)
        if self.current and self.keeps_sql and not params and statement_kind(text) == "keep":
            self._keep(text)
        return execute(sql, params, many, context)

    def _note_reading(self, text: str) -> None:
        if statement_kind(text) == "skip":
            return
        found = self.rows_of.intersection(_WORD.findall(text))
        self.seen.read += [table for table in sorted(found) if table not in self.seen.read]
        if self.seen.entered and not found:
            # Whatever it reads in another's schema, rows are missing there.
            self.seen.read.append(self.seen.entered[-1])

    def _keep(self, text: str) -> None:
        if text.startswith(_HOUSEKEEPING):
            return
        known = self.sql.setdefault(str(self.current), [])
        if text not in known and self._left > len(text):
            known.append(text)
            self._left -= len(text)
