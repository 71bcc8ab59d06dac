# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which tables the models need in which schema, and which of them are not there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Collection, Iterable, Iterator, Mapping

if TYPE_CHECKING:
    from .fleet import Fleet, SchemaState
    from .loading import Context


def needed_tables(context: Context, state: SchemaState, public: str) -> dict[str, str]:
    """The tables that the code's models need in a schema, each with the app it belongs to.

    Asked of the project's own routers, model by model, with the connection set to that schema, as migrate does.
    """
    from django.apps import apps
    from django.db import router

    with in_schema(context, state.name, state.type):
        return {
            model._meta.db_table: model._meta.app_label
            for model in apps.get_models(include_auto_created=True)
            if model._meta.can_migrate(context.connection) and router.allow_migrate_model(context.alias, model)
        }


@contextmanager
def in_schema(
    context: Context, schema: str, tenant_type: str | None = None, include_public: bool = True
) -> Iterator[None]:
    """Django works in one schema inside, as the routers see it; afterwards in the public one again.

    Nothing is sent to the database before a query is. Under row tenancy there is nothing to switch.
    """
    if not context.tenancy.by_schema:
        yield
        return
    with context.own_session():
        context.connection.set_schema(schema, include_public=include_public, tenant_type=tenant_type)
        try:
            yield
        finally:
            context.connection.set_schema_to_public()


def read_missing(
    context: Context,
    fleet: Fleet,
    pending: Mapping[str, Iterable[tuple[str, str]]],
    made: Callable[[], Collection[str]],
    schemas: Iterable[str] | None = None,
) -> list[str]:
    """The tables that the models need, that are not there though a migration makes them, and none that is pending; as ``schema.table``.

    :param pending: the migrations that each schema lacks; tables of their apps are not missed yet.
    :param made: what tells the tables that the migrations on disk make. One that none makes is the models' matter: they are ahead of them.
    :param schemas: look at these only.
    """
    from .structure import read_tables

    wanted = set(fleet.schemas if schemas is None else schemas)
    states = [state for name, state in fleet.schemas.items() if state.exists and name in wanted]
    there = read_tables(context.connection, [state.name for state in states])
    needed: dict[tuple[bool, str | None], dict[str, str]] = {}
    missing: list[tuple[str, str]] = []
    for state in states:
        kind = (state.name == fleet.public, state.type)
        if kind not in needed:
            needed[kind] = needed_tables(context, state, fleet.public)
        coming = {app for app, name in pending.get(state.name, ())}
        missing += [(state.name, table) for table in missing_tables(needed[kind], there[state.name], coming)]
    tables = made() if missing else ()
    return [f"{schema}.{table}" for schema, table in missing if table in tables]


def missing_tables(needed: Mapping[str, str], there: Iterable[str], coming: Iterable[str]) -> list[str]:
    """The tables of ``needed`` (table to app) that are neither there nor of an app with migrations still to come."""
    have, apps = set(there), set(coming)
    return sorted(table for table, app in needed.items() if table not in have and app not in apps)
