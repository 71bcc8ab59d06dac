# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a task declares of tenants, in plain values: read from its options, and checked against itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable

from .errors import OptionProblem

if TYPE_CHECKING:
    from .tenancy import Tenancy


@dataclass(frozen=True)
class DesiredDomain:
    name: str
    primary: bool


@dataclass
class Desired:
    """One tenant as it is declared. ``identity`` are the fields that find its row, ``schema`` is None under row tenancy."""

    identity: dict[str, Any]
    schema: str | None
    present: bool = True
    attributes: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    domains: list[DesiredDomain] = field(default_factory=list)
    exclusive_domains: bool = False
    move_domains: bool = False
    drop_schema: bool = False
    confirm: str | None = None
    grant_to: list[str] = field(default_factory=list)
    migrate: bool = True
    fold_domains: bool = True

    @property
    def label(self) -> str:
        """The tenant as results and messages name it."""
        return self.schema or ", ".join(str(value) for value in self.identity.values())


def desired(tenancy: Tenancy, description: dict[str, Any]) -> Desired:
    """One description of a tenant, as the module's options give it.

    :raises OptionProblem: it does not say which tenant, or contradicts itself.
    """
    schema, key = description.get("schema"), description.get("key")
    if tenancy.by_schema:
        if key or not schema:
            raise OptionProblem("The project has one schema a tenant: say which tenant with schema:, not with key:.")
        identity = {"schema_name": schema}
    else:
        if schema or not key:
            raise OptionProblem(
                f"The project keeps its tenants as rows of {tenancy.tenant._meta.label}: say which tenant with key: {{field: value}}, not with schema:.",
                hint="For example key: {slug: acme}, with a field that tells tenants apart.",
            )
        identity = dict(key)
    result = Desired(
        identity=identity,
        schema=schema if tenancy.by_schema else None,
        present=description["state"] == "present",
        attributes=description.get("attributes") or {},
        defaults=description.get("defaults") or {},
        exclusive_domains=bool(description.get("exclusive_domains")),
        move_domains=bool(description.get("move_domains")),
        drop_schema=bool(description.get("drop_schema")),
        confirm=description.get("confirm"),
        grant_to=list(description.get("grant_to") or []),
        migrate=description.get("migrate") is not False,
        fold_domains=not tenancy.subfolder_routing,
    )
    result.domains = _domains(result.label, description.get("domains") or [], result.fold_domains)
    problem = _misfit(tenancy, result)
    if problem:
        raise OptionProblem(f"{result.label}: {problem}")
    return result


def _misfit(tenancy: Tenancy, item: Desired) -> str | None:
    """What is declared of a tenant and can't be, whatever the database holds."""
    if item.domains and tenancy.domain is None:
        return "domains are declared, but the project has no domain model. Leave domains: out."
    if item.domains and tenancy.domain and not tenancy.domain_field:
        return (
            f"domains are declared, but {tenancy.domain._meta.label} has no field for the host name"
            " (domain, hostname, host, fqdn or name). Name the right model with domain_model:."
        )
    if not tenancy.by_schema and (item.grant_to or item.drop_schema):
        option = "grant_to" if item.grant_to else "drop_schema"
        return f"{option}: the project keeps its tenants as rows, so that no schema belongs to one."
    twice = sorted(set(item.identity) & {*item.attributes, *item.defaults})
    if twice:
        return f"{', '.join(twice)} says which tenant it is and can't be an attribute or a default as well."
    if item.schema and not item.present and item.drop_schema and is_postgresqls_own(item.schema):
        return "the schema is PostgreSQL's own and can't be dropped."
    return None


def _domains(tenant: str, declared: Iterable[Any], fold: bool) -> list[DesiredDomain]:
    """The declared domains; the one that is marked is the primary one, else the first.

    Host names are the same in any case (RFC 4343), so they are folded to lower case; a folder's name is not.
    """
    names: list[str] = []
    marked: list[str] = []
    for item in declared:
        given = item if isinstance(item, dict) else {"domain": item}
        unknown = sorted(set(given) - {"domain", "primary"})
        name = given.get("domain")
        if unknown or not isinstance(name, str) or not name.strip():
            raise OptionProblem(
                f"{tenant}: a domain is a host name, or {{domain: host name, primary: true}}, not {item!r}."
            )
        name = name.strip().lower() if fold else name.strip()
        if name in names:
            raise OptionProblem(f"{tenant}: the domain {name!r} is declared twice.")
        names.append(name)
        if _truth(tenant, name, given.get("primary", False)):
            marked.append(name)
    if len(marked) > 1:
        raise OptionProblem(f"{tenant}: more than one domain is marked as primary ({', '.join(marked)}).")
    primary = marked[0] if marked else (names[0] if names else None)
    return [DesiredDomain(name, name == primary) for name in names]


def _truth(tenant: str, domain: str, value: Any) -> bool:
    """A boolean as YAML, or a template that became text, gives it."""
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    try:
        return known[str(value).lower()]
    except KeyError:
        raise OptionProblem(f"{tenant}: primary: of the domain {domain!r} is true or false, not {value!r}.") from None


def contradictions(declared: list[Desired]) -> list[str]:
    """What can't be true of several tenants at once: one tenant twice, names that differ in case only, a domain of two."""
    errors = []
    seen: dict[str, str] = {}
    owner: dict[str, str] = {}
    for item in declared:
        folded = item.label.lower() if item.schema else item.label
        if seen.get(folded) == item.label:
            errors.append(f"{item.label}: declared more than once.")
        elif folded in seen:
            errors.append(f"{item.label}: differs only in case from {seen[folded]}.")
        seen.setdefault(folded, item.label)
        if not item.present:
            continue
        for domain in item.domains:
            if domain.name in owner:
                errors.append(f"{item.label}: the domain {domain.name!r} is also declared for {owner[domain.name]}.")
            owner.setdefault(domain.name, item.label)
    return errors


def schema_name_error(name: str, others: Iterable[str]) -> str | None:
    """Why PostgreSQL or django-tenants would refuse a schema's name, or mistake it for another.

    PostgreSQL cuts identifiers off at 63 bytes (NAMEDATALEN - 1) where django-tenants counts characters;
    django-tenants compares names without regard to case.
    """
    from django.conf import settings
    from django_tenants import utils
    from django_tenants.postgresql_backend.base import is_valid_schema_name

    size = len(name.encode("utf-8"))
    if size > 63:
        return f"the schema name is {size} bytes long; PostgreSQL keeps 63."
    if is_postgresqls_own(name):
        return "the schema name is PostgreSQL's own."
    if name in getattr(settings, "PG_EXTRA_SEARCH_PATHS", []):
        return "the schema is in PG_EXTRA_SEARCH_PATHS, and django-tenants would not start with a tenant of that name."
    if not is_valid_schema_name(name) or any(ord(character) < 32 for character in name):
        return "django-tenants refuses this schema name."
    if "'" in name and not hasattr(utils, "quote_schema_name"):
        return "this release of django-tenants can't set a search_path with a quote in it, and would write to public instead."
    for other in others:
        if other != name and other.lower() == name.lower():
            return f"the schema name differs only in case from {other!r}, and django-tenants takes the two for one."
    return None


def alike(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by what django-tenants takes them for, so that not each has to be compared with each. Pure."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.lower(), []).append(name)
    return found


def is_postgresqls_own(schema: str) -> bool:
    return schema.lower().startswith("pg_") or schema.lower() == "information_schema"
