# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A scratch database beside the real one, for as long as a rehearsal takes: with its structure and some of its rows, and thrown away for sure."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

if TYPE_CHECKING:
    from .loading import Context


class CannotRehearse(Exception):
    """There can be no scratch database, or none that is like the real one.

    :param reason: one sentence.
    :param hint: what would allow it, for example a grant.
    :param notice: whether it is no fault of what was to be rehearsed, so that nothing should fail for it.
    """

    def __init__(self, reason: str, hint: str | None = None, notice: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.notice = notice


@dataclass
class Scratch:
    """A scratch database: its name, what is not as in the real one, and how Django reaches it."""

    name: str
    real_settings: Mapping[str, Any]
    notices: list[str] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        """For ``DATABASES[alias]``: as those of the real one, but for the name."""
        settings = copy.deepcopy(dict(self.real_settings))
        settings["NAME"] = self.name
        options = settings.get("OPTIONS") or {}
        # A name there would win; a pool would keep connections that hold up DROP DATABASE.
        settings["OPTIONS"] = {
            key: value for key, value in options.items() if key not in ("dbname", "database", "pool")
        }
        return settings


@contextmanager
def scratch_database(context: Context, schemas: Sequence[str], rows: int = 0) -> Iterator[Scratch]:
    """A scratch database with the structure of some schemas of the real one, gone at the end, whatever that is.

    :param schemas: the schemas that are copied; one that does not exist is left out. Schemas that are no
        tenant's are copied besides, since what is in the others may need them.
    :param rows: up to so many rows of every table of these schemas are copied as well (0: only those that
        migrations always read: the recorder, tenants, domains, content types, permissions).
    :raises CannotRehearse: with the reason, and what would allow it.
    """
    vendor = context.connection.vendor
    if vendor == "postgresql":
        from .scratch_server import scratch_on_server

        with scratch_on_server(context, schemas, rows) as scratch:
            yield scratch
    elif vendor == "sqlite":
        from .scratch_file import scratch_in_a_file

        with scratch_in_a_file(context) as scratch:
            yield scratch
    else:
        raise CannotRehearse(f"A rehearsal needs PostgreSQL or SQLite; this database is {vendor}.")
