# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The schemas of a scratch database that are not copied: there by name, and filled when the project's code enters one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from .database import quoted
from .fleet import RECORDER_TABLE

if TYPE_CHECKING:
    from .doubt import Circumstances

_TABLES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY c.oid
"""
# One statement is one transaction, and its locks are held to its end.
_SCHEMAS_A_STATEMENT = 200
# Rows that Django takes for granted.
_WITH_ROWS = (RECORDER_TABLE, "django_content_type", "auth_permission")


class StandIns:
    """Schemas by name, each with the schema whose tables it gets.

    A migration that goes from tenant to tenant would otherwise fall through to public's tables, or fail where the real one would not.
    """

    def __init__(self, connection: Any, like: Mapping[str, str], seen: Circumstances) -> None:
        self.connection, self.like, self.seen = connection, like, seen

    def install(self) -> None:
        """Make them by name, and watch which are entered."""
        if not self.like:
            return
        names = list(self.like)
        with self.connection.cursor() as cursor:
            for start in range(0, len(names), _SCHEMAS_A_STATEMENT):
                chunk = names[start : start + _SCHEMAS_A_STATEMENT]
                cursor.execute(";\n".join(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}" for name in chunk))
        original = self.connection.set_tenant

        def set_tenant(tenant: Any, *args: Any, **kwargs: Any) -> Any:
            if tenant.schema_name in self.like:
                self._fill(tenant.schema_name)
            return original(tenant, *args, **kwargs)

        self.connection.set_tenant = set_tenant

    def _fill(self, schema: str) -> None:
        if self.connection.needs_rollback:
            return
        if schema not in self.seen.entered:
            self.seen.entered.append(schema)
        source = self.like[schema]
        with self.connection.cursor() as cursor:
            cursor.execute(_TABLES, [schema])
            # Asked each time: a rollback takes them away.
            if cursor.fetchone():
                return
            cursor.execute(_TABLES, [source])
            for (table,) in cursor.fetchall():
                new, old = (f"{quoted(name)}.{quoted(table)}" for name in (schema, source))
                cursor.execute(f"CREATE TABLE {new} (LIKE {old} INCLUDING ALL)")
                if table in _WITH_ROWS:
                    cursor.execute(f"INSERT INTO {new} OVERRIDING SYSTEM VALUE SELECT * FROM {old}")
