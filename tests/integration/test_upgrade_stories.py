# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Old databases that meet a release of another history, or of the other tenancy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import role_steps
from tests.support.audits import audit, follow, only
from tests.support.deployment import deployment
from tests.support.faults import history, old
from tests.support.faulty_samples import released
from tests.support.tenancy_switch import to_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.variants import Variant

ONE, OTHER = history.CREATORS[1], history.CREATORS[0]


def stopped(release: Variant) -> None:
    """The deploy fails, and nothing was written."""
    before = release.dump()
    assert role_steps.deploy(release).get("failed")
    assert release.dump() == before


def test_a_table_of_two_creators_meets_a_release_that_deleted_one(database: Database, tmp_path: Path) -> None:
    twice = released("row_tenants", tmp_path / "twice", database)
    history.table_made_twice_behind_a_merge(twice)
    twice.sample.manage("migrate", "tenants", ONE)
    # As people did, so that the merge could go through.
    twice.sample.manage("migrate", "--fake", "tenants", OTHER)
    twice.sample.manage("migrate")

    release = released("row_tenants", tmp_path / "once", database)
    history.one_creator(release)
    old.nickname_in_a_migration_of_its_own(release)
    ghosts = only(audit(release, "ghosts"))
    assert ghosts["severity"] == "warning"
    assert f"tenants.{OTHER}" in ghosts["message"]
    run = deployment(release.sample, "dev", tmp_path).deploy()
    assert f"tenants.{OTHER}" in run.sections()["Show what was found"]
    assert database.query("SELECT slug FROM tenants_tenant ORDER BY 1") == [("acme",), ("globex",)]
    assert database.query("SELECT nickname FROM carriers_carrier") == []
    follow(release, ghosts)
    assert audit(release, "ghosts") == []
    assert not role_steps.deploy(release).get("failed")


def test_a_schema_for_each_tenant_meets_a_release_with_all_in_one(
    old_database: Callable[[str], str], new_database: Callable[..., Database], tmp_path: Path
) -> None:
    """All is recorded in the public schema, and nothing of the tenants' apps is there: migrate would find nothing to do."""
    database = new_database(old_database("schema_tenants"))
    release = to_rows(released("schema_tenants", tmp_path / "release", database))
    assert "No migrations to apply" in release.sample.manage("migrate").stdout
    stopped(release)
    finding = only(audit(release))
    assert (finding["rule"], finding["severity"]) == ("phantoms", "error")
    assert "carriers_carrier" in finding["message"]
    follow(release, finding)
    assert audit(release) == []
    assert not release.module("django_migrate_schemas", rehearse="scratch").get("failed")
    database.execute(
        "INSERT INTO carriers_carrier (name, slug, mc_number, created_at)"
        " SELECT name, slug, mc_number, created_at FROM acme.carriers_carrier"
    )
    assert database.query("SELECT slug FROM carriers_carrier ORDER BY 1") == [("first",), ("second",)]
    unique = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'carriers_carrier' AND indexdef LIKE 'CREATE UNIQUE%(slug)'"
    assert database.query(unique) == [(1,)]


def test_rows_in_one_schema_meet_a_release_with_a_schema_for_each_tenant(database: Database, tmp_path: Path) -> None:
    rows = to_rows(released("schema_tenants", tmp_path / "rows", database))
    rows.sample.manage("migrate")
    database.execute(
        "INSERT INTO carriers_carrier (name, slug, mc_number, created_at) VALUES ('First', 'first', '1', now())"
    )
    release = released("schema_tenants", tmp_path / "release", database)
    stopped(release)
    finding = only(audit(release, planned=["acme", "globex"], planned_public=True))
    assert (finding["rule"], finding["severity"]) == ("rows-left-behind", "error")
    follow(release, finding)
    answer = role_steps.deploy(release)
    assert not answer.get("failed"), answer
    copied = "(name, slug, mc_number, created_at) SELECT name, slug, mc_number, created_at FROM before_tenants.carriers_carrier"
    database.execute(f"INSERT INTO acme.carriers_carrier {copied}")
    assert database.query("SELECT slug FROM acme.carriers_carrier") == [("first",)]
    assert not role_steps.deploy(release).get("failed")


def test_the_two_samples_are_no_releases_of_each_other(
    old_database: Callable[[str], str], new_database: Callable[..., Database], tmp_path: Path
) -> None:
    """Migrations of one name that make something else: the findings say that the release is not this database's."""
    for number, (there, comes) in enumerate([("schema_tenants", "row_tenants"), ("row_tenants", "schema_tenants")]):
        database = new_database(old_database(there))
        release = released(comes, tmp_path / str(number), database)
        stopped(release)
        finding = only(audit(release, "phantoms"))
        assert "tenants.0001_initial" in finding["message"]
        assert "made something else" in finding["hint"]
