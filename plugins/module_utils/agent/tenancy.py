# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which tenancy the project uses, and which models hold its tenants and their domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable

from .errors import TenancyProblem

if TYPE_CHECKING:
    from django.db.models import Field, Model

SCHEMA = "schema"
ROW = "row"

_HOST_FIELDS = ("domain", "hostname", "host", "fqdn")
_DOMAIN_FIELDS = (*_HOST_FIELDS, "name")
_PRIMARY_FIELDS = ("is_primary", "primary")


@dataclass(frozen=True)
class Tenancy:
    """How a project keeps its tenants apart.

    ``kind`` is ``schema`` (one PostgreSQL schema a tenant, django-tenants) or ``row`` (all in one schema).
    ``domain_*`` are None where the project has no domain model, ``primary_field`` where that has no such mark.
    """

    kind: str
    database: str
    engine: str
    routers: tuple[str, ...]
    tenant: type[Model]
    domain: type[Model] | None
    domain_field: str | None
    domain_tenant_field: str | None
    primary_field: str | None
    public_schema: str | None

    @property
    def by_schema(self) -> bool:
        return self.kind == SCHEMA

    @property
    def type_field(self) -> str | None:
        """The tenant model's field that says its type, where the project has several types."""
        from django.conf import settings

        if self.by_schema and getattr(settings, "HAS_MULTI_TYPE_TENANTS", False):
            return str(settings.MULTI_TYPE_DATABASE_FIELD)
        return None

    @property
    def tables(self) -> list[str]:
        """The tables that hold the tenants and their domains, those of parents under multi-table inheritance included."""
        models = [self.tenant, *self.tenant._meta.get_parent_list()]
        if self.domain:
            models += [self.domain, *self.domain._meta.get_parent_list()]
        return list(dict.fromkeys(model._meta.db_table for model in models))

    @property
    def subfolder_routing(self) -> bool:
        """Whether the domain field holds a folder's name (django-tenants' TenantSubfolderMiddleware)."""
        from django.conf import settings

        # The middleware refuses to start without a prefix.
        return self.by_schema and bool((getattr(settings, "TENANT_SUBFOLDER_PREFIX", "") or "").strip("/ "))

    def facts(self) -> dict[str, object]:
        """What every result says of the tenancy."""
        return {
            "kind": self.kind,
            "database": self.database,
            "engine": self.engine,
            "router": list(self.routers),
            "tenant_model": self.tenant._meta.label,
            "domain_model": self.domain._meta.label if self.domain else None,
            "public_schema": self.public_schema,
        }


def detect(database: str | None, tenant_model: str | None, domain_model: str | None) -> Tenancy:
    """The tenancy of the loaded project.

    :param database: the alias, if the task names one.
    :param tenant_model: ``app.Model``, if the task names it; likewise ``domain_model``.
    :raises TenancyProblem: half a tenancy, no tenant model, or several candidates.
    """
    from django.apps import apps
    from django.conf import settings
    from django.db import connections

    default = getattr(settings, "TENANT_DB_ALIAS", "default") if apps.is_installed("django_tenants") else "default"
    alias = database or default
    if alias not in settings.DATABASES:
        raise TenancyProblem(
            f"database: there is no alias {alias!r} in DATABASES ({', '.join(sorted(settings.DATABASES))}).",
        )
    connection = connections[alias]
    has_app, has_engine = apps.is_installed("django_tenants"), hasattr(connection, "set_schema")
    common = {
        "database": alias,
        "engine": settings.DATABASES[alias]["ENGINE"],
        "routers": tuple(_dotted(router) for router in settings.DATABASE_ROUTERS),
    }
    if has_app and has_engine:
        if alias != default:
            raise TenancyProblem(
                f"database: django-tenants keeps its tenants in the alias {default!r} and migrates no other, so not {alias!r}.",
                hint="Leave database: out, or set TENANT_DB_ALIAS.",
            )
        return _schema_tenancy(common, tenant_model, domain_model)
    if has_app or has_engine:
        has = "'django_tenants' in INSTALLED_APPS" if has_app else f"the engine {common['engine']}"
        lacks = "an engine of django-tenants" if has_app else "'django_tenants' in INSTALLED_APPS"
        raise TenancyProblem(
            f"The settings {settings.SETTINGS_MODULE} mix two tenancies: {has}, but not {lacks} for the database {alias!r}.",
            hint="For one schema a tenant set ENGINE to 'django_tenants.postgresql_backend' and install 'django_tenants'; "
            "for tenants as rows have neither.",
        )
    _refuse_router_of_schemas()
    return _row_tenancy(common, tenant_model, domain_model)


def _refuse_router_of_schemas() -> None:
    """django-tenants' router asks the connection for its schema, so that without its engine nothing can be migrated.

    :raises TenancyProblem: DATABASE_ROUTERS has one.
    """
    from django.db import router

    try:
        routers = router.routers
    except Exception as error:
        raise TenancyProblem(
            f"DATABASE_ROUTERS can't be loaded: {type(error).__name__}: {error}",
            hint="Install what it names, or take it out of DATABASE_ROUTERS.",
        ) from None
    for item in routers:
        if any(cls.__module__.startswith("django_tenants.") for cls in type(item).__mro__):
            raise TenancyProblem(
                f"DATABASE_ROUTERS has {_dotted(item)} of django-tenants, but the engine is not django-tenants': no migration can run.",
                hint=f"For tenants as rows take '{_dotted(item)}' out of DATABASE_ROUTERS; for one schema a tenant set ENGINE to"
                " 'django_tenants.postgresql_backend' and install 'django_tenants'.",
            )


def _schema_tenancy(common: dict[str, Any], tenant_model: str | None, domain_model: str | None) -> Tenancy:
    from django.conf import settings
    from django_tenants.models import DomainMixin, TenantMixin

    label, source = _named(tenant_model, "tenant_model", "TENANT_MODEL")
    if not label:
        raise TenancyProblem(
            "django-tenants is installed, but TENANT_MODEL is not set.", hint="Set TENANT_MODEL = 'app.Model'."
        )
    tenant = _model(label, source)
    if not issubclass(tenant, TenantMixin):
        raise TenancyProblem(
            f"{source}: {tenant._meta.label} is not a TenantMixin, so no schema can belong to it.",
            hint="The engine is django-tenants'. Derive the model from django_tenants.models.TenantMixin, or use another engine.",
        )
    domain_label, source = _named(domain_model, "domain_model", "TENANT_DOMAIN_MODEL")
    domain = _model(domain_label, source) if domain_label else None
    link = _link(domain, tenant) if domain else None
    mixin = domain is not None and issubclass(domain, DomainMixin)
    return Tenancy(
        kind=SCHEMA,
        tenant=tenant,
        domain=domain,
        domain_field="domain" if mixin else _first_field(domain, _DOMAIN_FIELDS),
        domain_tenant_field=link,
        primary_field="is_primary" if mixin else _first_field(domain, _PRIMARY_FIELDS),
        public_schema=getattr(settings, "PUBLIC_SCHEMA_NAME", "public"),
        **common,
    )


def _row_tenancy(common: dict[str, Any], tenant_model: str | None, domain_model: str | None) -> Tenancy:
    from django.apps import apps

    models = [model for model in apps.get_models() if not model._meta.proxy]
    label, source = _named(tenant_model, "tenant_model", "TENANT_MODEL")
    tenant = _model(label, source) if label else _only(tenant_candidates(models), "tenant")
    if tenant is None:
        raise TenancyProblem(
            "No model looks like the tenant: none is called Tenant, and none is the target of foreign keys called tenant.",
            hint="Name it with tenant_model: app.Model.",
        )
    label, source = _named(domain_model, "domain_model", "TENANT_DOMAIN_MODEL")
    domain = _model(label, source) if label else _only(domain_candidates(models, tenant), "domain")
    return Tenancy(
        kind=ROW,
        tenant=tenant,
        domain=domain,
        domain_field=_first_field(domain, _DOMAIN_FIELDS),
        domain_tenant_field=_link(domain, tenant) if domain else None,
        primary_field=_first_field(domain, _PRIMARY_FIELDS),
        public_schema=None,
        **common,
    )


def tenant_candidates(models: Iterable[type[Model]]) -> list[type[Model]]:
    """The models that could hold the tenants of row tenancy: called Tenant, or what foreign keys called ``tenant`` point at."""
    models = list(models)
    found = {model for model in models if model.__name__.lower() == "tenant"}
    for model in models:
        for field in model._meta.local_fields:
            if field.name == "tenant" and leads_somewhere(field):
                found.add(field.remote_field.model)
    return sorted(found, key=lambda model: model._meta.label)


def domain_candidates(models: Iterable[type[Model]], tenant: type[Model]) -> list[type[Model]]:
    """The models that could hold the tenants' domains: called …Domain, or with a unique host name and a foreign key to the tenant.

    One that is called Domain and has a host name, but belongs to something else, is a fault to be named, not to be passed over.
    """
    models = list(models)
    linked = [model for model in models if tenant_links(model, tenant)]
    for fits in (
        lambda model: model.__name__.lower().endswith("domain"),
        lambda model: any(_is_unique(model, name) for name in _HOST_FIELDS),
    ):
        found = [model for model in linked if fits(model)]
        if found:
            return found
    return [
        model
        for model in models
        if model.__name__.lower() in ("domain", "tenantdomain")
        and _first_field(model, _HOST_FIELDS)
        and any(field.many_to_one for field in model._meta.fields)
    ]


def _is_unique(model: type[Model], name: str) -> bool:
    return any(field.name == name and field.unique for field in model._meta.fields)


def _only(candidates: list[type[Model]], what: str) -> type[Model] | None:
    if len(candidates) > 1:
        names = " and ".join(model._meta.label for model in candidates)
        raise TenancyProblem(
            f"More than one model could be the {what} model: {names}.",
            hint=f"Name the one with {what}_model: app.Model.",
            candidates=[model._meta.label for model in candidates],
        )
    return candidates[0] if candidates else None


def _named(option: str | None, option_name: str, setting: str) -> tuple[str | None, str]:
    """The model that the task names, else the one that the settings name; and which of the two it was."""
    from django.conf import settings

    if option:
        return option, option_name
    return getattr(settings, setting, None) or None, setting


def _model(label: str, option: str) -> type[Model]:
    from django.apps import apps

    try:
        model: type[Model] = apps.get_model(label)
    except (LookupError, ValueError) as error:
        raise TenancyProblem(
            f"{option}: there is no model {label!r}: {error}", hint="Give it as app_label.Model."
        ) from None
    return model


def leads_somewhere(field: Field) -> bool:
    """Whether a field points at a model that there is; one of an app that is not installed is still a mere name, for Django's checks to find."""
    return bool(field.is_relation and field.remote_field) and not isinstance(field.remote_field.model, str)


def tenant_links(model: type[Model], tenant: type[Model]) -> list[Field]:
    """The foreign keys of a model to the tenant (or to a parent of it, under multi-table inheritance)."""
    targets = {model._meta.concrete_model for model in (tenant, *tenant._meta.get_parent_list())}
    return [
        field
        for field in model._meta.fields
        if (field.many_to_one or field.one_to_one)
        and leads_somewhere(field)
        and field.remote_field.model._meta.concrete_model in targets
    ]


def _link(domain: type[Model], tenant: type[Model]) -> str:
    links = tenant_links(domain, tenant)
    if links:
        preferred = [field for field in links if field.name == "tenant"]
        return str((preferred or links)[0].name)
    others = [
        f"{field.name} → {field.remote_field.model._meta.label}"
        for field in domain._meta.fields
        if field.many_to_one and leads_somewhere(field)
    ]
    raise TenancyProblem(
        f"The domain model {domain._meta.label} has no foreign key to the tenant model {tenant._meta.label}"
        f" ({', '.join(others) or 'it has no foreign key at all'}).",
        hint="Point its foreign key at the tenant model, or name the right models (TENANT_MODEL and TENANT_DOMAIN_MODEL, or tenant_model: and domain_model:).",
    )


def _first_field(model: type[Model] | None, names: Iterable[str]) -> str | None:
    if model is None:
        return None
    have = {field.name for field in model._meta.fields}
    return next((name for name in names if name in have), None)


def _dotted(router: object) -> str:
    if isinstance(router, str):
        return router
    return f"{type(router).__module__}.{type(router).__qualname__}"
