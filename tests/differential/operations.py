# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of the project's migrations and of random releases, for what reads them in the test's own process."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING, Any

from django.db import migrations

from tests.differential import fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.migrations.operations.base import Operation

    from tests.differential.generate import Case

    # An app and what a migration of it does.
    Migrations = list[tuple[str, list[Operation]]]


def first_migrations() -> Iterator[tuple[str, list[Operation]]]:
    for app in ("places", "things"):
        names = runpy.run_path(str(fleet.PROJECT / app / "migrations" / "0001_initial.py"))
        yield app, names["Migration"].operations


def released(case: Case) -> Iterator[tuple[str, list[Operation]]]:
    """The migrations of random releases, without what is written in Python."""
    for lines, body in (migration for release in case for migration in release):
        names: dict[str, Any] = {}
        exec(fleet.migration("", lines, body), names)  # noqa: S102  (written by the test itself)
        yield "things", [one for one in names["Migration"].operations if not isinstance(one, migrations.RunPython)]
