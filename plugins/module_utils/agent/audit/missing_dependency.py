# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every migration can be imported, depends on migrations that are there, and builds on what they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

from ..errors import AgentError, LoadProblem
from ..evidence import Unknown
from ..findings import ERROR, WARNING, Finding
from ..places import place_of_migration

if TYPE_CHECKING:
    from ..evidence import Evidence
    from ..fleet import Migration
    from ..forecast import Effect


def findings(evidence: Evidence) -> Iterator[Finding]:
    broken = evidence.error_of("disk")
    if broken:
        place = broken.place if isinstance(broken, LoadProblem) else None
        yield Finding(
            ERROR,
            place or "migrations",
            str(broken),
            f"Mend the migration{f' at {place}' if place else ''}; 'manage.py showmigrations' then lists all.",
        )
        return
    missing = list(_missing(evidence.disk))
    yield from missing
    broken = evidence.error_of("loader")
    if broken and not missing:
        yield _no_graph(broken)
    if not broken:
        yield from _unfounded(evidence)


def _missing(disk: dict[Migration, Any]) -> Iterator[Finding]:
    from django.apps import apps

    known = set(disk) | {key for migration in disk.values() for key in migration.replaces}
    labels = {config.label for config in apps.get_app_configs()}
    migrated = {app for app, _name in known}
    for key, migration in sorted(disk.items()):
        for app, name in [*migration.dependencies, *migration.run_before]:
            own_first = app == key[0] and name in ("__first__", "__latest__")
            if (app, name) in known or own_first or (name in ("__first__", "__latest__") and app in migrated):
                continue
            if app not in labels:
                what = f"the app {app}, which is not installed"
                hint = f"Add the app to INSTALLED_APPS, or take the dependency out of {'.'.join(key)}."
            elif name in ("__first__", "__latest__"):
                # An app without migrations: its models are there from the start.
                continue
            else:
                what = f"{app}.{name}, which is not on disk"
                hint = (
                    f"Bring the file of {app}.{name} back (was it released, and is the package's version the one the migration was made"
                    f" with?), or let {'.'.join(key)} depend on a migration of {app} that is there."
                )
            yield Finding(ERROR, place_of_migration(migration), f"{'.'.join(key)} depends on {what}.", hint)


def _no_graph(error: AgentError) -> Finding:
    """Circles, and whatever else Django refuses."""
    place = error.place if isinstance(error, LoadProblem) else None
    return Finding(
        ERROR,
        place or "migrations",
        str(error),
        "Take one of the dependencies out that close the circle: each migration has to come after those that it depends on.",
    )


def _unfounded(evidence: Evidence) -> Iterator[Finding]:
    """Operations on models and fields that no migration before them makes."""
    try:
        foretold = evidence.new_effects
        plans = evidence.plans
    except Unknown:
        return
    seen = set()
    for kind, effects in foretold.items():
        for effect in effects:
            key = (effect.migration, effect.index, str(effect.detail))
            if effect.kind != "broken" or key in seen:
                continue
            seen.add(key)
            pending = any(effect.migration in plan.migrations for plan in plans.values())
            yield Finding(
                ERROR if pending or not kind.public else WARNING,
                effect.place,
                f"{effect.name} does not fit what the migrations before it make: {effect.detail}.",
                _hint(effect),
            )


def _hint(effect: Effect) -> str:
    return (
        f"Add the migration that makes what is missing to the dependencies of {effect.name}, or take the operation at {effect.place} out;"
        " 'manage.py sqlmigrate' then shows its SQL."
    )
