# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What squawk says of the SQL that a rehearsal ran, where the managed node has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from typing import Any

_SECONDS = 60
_FINDINGS = 100


def judge(reply: dict[str, Any], options: dict[str, Any]) -> None:
    """Put squawk's findings in the place of the SQL, and a warning with their number.

    :param reply: the agent's, with ``rehearsal`` (``sql`` by migration, ``findings``) where something was rehearsed, and ``warnings``.
    :param options: ``lock_timeout`` and ``statement_timeout``, which the run sets.
    """
    rehearsal = reply.get("rehearsal")
    if not rehearsal:
        return
    sql = {migration: lines for migration, lines in rehearsal.pop("sql", {}).items() if lines}
    program = shutil.which("squawk")
    if not sql or not program:
        return
    try:
        found = _ask(program, {name: text(lines, options) for name, lines in sql.items()})
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reply["warnings"].append(f"squawk could not judge the SQL of the rehearsal: {error}")
        return
    listed = findings(found)
    rehearsal["findings"] = listed[:_FINDINGS]
    if listed:
        number = f"{len(listed)} finding" + ("" if len(listed) == 1 else "s")
        reply["warnings"].append(f"squawk has {number} on the SQL of the pending migrations, in rehearsal.findings.")


def text(statements: list[str], options: dict[str, Any]) -> str:
    """A migration's statements as one script, with the time limits that the run sets. Pure."""
    limits = [
        f"SET {name} = {int(options[name] * 1000)}" for name in ("lock_timeout", "statement_timeout") if options[name]
    ]
    # On a line of its own: what is before it may end with a comment.
    return "".join(f"{statement}\n;\n" for statement in [*limits, *statements])


def findings(reported: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What squawk reports, in the shape of the audit's findings, each once for a migration. Pure."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for item in reported:
        place = os.path.basename(item["file"])[: -len(".sql")]
        finding = {
            "rule": f"squawk/{item['rule_name']}",
            "severity": "warning",
            "place": place,
            "message": item["message"],
            "hint": item.get("help"),
        }
        found.setdefault((finding["rule"], place, finding["message"]), finding)
    return list(found.values())


def _ask(program: str, scripts: dict[str, str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="tenancy-squawk-") as directory:
        paths = []
        for name, script in scripts.items():
            paths.append(os.path.join(directory, f"{name}.sql"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(script)
        done = subprocess.run(
            [program, "--reporter", "json", "--assume-in-transaction", *paths],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    try:
        reported: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ValueError(said[-1][:300] if said else f"it ended with status {done.returncode}") from None
    return reported
