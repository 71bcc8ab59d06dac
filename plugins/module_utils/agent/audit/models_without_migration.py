# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No model of the project has changed since its last migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

from ..blame import described
from ..findings import WARNING, Finding
from ..fleet import NOTHING
from ..places import is_projects, place_of_model

if TYPE_CHECKING:
    from ..evidence import Evidence

_NAMED = 3


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What ``makemigrations --check`` would find; packages are left out, since their migrations are not the project's to write."""
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState

    # With several leaf nodes there is no one state to compare with.
    loader = evidence.graphs.for_recorded(NOTHING)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps), MigrationQuestioner())
    for app, migrations in sorted(detector.changes(graph=loader.graph).items()):
        config = apps.get_app_config(app)
        operations = [operation for migration in migrations for operation in migration.operations]
        if not is_projects(config) or not operations:
            continue
        said = [described(operation) for operation in operations]
        more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
        yield Finding(
            WARNING,
            _place(config, operations[0]),
            f"The models of the app {app} are ahead of its migrations: {'; '.join(said[:_NAMED])}{more}.",
            f"Run 'manage.py makemigrations {app}', review the migration, and release it with the models.",
        )


def _place(config: Any, operation: Any) -> str:
    """That of the model that changed; of one that is gone, its app."""
    name = getattr(operation, "model_name", None) or getattr(operation, "new_name", None) or operation.name
    try:
        return place_of_model(config.get_model(name))
    except LookupError:
        return str(config.label)
