# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The command behind django_tenant_info: what there is, what is pending where, and what is missing. Nothing is written."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from .fields import settable_fields
from .fleet import Fleet, in_public, read_fleet
from .graph import Graphs
from .identity import database_id
from .model_tables import tables_made
from .plan import grouped
from .planning import WHOLE, make_plan
from .settings_facts import settings_facts
from .structure import read_columns
from .tenants import shown
from .verification import read_missing

if TYPE_CHECKING:
    from .loading import Context


def run(context: Context, options: dict[str, Any]) -> dict[str, Any]:
    """Describe the project and its fleet.

    :param options: ``schemas``: look at these only (all where empty).
    :returns: ``tenancy``, ``database_id``, ``project``, ``versions``, ``models``, ``tenants``, ``schemas``, ``pending``, ``problems``, ``missing``,
        ``orphans``.
    """
    context.wire.doing("loading the migrations")
    graphs = Graphs()
    context.wire.doing("reading the fleet")
    fleet = read_fleet(context)
    wanted = [name for name in fleet.schemas if not options["schemas"] or name in options["schemas"]]
    plan = make_plan(context, graphs, fleet, [fleet.schemas[name] for name in wanted], WHOLE)
    pending = {item.schema.name: item.migrations for item in plan.schemas}
    return {
        "tenancy": context.tenancy.facts(),
        "database_id": database_id(context),
        "project": _project(context),
        "versions": _versions(context),
        "models": _models(context),
        "tenants": _tenants(context, fleet, set(options["schemas"])),
        "schemas": [
            {
                "schema": item.schema.name,
                "exists": item.schema.exists,
                "recorded": len(item.schema.recorded),
                "pending": len(item.lines),
            }
            for item in plan.schemas
        ],
        "pending": grouped((item.lines, item.schema.name, None) for item in plan.pending),
        "problems": [
            {"schema": item.schema.name, "message": item.problem.message, "hint": item.problem.hint}
            for item in plan.problems
            if item.problem
        ],
        "missing": read_missing(context, fleet, pending, lambda: tables_made(graphs, context.connection), wanted),
        "unknown": sorted(set(options["schemas"]) - set(fleet.schemas)),
        "orphans": fleet.orphans,
    }


def _project(context: Context) -> dict[str, Any]:
    """The settings module, what in it makes the tenancy, and which database it works on as which role."""
    from django.conf import settings

    name, role = str(context.connection.settings_dict["NAME"]), None
    if context.connection.vendor == "postgresql":
        with context.connection.cursor() as cursor:
            cursor.execute("SELECT current_database(), current_user")
            name, role = cursor.fetchone()
    return {
        "settings": str(settings.SETTINGS_MODULE),
        "facts": settings_facts(context.alias),
        "database": {"alias": context.alias, "name": name, "role": role},
    }


def _versions(context: Context) -> dict[str, str]:
    import django

    connection = context.connection
    versions = {"python": platform.python_version(), "django": django.get_version()}
    if context.tenancy.by_schema:
        try:
            versions["django_tenants"] = version("django-tenants")
        except PackageNotFoundError:
            versions["django_tenants"] = "unknown"
    driver = connection.Database
    versions["driver"] = (
        f"{driver.__name__.partition('.')[0]} {getattr(driver, '__version__', getattr(driver, 'sqlite_version', ''))}".strip()
    )
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        versions["server"] = f"{connection.vendor} {cursor.fetchone()[0]}"
    return versions


def _models(context: Context) -> dict[str, Any]:
    tenancy = context.tenancy
    described: dict[str, Any] = {}
    for which, model in (("tenant", tenancy.tenant), ("domain", tenancy.domain)):
        if model is None:
            described[which] = None
            continue
        settable = settable_fields(model)
        described[which] = {
            "label": model._meta.label,
            "table": model._meta.db_table,
            "fields": [
                {
                    "name": item.name,
                    "type": item.get_internal_type(),
                    "null": item.null,
                    "required": item.name in settable and not item.null and not item.blank and not item.has_default(),
                    "unique": item.unique,
                }
                for item in model._meta.concrete_fields
            ],
        }
    return described


def _tenants(context: Context, fleet: Fleet, wanted: set[str]) -> list[dict[str, Any]]:
    """The tenants with their fields (those whose columns exist) and domains; a schema's existence under schema tenancy."""
    tenancy = context.tenancy
    model, domain = tenancy.tenant, tenancy.domain
    tables = [item._meta.db_table for item in (model, domain) if item]
    columns = read_columns(context.connection, fleet.public, tables)
    names = [item.name for item in model._meta.concrete_fields if item.column in columns[model._meta.db_table]]
    if not names:
        return []
    order = "schema_name" if tenancy.by_schema else "pk"
    with in_public(context):
        rows = list(model._base_manager.using(context.alias).order_by(order).values("pk", *names))
        domains: dict[Any, list[dict[str, Any]]] = {}
        if domain is not None and tenancy.domain_field and columns[domain._meta.db_table]:
            fields = [f"{tenancy.domain_tenant_field}_id", tenancy.domain_field] + (
                [tenancy.primary_field] if tenancy.primary_field else []
            )
            for row in domain._base_manager.using(context.alias).order_by("pk").values_list(*fields):
                domains.setdefault(row[0], []).append(
                    {"domain": row[1], "primary": bool(row[2]) if tenancy.primary_field else None}
                )
    # A tenant that is a row has no one name; these are what people call it by.
    label = next((name for name in ("slug", "name", "code") if name in names), "pk")
    described = []
    for row in rows:
        entry: dict[str, Any] = {}
        if tenancy.by_schema:
            if wanted and row["schema_name"] not in wanted:
                continue
            state = fleet.schemas.get(row["schema_name"])
            entry = {"tenant": row["schema_name"], "schema": row["schema_name"], "exists": bool(state and state.exists)}
        else:
            entry = {"tenant": str(row[label])}
        entry["attributes"] = {name: shown(name, row[name]) for name in names}
        entry["domains"] = domains.get(row["pk"], [])
        described.append(entry)
    return described
