# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faulty releases: each is stopped before the first write, and the nearest release that is right is deployed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support import role_steps, samples
from tests.support.databases import Database
from tests.support.deployment import deployment
from tests.support.faults import FAULTS, HEALTHY, Fault, Healthy, twins
from tests.support.variants import Variant, few_apps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Postgres

Old = dict[str, str]
_ROWS = {
    "schema_tenants": """
        INSERT INTO acme.carriers_carrier (name, slug, mc_number, created_at)
            VALUES ('First', 'first', '1', now()), ('Second', 'second', '1', now());
        INSERT INTO globex.carriers_carrier (name, slug, mc_number, created_at)
            VALUES ('Third', 'third', '', now()), ('Fourth', 'fourth', '', now())""",
    "row_tenants": """
        INSERT INTO carriers_carrier (name, mc_number, tenant_id)
            SELECT slug || number, '1', id FROM tenants_tenant, generate_series(1, 2) number""",
}


def released(name: str, directory: Path, database: Database) -> Variant:
    """Release 1 of a sample with few apps, and without the addresses of those that are gone."""
    sample = samples.copy_sample(
        name, directory, release="1", stack="current", environment="dev", database_url=database.url
    )
    release = Variant(few_apps(sample), database)
    return release.settings("ROOT_URLCONF = 'config.no_urls'\nPUBLIC_SCHEMA_URLCONF = ROOT_URLCONF").write(
        "config/no_urls.py", "urlpatterns = []\n"
    )


@pytest.fixture(scope="session")
def old_database(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A function that names a database to which release 1 of a sample has been deployed, with rows."""
    made: Old = {}

    def old(name: str) -> str:
        if name not in made:
            made[name] = f"old_{os.getpid()}_{name}"
            postgres.create_database(made[name])
            database = Database(postgres, made[name])
            answer = role_steps.deploy(released(name, tmp_path_factory.mktemp("old") / name, database))
            assert not answer.get("failed"), answer
            database.execute(_ROWS[name])
        return made[name]

    yield old
    for name in made.values():
        postgres.drop_database(name)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_faulty_release_is_stopped_before_the_first_write(
    fault: Fault,
    old_database: Callable[[str], str],
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    database = new_database(old_database(fault.sample) if fault.old else None)
    if fault.spoil:
        fault.spoil(database)
    release = released(fault.sample, tmp_path / "release", database)
    fault.patch(release)
    before = database.dump()
    if fault.playbook:
        run = deployment(release.sample, "dev", tmp_path).deploy(succeed=None, **fault.options)
        failed, said = run.returncode != 0, run.output
    else:
        answer = role_steps.deploy(release, fault.old, **fault.options)
        failed, said = bool(answer.get("failed")), json.dumps(answer, ensure_ascii=False)
    assert (failed, database.dump() == before) == (True, True), said
    assert [word for word in fault.words if word not in said] == [], said


@pytest.mark.parametrize("healthy", [*twins(), *HEALTHY], ids=str)
def test_a_release_that_is_right_is_deployed(
    healthy: Healthy,
    old_database: Callable[[str], str],
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    database = new_database(old_database(healthy.sample) if healthy.old else None)
    if healthy.prepare:
        healthy.prepare(database)
    release = released(healthy.sample, tmp_path / "release", database)
    healthy.patch(release)
    answer = role_steps.deploy(release, healthy.old, **healthy.options)
    assert not answer.get("failed"), answer
    assert answer["pending"] == answer["missing"] == answer["problems"] == []
