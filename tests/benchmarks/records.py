# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has been measured so far, a file for each group, written after each round: a run cut short keeps what it has."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.support import checkout

from . import project

if TYPE_CHECKING:
    from pathlib import Path

    from .figures import Part, Parts, Round

# What the figures depend on: what is measured, and what measures.
_SOURCES = ("plugins", "roles", "playbooks", "tests/stacks")
_BENCHMARKS = ("project.py", "server.py", "sides.py", "groups.py")


def code() -> str:
    """A short text for all the code that the figures depend on."""
    files = [path for name in _SOURCES for path in sorted((checkout.ROOT / name).rglob("*")) if _is_source(path)]
    files += [checkout.ROOT / "tests" / "benchmarks" / name for name in _BENCHMARKS]
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(checkout.ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


class Record:
    """The rounds of a group, on disk. Those of other code or of another scale are not gone on with."""

    def __init__(self, path: Path, scale: float) -> None:
        self.path = path
        self.basis = {"scale": scale, "code": code(), "cores": project.CORES}
        self.data: dict[str, Any] = read(path) or {}
        if self.data.get("basis") != self.basis:
            self.data = {"basis": self.basis, "parts": {}, "load": []}

    def rounds(self, part: str) -> list[Round]:
        found: Part | None = self.parts.get(part)
        return found["rounds"] if found else []

    @property
    def parts(self) -> Parts:
        parts: Parts = self.data["parts"]
        return parts

    def add(self, part: str, tenants: int, measured: Round) -> None:
        if code() != self.basis["code"]:
            raise RuntimeError("the code was changed while it was measured: run this again, it begins anew")
        self.parts.setdefault(part, {"tenants": tenants, "rounds": []})["rounds"].append(measured)
        self.data["measured"] = datetime.now(UTC).isoformat(timespec="seconds")
        self.data["load"].append(round(os.getloadavg()[0], 1))
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        new.replace(self.path)


def read(path: Path) -> dict[str, Any] | None:
    """What a group's file says, if there is one."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found
