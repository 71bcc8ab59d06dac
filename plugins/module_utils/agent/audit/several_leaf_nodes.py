# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No app has several leaf nodes, that is migrations on which no other of the app builds: there would be no one state to migrate to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..findings import ERROR, Finding
from ..places import place_of_migration

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    loader = evidence.loader
    for app, names in sorted(loader.detect_conflicts().items()):
        leaves = sorted(names)
        yield Finding(
            ERROR,
            place_of_migration(loader.disk_migrations[app, leaves[-1]]),
            f"The app {app} has {len(leaves)} leaf migrations, {', '.join(leaves)}: there is no one state to migrate to.",
            "Run 'manage.py makemigrations --merge' in the project, review the merge migration, and release it.",
        )
