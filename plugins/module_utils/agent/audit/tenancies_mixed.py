# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The settings and models make one tenancy whole: either that of django-tenants, or tenants as rows and nothing of django-tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

from ..app_lists import app_lists, is_listed, keeps_tables
from ..findings import ERROR, WARNING, Finding
from ..places import place_of_model
from ..settings_place import place_of_setting
from ..verification import in_schema

if TYPE_CHECKING:
    from django.db.models import Model

    from ..evidence import Evidence
    from ..kinds import SchemaKind
    from ..loading import Context

_PACKAGE = "django_tenants."
_MIDDLEWARE = "django_tenants.middleware.main.TenantMainMiddleware"


def findings(evidence: Evidence) -> Iterator[Finding]:
    evidence.require_apps()
    error = evidence.tenancy_error
    if error:
        hint = str(error.details.get("hint") or "Make the settings and models one of the two tenancies.")
        yield Finding(ERROR, _place(str(error)), str(error), hint)
        return
    context = evidence.context
    if context.tenancy.by_schema:
        yield from _lists(context)
        yield from _apart(evidence)
        yield from _routing(context)
    else:
        yield from _leftovers()


def _place(message: str) -> str:
    """Of the model or the setting that the message names first."""
    from django.apps import apps

    words = message.replace(":", " ").replace(",", " ").split()
    for word in words:
        if word.count(".") == 1:
            try:
                return place_of_model(apps.get_model(word.strip("'")))
            except (LookupError, ValueError):
                continue
    if "mix two tenancies" in message:
        return place_of_setting("DATABASES")
    named = next((word for word in words if word.isupper() and "_" in word), "INSTALLED_APPS")
    return place_of_setting(named)


def _lists(context: Context) -> Iterator[Finding]:
    """Each app is where its tables are wanted."""
    from django.apps import apps

    lists = app_lists()
    public, *_others = lists
    names = " nor ".join(lists)
    for config in apps.get_app_configs():
        if not any(is_listed(config, listed) for listed in lists.values()) and _is_homeless(context, config):
            yield Finding(
                ERROR,
                place_of_setting("INSTALLED_APPS"),
                f"{config.name} is in INSTALLED_APPS, and in neither {names}: its tables are made in no schema.",
                f"Add {config.name!r} to {public} if all tenants share its rows, else to {list(lists)[-1]}.",
            )
    for setting, listed in lists.items():
        known = {name for config in apps.get_app_configs() if is_listed(config, listed) for name in _names(config)}
        for name in sorted(set(listed) - known):
            yield Finding(
                WARNING,
                place_of_setting(setting.partition("[")[0]),
                f"{setting} has {name!r}, which is not in INSTALLED_APPS: its models are not loaded, and its tables never made.",
                f"Add {name!r} to INSTALLED_APPS, or take it out of {setting}.",
            )
    for model in filter(None, (context.tenancy.tenant, context.tenancy.domain)):
        config = apps.get_app_config(model._meta.app_label)
        if not is_listed(config, lists[public]):
            yield Finding(
                ERROR,
                place_of_setting(public.partition("[")[0]),
                f"{model._meta.label} is in the app {config.name}, which is not in {public}: the public schema gets no table for it.",
                f"Add {config.name!r} to {public}.",
            )
    yield from _content_types(lists, public)


def _names(config: Any) -> tuple[str, str]:
    return config.name, f"{type(config).__module__}.{type(config).__name__}"


def _is_homeless(context: Context, config: Any) -> bool:
    """Whether an app has tables, and no other database that routers send it to."""
    from django.conf import settings
    from django.db import router

    others = [alias for alias in settings.DATABASES if alias != context.alias]
    return keeps_tables(config, context.connection) and not any(
        router.allow_migrate(alias, config.label) for alias in others
    )


def _content_types(lists: dict[str, Any], public: str) -> Iterator[Finding]:
    """What is made after a migration goes by the search path to the public schema where the tenant's has no such table."""
    from django.apps import apps

    if not (apps.is_installed("django.contrib.auth") and apps.is_installed("django.contrib.contenttypes")):
        return
    auth, types = apps.get_app_config("auth"), apps.get_app_config("contenttypes")
    for setting, listed in lists.items():
        if setting != public and is_listed(auth, listed) and not is_listed(types, listed):
            yield Finding(
                WARNING,
                place_of_setting(setting.partition("[")[0]),
                f"{setting} has django.contrib.auth, and not django.contrib.contenttypes: the content types of tenants' models are written into"
                " the public schema.",
                f"Add 'django.contrib.contenttypes' to {setting}.",
            )


def _apart(evidence: Evidence) -> Iterator[Finding]:
    """No foreign key leads to a table that the schema does not see: a tenant's sees the public one, which sees no other."""
    public: set[type[Model]] = set()
    told = set()
    for kind in evidence.kinds:
        kept = _kept(evidence.context, kind)
        seen = kept | public
        if kind.public:
            public = kept
        for model in sorted(kept, key=lambda item: str(item._meta.label)):
            for field in model._meta.local_fields:
                if not (field.many_to_one or field.one_to_one) or not getattr(field, "db_constraint", False):
                    continue
                target = field.remote_field.model
                if field in told or target._meta.concrete_model in seen or not _is_kept(evidence.context, target):
                    continue
                told.add(field)
                yield Finding(
                    ERROR,
                    place_of_model(model),
                    f"{model._meta.label}.{field.name} points at {target._meta.label}, whose table is not in {kind.words}: its foreign key can't be made.",
                    f"Add the app of {target._meta.label} to the list that has {model._meta.app_label}, or give the field db_constraint=False.",
                )


def _kept(context: Context, kind: SchemaKind) -> set[type[Model]]:
    """The models whose tables a kind of schema has."""
    from django.apps import apps
    from django.db import router

    with in_schema(context, kind.schema, kind.type):
        return {
            model
            for model in apps.get_models(include_auto_created=True)
            if _is_kept(context, model) and router.allow_migrate_model(context.alias, model)
        }


def _is_kept(context: Context, model: type[Model]) -> bool:
    return bool(model._meta.can_migrate(context.connection))


def _routing(context: Context) -> Iterator[Finding]:
    """What requests need to find their tenant."""
    from django.conf import settings

    if context.tenancy.domain is None:
        yield Finding(
            WARNING,
            place_of_setting("TENANT_DOMAIN_MODEL"),
            "TENANT_DOMAIN_MODEL is not set: no request finds its tenant.",
            "Set TENANT_DOMAIN_MODEL = 'app.Model'.",
        )
    # A project's own may be called anything that says so.
    if not any("tenant" in path.lower() or "schema" in path.lower() for path in settings.MIDDLEWARE):
        yield Finding(
            WARNING,
            place_of_setting("MIDDLEWARE"),
            "MIDDLEWARE has nothing that sets the tenant: every request works on the public schema.",
            f"Put {_MIDDLEWARE!r} first in MIDDLEWARE.",
        )


def _leftovers() -> Iterator[Finding]:
    """What django-tenants leaves behind in a project that keeps its tenants as rows, and that then fails."""
    from django.apps import apps
    from django.conf import settings

    for model in apps.get_models():
        mixin = next((base for base in model.__mro__ if base.__module__.startswith(_PACKAGE)), None)
        if mixin is not None and not model._meta.proxy:
            yield Finding(
                ERROR,
                place_of_model(model),
                f"{model._meta.label} is a {mixin.__name__} of django-tenants, and the engine is not django-tenants': its rows can't be saved.",
                f"Derive {model._meta.label} from models.Model, with the fields that it has now.",
            )
    for path in settings.MIDDLEWARE:
        if path.startswith(_PACKAGE):
            yield Finding(
                WARNING,
                place_of_setting("MIDDLEWARE"),
                f"MIDDLEWARE has {path}, and the engine is not django-tenants': every request fails.",
                f"Take {path!r} out of MIDDLEWARE.",
            )
