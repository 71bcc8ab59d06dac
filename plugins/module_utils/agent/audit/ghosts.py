# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every recorded migration is on disk, or was replaced by a squashed one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Iterator

from ..evidence import ghosts_of
from ..findings import NOTICE, WARNING, Finding, few, schemas_in_words
from ..mending import unrecord_sql
from ..remedies import in_each, migrate_command

if TYPE_CHECKING:
    from ..evidence import Evidence
    from ..fleet import Migration


def findings(evidence: Evidence) -> Iterator[Finding]:
    from django.apps import apps

    found: dict[tuple[Migration, ...], list[str]] = defaultdict(list)
    for state in evidence.fleet.schemas.values():
        by_app: dict[str, list[Migration]] = defaultdict(list)
        for key in ghosts_of(evidence, state.recorded):
            by_app[key[0]].append(key)
        for own in by_app.values():
            found[tuple(own)].append(state.name)
    installed = {config.label for config in apps.get_app_configs()}
    for keys, schemas in sorted(found.items()):
        app, names = keys[0][0], few([".".join(key) for key in keys])
        gone = app not in installed
        of_app = f"of the app {app}, which is not installed any more, " if gone else ""
        verb = "is" if len(keys) == 1 else "are"
        yield Finding(
            NOTICE if gone else WARNING,
            f"{schemas[0]}.django_migrations.{app}",
            f"{names} {of_app}{verb} recorded in {schemas_in_words(schemas)}, but not on disk.",
            _hint(evidence, keys, schemas, gone),
            schemas,
        )


def _hint(evidence: Evidence, keys: tuple[Migration, ...], schemas: list[str], gone: bool) -> str:
    app = keys[0][0]
    if gone or app not in evidence.loader.migrated_apps:
        how = unrecord_sql(schemas[0], keys)
    else:
        how = migrate_command(evidence.context.tenancy, schemas[0], "--prune", app)
    restore = "" if gone else "If they were left out of the release by mistake, put them back. "
    return f"They stop no deploy. {restore}To forget them: {in_each(schemas)}{how}"
