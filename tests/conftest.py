# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests share: one PostgreSQL for the whole run, databases, sample projects, and the collection's own programs."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import checkout, databases, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database, Postgres
    from tests.support.samples import Sample

_guard = pytest.StashKey[databases.ServerGuard]()
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_guard] = databases.ServerGuard()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _guard in config.stash:
        config.stash[_guard].close()


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The server of this run, started by the first test that wants it."""
    return databases.running_postgres()


@pytest.fixture
def new_database(postgres: Postgres) -> Iterator[Callable[..., Database]]:
    """A function that makes an empty database, or a copy of a template, gone after the test."""
    made: list[str] = []

    def make(template: str | None = None) -> Database:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        postgres.create_database(name, template)
        made.append(name)
        return databases.Database(postgres, name)

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """A fresh, empty database."""
    return new_database()


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Sample]:
    """A function that copies a sample project for this test.

    Unless a DATABASE_URL is given it runs on the test's ``database`` (all samples of one test on the same one);
    ``database_url=None`` leaves the variable unset, so that the project takes its own default.
    """

    def copy(
        name: str, release: str = "1", stack: str = "current", environment: str = "dev", **options: str | None
    ) -> Sample:
        url = options["database_url"] if "database_url" in options else request.getfixturevalue("database").url
        return samples.copy_sample(
            name,
            tmp_path / f"{name}-{next(_numbers)}",
            release=release,
            stack=stack,
            environment=environment,
            database_url=url,
        )

    return copy


@pytest.fixture(scope="session")
def run_module() -> Callable[..., dict[str, Any]]:
    """``run_module(name, check=False, diff=False, **options)``: the real module's answer, failed ones included."""
    return checkout.run_module


@pytest.fixture(scope="session")
def ansible_playbook() -> Callable[..., Any]:
    """``ansible_playbook(*arguments, env=None)``: the real program, from the checkout."""
    return checkout.ansible_playbook
