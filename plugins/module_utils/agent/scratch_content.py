# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Fill a scratch database: extensions, what is made before the rows, the rows, and what is made after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, ContextManager, Sequence

from .blueprint import read_refreshes
from .fleet import public_schema
from .scratch_rows import copy_rows, copy_sequences, read_selection, snapshot
from .scratch_session import transaction
from .scratch_structure import (
    Schemas,
    compare,
    holds_anything,
    make_extensions,
    read_schemas,
    read_statements,
    require_tables,
    run,
)

if TYPE_CHECKING:
    from .loading import Context


class Filling:
    """The real database's structure and rows on their way into a scratch database.

    :param real: a session there, and ``scratch`` one here, both as ``role``.
    :param session: opens another one to the real database.
    """

    def __init__(
        self, context: Context, real: Any, scratch: Any, role: str | None, session: Callable[[], ContextManager[Any]]
    ) -> None:
        self.context, self.role, self.session = context, role, session
        self.real, self.scratch = real, scratch
        self.errors: type[Exception] = context.connection.Database.Error
        self.notices: list[str] = []

    def fill(self, wanted: Sequence[str], rows: int) -> list[str]:
        """Copy, and say what could not be.

        :raises CannotRehearse: a table of a schema that was asked for can't be made.
        """
        with self.real.cursor() as real, self.scratch.cursor() as scratch:
            schemas = read_schemas(self.context, real, wanted)
            missing = make_extensions(real, scratch, schemas, self.errors)
            self.notices += [
                f"The extension {each.statement.schema} is not in the scratch database: {each.message}"
                for each in missing
            ]
            if not holds_anything(real, schemas.all):
                return self.notices
            statements = read_statements(real, self.real, self.role, schemas.all, self.notices)
            if statements.left_out:
                self.notices.append(
                    f"Not in the scratch database (a pg_dump of the server's version may copy more): {', '.join(statements.left_out)}."
                )
            failed = run(scratch, statements.before, self.errors)
            self._copy_rows(real, scratch, schemas, rows)
            # What waits for a primary key has one now.
            failed = run(scratch, statements.after + [each.statement for each in failed], self.errors)
            with transaction(real, "BEGIN READ ONLY"):
                refreshes = read_refreshes(real, schemas.all)
            self.notices += [
                f"In the scratch database a materialized view of {each.statement.schema} stays empty: {each.message}"
                for each in run(scratch, refreshes, self.errors)
            ]
            comparison = compare(self.real, self.scratch, schemas.wanted)
            self.notices += require_tables(failed, comparison, missing, statements.left_out)
            return self.notices

    def _copy_rows(self, real: Any, scratch: Any, schemas: Schemas, rows: int) -> None:
        public = public_schema(self.context)
        with snapshot(real, self.session, self.errors) as reader:
            tables = read_selection(reader, schemas, self.context.tenancy.tables, public, rows)
            copy_rows(reader, scratch, tables, self.errors)
            copy_sequences(reader, scratch, schemas.wanted)
            self.notices += reader.problems
