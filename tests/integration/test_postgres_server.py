# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server that every other test trusts: it must be a real one, our own, and gone in the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.postgres import PostgresError, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database, Postgres

PROGRAM = [sys.executable, "tests/support/postgres.py"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "a directory with blanks", durable=True)
    yield server
    server.remove()


def test_a_wrong_password_is_refused(postgres: Postgres, database: Database) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(database.name, password="wrong"))


def test_passwords_are_for_the_owner_only(server: Server) -> None:
    server.start()
    modes = {path.name: path.stat().st_mode & 0o777 for path in (server.passfile, server.directory / "server.json")}
    assert modes == {"pgpass": 0o600, "server.json": 0o600}


def test_data_port_and_password_outlast_a_restart(server: Server) -> None:
    server.start()
    server.ensure_database("kept")
    before = (server.port, server.password)
    server.stop()
    assert not server.running()
    server.start()
    assert (server.port, server.password) == before
    assert server.ensure_database("kept") is False


def test_only_a_server_for_tests_may_lose_data(server: Server, postgres: Postgres) -> None:
    assert server.start().psql("SHOW fsync") == "on"
    assert postgres.query("postgres", "SHOW fsync") == [("off",)]


def test_a_server_that_was_never_started_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="start it first"):
        Server(tmp_path / "nothing").url()


def test_a_copy_of_a_template_has_its_data(new_database: Callable[..., Database]) -> None:
    template = new_database()
    template.execute("CREATE SCHEMA one; CREATE TABLE one.numbers AS SELECT generate_series(1, 3) AS n")
    copy = new_database(template.name)
    assert copy.schemas() == ["one", "public"]
    assert copy.tables("one") == ["numbers"]
    assert copy.query("SELECT sum(n) FROM one.numbers") == [(6,)]
    assert copy.dump() == template.dump()


def test_the_guard_removes_the_server_when_its_run_is_killed(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    directory = tmp_path / "guarded"
    guard = subprocess.Popen(
        [*PROGRAM, "guard", "--directory", directory], stdin=subprocess.PIPE, cwd=pytestconfig.rootpath
    )
    server = Server(directory).start()
    pid = int((server.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
    assert guard.stdin is not None
    guard.stdin.close()
    assert guard.wait(timeout=60) == 0
    assert not directory.exists()
    deadline = time.monotonic() + 30
    while process_exists(pid):
        assert time.monotonic() < deadline, "the server still runs"
        time.sleep(0.1)


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
