# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small variants of the samples, with databases in which what is shared is migrated already."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.differential.fleet import Pair, Releases, Stock, make_template
from tests.support import faulty_samples, role_steps, samples
from tests.support.databases import Database
from tests.support.variants import PUBLIC, Variant, few_apps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Postgres


def _copy(name: str, directory: Path, url: str | None, stack: str = "current") -> samples.Sample:
    return few_apps(samples.copy_sample(name, directory, release="1", stack=stack, environment="dev", database_url=url))


@pytest.fixture(scope="session")
def shared_migrated(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the shared apps of the schema sample migrated and its public tenant, to be copied."""
    name = f"template_{os.getpid()}"
    postgres.create_database(name)
    database = Database(postgres, name)
    variant = Variant(_copy("schema_tenants", tmp_path_factory.mktemp("template") / "project", database.url), database)
    migrated = variant.module("django_migrate_schemas", scope="shared")
    assert not migrated.get("failed"), migrated
    made = variant.tenants(PUBLIC)
    assert not made.get("failed"), made
    yield name
    postgres.drop_database(name)


@pytest.fixture
def schema_variant(
    shared_migrated: str, new_database: Callable[..., Database], tmp_path: Path
) -> Callable[..., Variant]:
    """A function that makes the schema sample with few apps, its public tenant there; ``template=None``: an empty database."""

    def make(stack: str = "current", template: str | None = shared_migrated) -> Variant:
        database = new_database(template)
        return Variant(_copy("schema_tenants", tmp_path / "schema_project", database.url, stack), database)

    return make


@pytest.fixture(scope="session")
def fleet_migrated(postgres: Postgres, shared_migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database of the schema sample (few apps) with the tenants acme and globex, to be copied."""
    name = f"template_fleet_{os.getpid()}"
    postgres.create_database(name, shared_migrated)
    database = Database(postgres, name)
    variant = Variant(_copy("schema_tenants", tmp_path_factory.mktemp("fleet") / "project", database.url), database)
    defaults = {"name": "A", "paid_until": "2099-12-31"}
    made = variant.tenants(
        *({"schema": name, "defaults": defaults, "domains": [f"{name}.example"]} for name in ("acme", "globex"))
    )
    assert not made.get("failed"), made
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def two_tenants(shared_migrated: str, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the tenants acme and globex of the schema sample migrated, to be copied."""
    name = f"two_tenants_{os.getpid()}"
    postgres.create_database(name, shared_migrated)
    database = Database(postgres, name)
    variant = Variant(_copy("schema_tenants", tmp_path_factory.mktemp("two") / "project", database.url), database)
    made = variant.tenants(
        *(
            {"schema": schema, "defaults": {"name": schema, "paid_until": "2099-12-31"}, "domains": [f"{schema}.test"]}
            for schema in ("acme", "globex")
        )
    )
    assert not made.get("failed"), made
    yield name
    postgres.drop_database(name)


@pytest.fixture
def deployed(schema_variant: Callable[..., Variant], two_tenants: str) -> Callable[..., Variant]:
    """A function that makes the schema sample with few apps, deployed with the tenants acme and globex."""
    return lambda stack="current": schema_variant(stack=stack, template=two_tenants)


@pytest.fixture(scope="session")
def rows_migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with everything of the row sample (few apps) migrated, to be copied."""
    variant = Variant(_copy("row_tenants", tmp_path_factory.mktemp("rows") / "project", None), None)
    migrated = variant.module("django_migrate_schemas")
    assert not migrated.get("failed"), migrated
    return variant.file


@pytest.fixture
def row_variant(rows_migrated: Path, tmp_path: Path) -> Variant:
    """The row sample with few apps on SQLite, migrated and without a tenant."""
    variant = Variant(_copy("row_tenants", tmp_path / "row_project", None), None)
    shutil.copy(rows_migrated, variant.file)
    return variant


@pytest.fixture(scope="session")
def rows_on_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with everything of the row sample (few apps) migrated and a tenant, to be copied."""
    name = f"template_rows_{os.getpid()}"
    postgres.create_database(name)
    database = Database(postgres, name)
    variant = Variant(_copy("row_tenants", tmp_path_factory.mktemp("rows_pg") / "project", database.url), database)
    acme = {
        "key": {"slug": "acme"},
        "defaults": {"name": "Acme", "contact_email": "a@b.example"},
        "domains": ["a.example"],
    }
    for answer in (
        variant.module("django_migrate_schemas", scope="shared"),
        # Before the other apps, whose migrations look for a tenant.
        variant.tenants(acme),
        variant.module("django_migrate_schemas"),
    ):
        assert not answer.get("failed"), answer
    yield name
    postgres.drop_database(name)


@pytest.fixture
def postgres_rows(rows_on_postgres: str, new_database: Callable[..., Database], tmp_path: Path) -> Variant:
    """The row sample with few apps on PostgreSQL, migrated, with the tenant acme."""
    database = new_database(rows_on_postgres)
    return Variant(_copy("row_tenants", tmp_path / "row_project", database.url), database)


@pytest.fixture(scope="session")
def fleet_template(postgres: Postgres) -> Iterator[tuple[str, Stock]]:
    """The name of a database with the tenants of the smallest project, to be copied, and the stock command waiting for work."""
    name = f"fleet_{os.getpid()}"
    make_template(postgres, name)
    stock = Stock(Database(postgres, name).url)
    yield name, stock
    stock.close()
    postgres.drop_database(name)


@pytest.fixture
def pair(fleet_template: tuple[str, Stock], new_database: Callable[..., Database], tmp_path: Path) -> Pair:
    """Two copies of the small fleet, one for the stock command and one for ours."""
    name, stock = fleet_template
    return Pair(stock, new_database(name), new_database(name), Releases(tmp_path / "releases"))


@pytest.fixture(scope="session")
def old_database(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A function that names a database to which release 1 of a sample has been deployed, with rows."""
    made: dict[str, str] = {}

    def old(name: str) -> str:
        if name not in made:
            made[name] = f"old_{os.getpid()}_{name}"
            postgres.create_database(made[name])
            database = Database(postgres, made[name])
            answer = role_steps.deploy(faulty_samples.released(name, tmp_path_factory.mktemp("old") / name, database))
            assert not answer.get("failed"), answer
            database.execute(faulty_samples.ROWS[name])
        return made[name]

    yield old
    for name in made.values():
        postgres.drop_database(name)
