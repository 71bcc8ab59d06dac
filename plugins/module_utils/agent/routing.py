# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tenants and the domains that lead to them, as their rows say; of the columns only those that exist are read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Set

from .fleet import in_public, public_schema
from .structure import read_columns

if TYPE_CHECKING:
    from django.db.models import Field, Model

    from .loading import Context

Columns = Mapping[str, Set[str]]


@dataclass(frozen=True)
class CurrentDomain:
    pk: Any
    name: str
    primary: bool
    owner: Any = None


@dataclass
class Routing:
    """All tenants (primary key to name) and domains.

    :param label: the tenant model's field that the name is from; ``key`` is that of the primary key.
    :param domains: None where the project has no domains, or their table is not there yet.
    :param has_primary: whether a column says which domain is a tenant's primary one.
    """

    tenants: dict[Any, str]
    label: str
    key: str
    domains: list[CurrentDomain] | None = None
    has_primary: bool = False
    by_tenant: dict[Any, list[CurrentDomain]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = defaultdict(list)
        for domain in self.domains or ():
            own[domain.owner].append(domain)
        self.by_tenant = {pk: own.get(pk, []) for pk in self.tenants}
        self.names_differ = len(set(self.tenants.values())) == len(self.tenants)

    def key_of(self, pk: Any) -> tuple[str, str]:
        """A field and a value that tell a tenant from all others."""
        return (self.label, self.tenants[pk]) if self.names_differ else (self.key, str(pk))

    def owner_of(self, domain: CurrentDomain) -> str:
        return self.tenants.get(domain.owner, str(domain.owner))


def fields_there(model: type[Model], columns: Columns) -> dict[str, Field]:
    """The model's fields whose columns exist, by name; under multi-table inheritance in the parents' tables too."""
    return {
        item.name: item
        for item in model._meta.concrete_fields
        if item.column in columns.get(item.model._meta.db_table, ())
    }


def domain_rows(context: Context, columns: Columns) -> Any:
    """The domains as a query, the oldest first; None where there are none to be asked for."""
    model, name, link = context.tenancy.domain, context.tenancy.domain_field, context.tenancy.domain_tenant_field
    if model is None or name is None or link is None or not {name, link} <= fields_there(model, columns).keys():
        return None
    return model._base_manager.using(context.alias).order_by("pk")


def read_domains(context: Context, columns: Columns, rows: Any) -> list[CurrentDomain]:
    """The domains of a query that :func:`domain_rows` began."""
    tenancy: Any = context.tenancy
    there = fields_there(rows.model, columns)
    marks = [tenancy.primary_field] if tenancy.primary_field in there else []
    picked = ["pk", tenancy.domain_field, there[tenancy.domain_tenant_field].attname, *marks]
    return [
        CurrentDomain(pk, name, bool(primary and primary[0]), owner)
        for pk, name, owner, *primary in rows.values_list(*picked)
    ]


def tenant_label(context: Context, columns: Columns) -> str:
    """The tenant model's field that names a tenant best."""
    there = fields_there(context.tenancy.tenant, columns)
    names = ("schema_name",) if context.tenancy.by_schema else ("slug", "name", "code")
    return next((name for name in names if name in there), "pk")


def tenant_names(context: Context, columns: Columns, pks: Iterable[Any] | None = None) -> dict[Any, str]:
    """The tenants' names by primary key: those of some, or of all."""
    rows = context.tenancy.tenant._base_manager.using(context.alias).order_by("pk")
    if pks is not None:
        rows = rows.filter(pk__in=pks)
    return {pk: str(name) for pk, name in rows.values_list("pk", tenant_label(context, columns))}


def read_routing(context: Context) -> Routing:
    """All tenants and domains; empty where their tables are not there yet."""
    tenancy = context.tenancy
    columns = read_columns(context.connection, public_schema(context), tenancy.tables)
    there = fields_there(tenancy.tenant, columns)
    label, key = tenant_label(context, columns), tenancy.tenant._meta.pk.name
    if key not in there or (tenancy.by_schema and label != "schema_name"):
        return Routing({}, label, key)
    rows = domain_rows(context, columns)
    with in_public(context):
        return Routing(
            tenant_names(context, columns),
            label,
            key,
            None if rows is None else read_domains(context, columns, rows),
            rows is not None and tenancy.primary_field in fields_there(rows.model, columns),
        )
