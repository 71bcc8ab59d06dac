# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first thing a newcomer does: clone, `make demo`, and once more."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import checkout
from tests.support.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """The files of the checkout and nothing that make has made, so that a missing install step shows."""
    directory = tmp_path / "a fresh clone"
    checkout.copy_to(directory)
    yield directory
    make(directory, "demo-remove")


def make(directory: Path, target: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", target],
        cwd=directory,
        env=checkout.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=checkout.RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def tables(output: str) -> dict[str, int]:
    """The schemas that the demo says it made, with their numbers of tables."""
    return {schema: int(count) for schema, count in re.findall(r"^  (\S+) +(\d+) tables", output, re.MULTILINE)}


def changed(output: str) -> list[str]:
    return re.findall(r"changed=(\d+) ", output)


def test_the_first_demo_deploys_and_the_second_changes_nothing(clone: Path) -> None:
    first = make(clone, "demo")
    server = Server(clone / ".demo" / "postgres", durable=True)
    assert changed(first) not in ([], ["0"]), first
    made = tables(first)
    assert made.keys() == {"public", "acme", "globex"}
    assert min(made.values()) > 0
    assert made["acme"] == made["globex"]
    assert server.psql("SELECT count(*) FROM acme.carriers_carrier", "meatscentral") == "0"
    assert server.password not in first

    # Once more after a stop: the data outlast it, and so does what the user was told.
    make(clone, "demo-stop")
    assert not server.running()
    second = make(clone, "demo")
    assert changed(second) == ["0"], second
    assert tables(second) == made

    (psql,) = re.findall(r"Look at it: +(.+)$", second, re.MULTILINE)
    listed = subprocess.run(
        ["sh", "-c", f"{psql} -At -c 'SELECT schema_name FROM tenants_client ORDER BY 1'"],
        cwd=clone,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert listed.stdout.split() == ["acme", "globex", "public"]
