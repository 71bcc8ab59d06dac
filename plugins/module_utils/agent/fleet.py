# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The state of all the schemas of a project, read with a few set-based queries, and written nowhere."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, FrozenSet, Iterable, Iterator, Sequence, Tuple

from .copying import copied, rows_of
from .database import quoted

if TYPE_CHECKING:
    from .loading import Context
    from .tenancy import Tenancy

Migration = Tuple[str, str]
Recorded = FrozenSet[Migration]

RECORDER_TABLE = "django_migrations"
NOTHING: Recorded = frozenset()


@dataclass(frozen=True)
class TenantRow:
    """A tenant as its row says: ``key`` is the schema's name, or under row tenancy the row's own name."""

    key: str
    pk: Any
    type: str | None = None


@dataclass(frozen=True)
class SchemaState:
    """One schema of the fleet: whether it exists, whether it has a recorder, and what is recorded there."""

    name: str
    exists: bool
    has_recorder: bool = False
    recorded: Recorded = NOTHING
    type: str | None = None


@dataclass
class Fleet:
    """All the schemas of one database that belong to the project, the public one first."""

    public: str
    tenants: list[TenantRow] = field(default_factory=list)
    schemas: dict[str, SchemaState] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)

    @property
    def tenant_schemas(self) -> list[SchemaState]:
        return [state for name, state in self.schemas.items() if name != self.public]


def read_fleet(context: Context, planned: Iterable[str] = (), recorders_of: Iterable[str] | None = None) -> Fleet:
    """The fleet as the database has it now. Nothing is written, not even a recorder.

    :param planned: schemas of tenants that have no row yet and are looked at all the same.
    :param recorders_of: read what is recorded in these only; of the others nothing counts as recorded.
    """
    tenancy = context.tenancy
    public = public_schema(context)
    tenants = read_tenants(context) if tenancy.by_schema else []
    types = {row.key: row.type for row in tenants}
    names = list(dict.fromkeys([public, *_in_order([*types, *planned])]))
    existing, with_recorder = _read_schemas(context.connection, public)
    to_read = set(names if recorders_of is None else recorders_of) & with_recorder
    recorded = read_recorders(context.connection, [name for name in names if name in to_read])
    schemas = {
        name: SchemaState(name, name in existing, name in with_recorder, recorded.get(name, NOTHING), types.get(name))
        for name in names
    }
    orphans = sorted(with_recorder - set(names)) if tenancy.by_schema else []
    return Fleet(public, tenants, schemas, orphans)


def _in_order(names: list[str]) -> list[str]:
    """Where tenants go by name, those without a row take their place among them."""
    from django.conf import settings

    return names if getattr(settings, "TENANT_MIGRATION_ORDER", None) else sorted(names)


def public_schema(context: Context) -> str:
    """The name of the schema that holds what is shared; under row tenancy the only one."""
    if context.tenancy.public_schema:
        return context.tenancy.public_schema
    if context.connection.vendor != "postgresql":
        return "main"
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_schema(), 'public')")
        return str(cursor.fetchone()[0])


def read_tenants(context: Context) -> list[TenantRow]:
    """The tenants' rows, in TENANT_MIGRATION_ORDER if the settings give one, else by name.

    Only the columns that are needed are read, so that one that is still pending does no harm.
    """
    from django.conf import settings

    from .structure import read_columns

    model, type_field = context.tenancy.tenant, context.tenancy.type_field
    columns = read_columns(context.connection, public_schema(context), context.tenancy.tables)
    there = {
        item.name: item for item in model._meta.concrete_fields if item.column in columns[item.model._meta.db_table]
    }
    if not columns[model._meta.db_table] or "schema_name" not in there:
        return []
    order = getattr(settings, "TENANT_MIGRATION_ORDER", None) or ["schema_name"]
    # A name with underscores leads to another table and is left to Django.
    order = [name for name in order if "__" in name or name.lstrip("-") in {*there, "pk"}]
    fields = ["pk", "schema_name"] + ([type_field] if type_field in there else [])
    with in_public(context):
        rows = list(model._base_manager.using(context.alias).order_by(*order).values_list(*fields))
    # Where the column of the type is still to come, every tenant will get its default.
    default = model._meta.get_field(type_field).get_default() if type_field else None
    return [TenantRow(row[1], row[0], row[2] if len(row) > 2 else default) for row in rows]


@contextmanager
def in_public(context: Context) -> Iterator[None]:
    """Django's queries inside go to the public schema. Under row tenancy there is nothing to switch."""
    if not context.tenancy.by_schema:
        yield
        return
    with context.own_session():
        context.connection.set_schema_to_public()
        try:
            yield
        finally:
            context.connection.set_schema_to_public()


def _read_schemas(connection: Any, public: str) -> tuple[set[str], set[str]]:
    """The names of the schemas that exist, and of those that hold a recorder's table."""
    if connection.vendor != "postgresql":
        has = RECORDER_TABLE in connection.introspection.table_names()
        return {public}, {public} if has else set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.oid IS NOT NULL FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c"
            " ON c.relnamespace = n.oid AND c.relname = %s AND c.relkind IN ('r', 'p')"
            " WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'",
            [RECORDER_TABLE],
        )
        rows = cursor.fetchall()
    return {name for name, has in rows}, {name for name, has in rows if has}


def read_recorders(connection: Any, schemas: Sequence[str]) -> dict[str, Recorded]:
    """What is recorded as applied in each of the schemas.

    Those that hold the same are one and the same set.
    """
    if connection.vendor != "postgresql":
        return {schema: _read_recorder(connection) for schema in schemas}
    known: dict[bytes, Recorded] = {}
    same: dict[Recorded, Recorded] = {}
    found = {}
    statements = [f"COPY {_recorder_of(schema)} (app, name) TO STDOUT" for schema in schemas]
    for schema, text in zip(schemas, copied(connection, statements)):
        if text not in known:
            recorded = frozenset((app, name) for app, name in rows_of(text))
            known[text] = same.setdefault(recorded, recorded)
        found[schema] = known[text]
    return found


def _recorder_of(schema: str) -> str:
    return f"{quoted(schema)}.{quoted(RECORDER_TABLE)}"


def _read_recorder(connection: Any) -> Recorded:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {connection.ops.quote_name(RECORDER_TABLE)}")
        return frozenset((app, name) for app, name in cursor.fetchall())


def described(tenancy: Tenancy, row: TenantRow) -> dict[str, object]:
    """A tenant as results name it."""
    return {"tenant": row.key, "type": row.type} if tenancy.type_field else {"tenant": row.key}
