# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a person runs to mend something, as hints say it: tasks, stock commands, SQL. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Sequence

from .database import quoted

if TYPE_CHECKING:
    from .tenancy import Tenancy


def literal(text: object) -> str:
    """A value as SQL and YAML have it."""
    return "'" + str(text).replace("'", "''") + "'"


def tenant_task(tenancy: Tenancy, label: str, name: object, more: str = "") -> str:
    """The task that ensures a tenant.

    :param label: the field that ``name`` is a value of.
    :param more: further options, as YAML writes them.
    """
    identity = f"schema: {literal(name)}" if tenancy.by_schema else f"key: {{{label}: {literal(name)}}}"
    return f"meatscentral.tenancy.django_tenant: {{{identity}{more and ', ' + more}}}"


def domain_sql(tenancy: Tenancy, public: str, statement: str) -> str:
    """A statement on the domains, with ``{table}`` and ``{domain}`` filled in."""
    model: Any = tenancy.domain
    item = model._meta.get_field(tenancy.domain_field)
    table = f"{quoted(public)}.{quoted(item.model._meta.db_table)}"
    return statement.format(table=table, domain=quoted(item.column))


def migrate_command(tenancy: Tenancy, schema: str, *arguments: str) -> str:
    """The stock command that migrates a schema."""
    command = (
        ["manage.py", "migrate_schemas", f"--schema={shlex.quote(schema)}"]
        if tenancy.by_schema
        else ["manage.py", "migrate"]
    )
    return f"'{' '.join([*command, *arguments])}'"


def in_each(schemas: Sequence[str]) -> str:
    """The start of a hint that gives what to run for the first of several schemas."""
    return "" if len(schemas) < 2 else f"For each of these {len(schemas)} schemas, here for {schemas[0]}: "
