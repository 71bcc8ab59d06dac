# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scratch database of a real project, and what the test asks it for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .agents import Agent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .databases import Database
    from .samples import Sample

ODD = "Odd. Schema"

# Compares the structure on both sides, and says what the test asks the scratch database for.
TRIAL = """
import os, time
from . import pg_dump, scratch_structure
from .scratch import CannotRehearse, scratch_database
from .structure import difference, read_structures

def run(context, options):
    from django.db import connections

    if options["alone"]:
        pg_dump._INSTALLED = ()
    if options["many"]:
        scratch_structure.MANY_RELATIONS = options["many"]
    began = time.monotonic()
    try:
        with scratch_database(context, options["schemas"], options["rows"]) as scratch:
            seconds = time.monotonic() - began
            connections.databases["scratch"] = scratch.settings()
            sides = [read_structures(connections[alias], options["schemas"]) for alias in (context.alias, "scratch")]
            differences = [
                [*part, *texts]
                for schema in options["schemas"]
                for part, texts in difference(sides[0][schema], sides[1][schema]).items()
            ]
            parts = sum(len(structure.parts) for structure in sides[0].values())
            with connections["scratch"].cursor() as cursor:
                answers = []
                for query in options["queries"]:
                    cursor.execute(query)
                    answers.append([list(row) for row in cursor.fetchall()])
            if options["until"]:
                # The test looks at it from outside meanwhile.
                context.wire.event("made", database=scratch.name)
                while not os.path.exists(options["until"]):
                    time.sleep(0.05)
            return dict(differences=differences, parts=parts, notices=scratch.notices, answers=answers, seconds=seconds)
    except CannotRehearse as no:
        return {"reason": no.reason, "hint": no.hint, "notice": no.notice}
"""


def make_nasty(database: Database) -> None:
    """Everything odd that a schema can have, with some rows."""
    text = Path(__file__).with_name("nasty.sql").read_text(encoding="utf-8")
    structure, marker, rows = text.partition("-- Rows, ")
    with database.connect() as connection:
        connection.execute(structure)
        connection.execute(marker + rows)


def attempt(
    project: Sample,
    *schemas: str,
    rows: int = 0,
    queries: Sequence[str] = (),
    path: str | None = None,
    many: int | None = None,
    meanwhile: Callable[[str], object] | None = None,
) -> dict[str, Any]:
    """What the trial says.

    :param path: where the agent's side finds programs, and nowhere else.
    :param many: how many relations make a large database.
    :param meanwhile: called with the name of the scratch database while it is there.
    """
    until = project.directory / "go on"
    options = {
        "schemas": schemas,
        "rows": rows,
        "queries": queries,
        "until": str(until) if meanwhile else None,
        "many": many,
        "alone": path is not None,
    }
    with Agent(project, TRIAL, options, env={"PATH": path} if path else None) as agent:
        if meanwhile:
            meanwhile(agent.event("made")["database"])
            until.touch()
        return agent.reply()


def copied(project: Sample, *schemas: str, **options: Any) -> dict[str, Any]:
    """What the trial says where there is a scratch database."""
    reply = attempt(project, *schemas, **options)
    assert "reason" not in reply, reply
    return reply
