# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules, one after the other, on the schema sample: an empty database, a redeploy, a new release."""

from __future__ import annotations

import pytest

PUBLIC = {
    "schema": "public",
    "defaults": {"name": "Public", "paid_until": "2099-12-31", "on_trial": False},
    "domains": ["localhost"],
}
ACME = {
    "schema": "acme",
    "attributes": {"name": "Acme Meats"},
    "defaults": {"paid_until": "2099-12-31"},
    "domains": ["acme.localhost"],
}
GLOBEX = {
    "schema": "globex",
    "attributes": {"name": "Globex"},
    "defaults": {"paid_until": "2099-12-31"},
    "domains": ["globex.localhost"],
}


@pytest.fixture(params=["current", "oldest"])
def project(request, sample):
    return sample("schema_tenants", stack=request.param)


@pytest.fixture
def deploy(project, run_module):
    def run(**options):
        def module(name, **own):
            result = run_module(name, **options, **project.options(), **own)
            assert not result.get("failed"), result
            return result

        shared = module("django_migrate_schemas", scope="shared")
        tenants = module("django_tenant", tenants=[PUBLIC, ACME, GLOBEX])
        migrated = module("django_migrate_schemas", scope="tenants", planned=tenants["planned"])
        return shared, tenants, migrated

    return run


def test_an_empty_database_becomes_complete_and_a_second_run_changes_nothing(deploy, database, project, run_module):
    shared, tenants, migrated = deploy()
    assert shared["changed"]
    assert tenants["changed"]
    assert not migrated["changed"]
    assert [line["state"] for line in tenants["tenants"]] == ["created"] * 3
    for schema in ("acme", "globex"):
        assert len(database.query(f"SELECT FROM pg_tables WHERE schemaname = '{schema}'")) == 16
    info = run_module("django_tenant_info", **project.options())
    assert info["missing"] == []
    assert info["pending"] == []
    assert info["summary"]["tenants"] == 3

    before = database.dump()
    assert not any(result["changed"] for result in deploy())
    assert database.dump() == before


def test_check_mode_on_an_empty_database_shows_the_whole_deploy_and_writes_nothing(deploy, database):
    before = database.dump()
    shared, tenants, _migrated = deploy(check=True, diff=True)
    assert shared["changed"]
    assert tenants["changed"]
    assert tenants["planned"] == ["public", "acme", "globex"]
    assert "tenants.0001_initial" in shared["pending"][0]["migrations"]
    assert "carriers.0001_initial" in tenants["tenants"][1]["migrations"]
    assert database.dump() == before


def test_a_new_release_is_shown_by_check_mode_and_then_applied(deploy, database, project):
    deploy()
    project.upgrade("2")
    before = database.dump()
    shared, _tenants, _migrated = deploy(check=True)
    assert database.dump() == before
    assert shared["pending"][0]["schemas"] == ["public"]
    assert "tenants.0003_client_plan" in shared["pending"][0]["migrations"]
    shared, tenants, _migrated = deploy()
    assert "plants.0004_dock" in tenants["tenants"][1]["migrations"]
    assert not any(result["changed"] for result in deploy())


def test_check_mode_lists_what_is_pending_for_a_tenant_that_earlier_steps_only_touch(deploy, project, run_module):
    deploy()
    project.upgrade("2")
    touched = {**ACME, "domains": ["acme.localhost", "meat.localhost"], "migrate": False}
    found = {}
    for check in (True, False):
        run_module("django_migrate_schemas", check=check, scope="shared", **project.options())
        tenants = run_module("django_tenant", check=check, tenants=[touched], **project.options())
        migrated = run_module(
            "django_migrate_schemas", check=check, scope="tenants", planned=tenants["planned"], **project.options()
        )
        found[check] = migrated["pending"][0] if check else migrated["migrated"][0]
    assert found[True]["schemas"] == found[False]["schemas"] == ["acme", "globex"]
    assert found[True]["migrations"] == found[False]["migrations"]
