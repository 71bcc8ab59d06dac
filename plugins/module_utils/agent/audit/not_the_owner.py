# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The deploying role may do what the pending migrations do: it owns the tables that they change, and may create in the schemas."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Iterator, Tuple

from ..database import quoted
from ..findings import ERROR, Finding, few, schemas_in_words

if TYPE_CHECKING:
    from ..evidence import Evidence
    from ..forecast import Effect

_CHANGES = {
    *(
        "drop_table",
        "rename_table",
        "add_column",
        "drop_column",
        "rename_column",
        "alter_column",
        "add_index",
        "remove_index",
    ),
    *("rename_index", "add_constraint", "remove_constraint", "validate_constraint", "alter_unique", "alter_index"),
}
_MAKES = {"create_table", "rename_table", "add_index"}

_OWNERS = """
SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p') AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
"""
_CLOSED = """
SELECT nspname, pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace
WHERE nspname = ANY(%s) AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE')
"""
_ROLE = "SELECT current_user, current_database(), pg_catalog.has_database_privilege(current_database(), 'CREATE')"

_Tables = Tuple[str, ...]


def findings(evidence: Evidence) -> Iterator[Finding]:
    connection = evidence.context.connection
    if connection.vendor != "postgresql":
        return
    public = evidence.fleet.public
    changed: dict[str, set[str]] = {}
    makes: list[str] = []
    editor = connection.schema_editor()
    for cohort in evidence.cohorts:
        effects = [effect for effect in evidence.pending_effects.get(cohort.first.name, ()) if effect.sure]
        tables = {effect.table for effect in effects if effect.kind in _CHANGES and _is_altered(editor, effect)}
        if tables & cohort.there.keys():
            changed.update(dict.fromkeys(cohort.names, tables))
        # In the public schema the deploy wants the right for whatever is pending.
        if any(effect.kind in _MAKES for effect in effects) or (cohort.first.name == public and cohort.plan.lines):
            makes += cohort.names
    with connection.cursor() as cursor:
        cursor.execute(_ROLE)
        role, database, may_create = cursor.fetchone()
        yield from _foreign_tables(cursor, role, changed)
        yield from _closed_schemas(cursor, role, makes)
    new = sorted(evidence.planned - {name for name, state in evidence.fleet.schemas.items() if state.exists})
    if evidence.context.tenancy.by_schema and new and not may_create:
        yield Finding(
            ERROR,
            database,
            f"The role {role} may not create schemas in the database {database}, and {schemas_in_words(new)} is to get one.",
            _hint(f"GRANT CREATE ON DATABASE {quoted(database)} TO {quoted(role)};"),
            new,
        )


def _is_altered(editor: Any, effect: Effect) -> bool:
    """Whether an operation reaches the database at all: Django sends nothing for a new help text."""
    if effect.kind != "alter_column" or effect.before is None or effect.after is None:
        return True
    try:
        return bool(editor._field_should_be_altered(effect.before, effect.after))
    except Exception:
        # A field of the project's own, which wants more than its declaration.
        return True


def _foreign_tables(cursor: Any, role: str, changed: dict[str, set[str]]) -> Iterator[Finding]:
    if not changed:
        return
    cursor.execute(_OWNERS, [list(changed), sorted(set().union(*changed.values()))])
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for schema, table, owner in cursor.fetchall():
        if table in changed[schema]:
            found[schema, owner].append(table)
    alike: dict[tuple[str, _Tables], list[str]] = defaultdict(list)
    for (schema, owner), tables in found.items():
        alike[owner, tuple(sorted(tables))].append(schema)
    for (owner, names), schemas in sorted(alike.items()):
        schemas.sort()
        yield Finding(
            ERROR,
            f"{schemas[0]}.{names[0]}",
            f"Pending migrations change {few(names)} in {schemas_in_words(schemas)}, which {'belongs' if len(names) == 1 else 'belong'} to {owner}, "
            f"and the role {role} is no member of that: PostgreSQL would say 'must be owner of table'.",
            _hint(f"GRANT {quoted(owner)} TO {quoted(role)};", owner),
            schemas,
        )


def _closed_schemas(cursor: Any, role: str, makes: list[str]) -> Iterator[Finding]:
    if not makes:
        return
    cursor.execute(_CLOSED, [makes])
    owners: dict[str, list[str]] = defaultdict(list)
    for schema, owner in cursor.fetchall():
        owners[owner].append(schema)
    for owner, schemas in sorted(owners.items()):
        schemas.sort()
        grant = f"GRANT CREATE ON SCHEMA {', '.join(map(quoted, schemas))} TO {quoted(role)};"
        yield Finding(
            ERROR,
            schemas[0],
            f"The role {role} may not create tables in {schemas_in_words(schemas)}, where migrations are pending.",
            _hint(grant, owner),
            schemas,
        )


def _hint(statement: str, owner: str | None = None) -> str:
    other = (
        f" Or let the deploy act as {owner}, with session_role."
        if owner
        else " Or name another role with session_role."
    )
    return f"As a superuser: {statement}{other}"
