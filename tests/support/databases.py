# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases on the one server that all workers of a test run share."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from . import postgres

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Where the server is: set by the process that the run began in, read by its workers.
DIRECTORY_VARIABLE = "TENANCY_TEST_POSTGRES"


class ServerGuard:
    """Owns the directory of the run's server, and sees to it that the server ends with the run, however that ends.

    The server itself is started by the first test that wants it.
    """

    def __init__(self) -> None:
        directory = tempfile.mkdtemp(prefix="tenancy-postgres-")
        # The guard outlives even a killed run: it acts when its standard input closes.
        self._process = subprocess.Popen(
            [sys.executable, postgres.__file__, "guard", "--directory", directory],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        os.environ[DIRECTORY_VARIABLE] = directory

    def close(self) -> None:
        os.environ.pop(DIRECTORY_VARIABLE, None)
        self._process.communicate(timeout=120)


class Postgres:
    """The running server, as tests use it."""

    def __init__(self, server: postgres.Server) -> None:
        self.server = server
        self.host = server.host
        self.port = server.port
        self.user = server.user
        self.password = server.password
        self.bin: Path = server.bin

    def url(self, name: str = postgres.USER, *, user: str | None = None, password: str | None = None) -> str:
        return f"postgres://{user or self.user}:{password or self.password}@{self.host}:{self.port}/{name}"

    def create_database(self, name: str, template: str | None = None) -> None:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template1")
        )
        self.execute(postgres.USER, command)

    def drop_database(self, name: str) -> None:
        self.execute(postgres.USER, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def dump(self, name: str, *options: str) -> str:
        """Everything in it, sequences included; equal texts mean equal databases."""
        return self.server.dump(name, *options)

    def connect(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=name, autocommit=True
        )

    def query(
        self, name: str, statement: str | sql.Composable, parameters: Sequence[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        with self.connect(name) as connection:
            return connection.execute(statement, parameters).fetchall()

    def execute(self, name: str, statement: str | sql.Composable, parameters: Sequence[Any] | None = None) -> None:
        with self.connect(name) as connection:
            connection.execute(statement, parameters)


@dataclass(frozen=True)
class Database:
    """One database of a test's own."""

    postgres: Postgres
    name: str

    @property
    def url(self) -> str:
        return self.postgres.url(self.name)

    def dump(self, *options: str) -> str:
        return self.postgres.dump(self.name, *options)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self.postgres.connect(self.name)

    def query(self, statement: str | sql.Composable, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        return self.postgres.query(self.name, statement, parameters)

    def execute(self, statement: str | sql.Composable, parameters: Sequence[Any] | None = None) -> None:
        self.postgres.execute(self.name, statement, parameters)

    def schemas(self) -> list[str]:
        """Every schema but PostgreSQL's own."""
        rows = self.query(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
        )
        return [name for (name,) in rows]

    def tables(self, schema: str = "public") -> list[str]:
        rows = self.query("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema])
        return [name for (name,) in rows]


def running_postgres() -> Postgres:
    return Postgres(postgres.Server(os.environ[DIRECTORY_VARIABLE]).start())
