# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PgBouncer in front of the tests' server, sharing server processes out by the transaction."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .databases import Database

_START_SECONDS = 30


def program() -> str | None:
    """The program, from Debian's package where it is not there and we may install it; None where neither."""
    found = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "pgbouncer"],
    ):
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")


@contextlib.contextmanager
def transaction_pool(database: Database, directory: Path, size: int = 4, known: str = "*") -> Iterator[str]:
    """The URL of the database through a pool in transaction mode, which knows the database ``known`` (``*``: all of the server)."""
    server = database.postgres
    port = _free_port()
    users = directory / "users.txt"
    users.write_text(f'"{server.user}" "{server.password}"\n')
    users.chmod(0o644)
    directory.chmod(0o755)
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n{known} = host={server.host} port={server.port} user={server.user} password={server.password}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\nauth_file = {users}\n"
        f"pool_mode = transaction\ndefault_pool_size = {size}\nmax_client_conn = 100\n"
        "unix_socket_dir =\nignore_startup_parameters = extra_float_digits,options\n"
    )
    configuration.chmod(0o644)
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [str(program()), *as_nobody, str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield f"postgres://{server.user}:{server.password}@127.0.0.1:{port}/{database.name}"
    finally:
        # Not a signal that it may have inherited to be ignored, as a shell's background commands do; there is nothing to save.
        process.kill()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"pgbouncer ended: {process.stderr and process.stderr.read().decode()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("pgbouncer does not listen")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
