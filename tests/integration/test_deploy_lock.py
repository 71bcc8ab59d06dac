# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One deployer at a time, and the shares of one run side by side."""

from __future__ import annotations

import threading
import time

import pytest


@pytest.fixture
def module(sample, run_module):
    project = sample("schema_tenants")

    def run(name, **options):
        return run_module(name, **project.options(), **options)

    return run


def test_a_second_run_waits_and_then_says_who_holds_the_lock(module, database):
    results = {}

    def deploy(name, **options):
        results[name] = module("django_migrate_schemas", scope="shared", **options)

    # The recorder is locked from the start, so the first run waits inside its work, holding the deploy lock.
    database.execute(
        "CREATE TABLE django_migrations (id bigserial PRIMARY KEY, app text, name text, applied timestamptz)"
    )
    blocker = database.connect()
    blocker.autocommit = False
    blocker.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
    first = threading.Thread(target=deploy, args=["first"])
    first.start()
    deadline = time.monotonic() + 30
    # Of this database: other tests hold theirs on the same server.
    held = (
        "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"
    )
    while not database.query(held):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    deploy("second", lock_wait=0.5)
    blocker.rollback()
    first.join()
    assert not results["first"].get("failed"), results["first"]
    assert results["second"]["failed"]
    assert "Another run holds the deploy lock of this database: tenancy deploy by" in results["second"]["msg"]
    assert not module("django_migrate_schemas", scope="shared")["changed"]


def test_the_public_schema_is_tried_again_where_it_does_not_get_its_locks(module, database):
    database.execute(
        "CREATE TABLE django_migrations (id bigserial PRIMARY KEY, app text, name text, applied timestamptz)"
    )
    blocker = database.connect()
    blocker.autocommit = False
    # Not the reading of what is recorded: the first record is what has to wait.
    blocker.execute("LOCK TABLE django_migrations IN SHARE MODE")
    release = threading.Timer(1.5, blocker.rollback)
    release.start()
    result = module("django_migrate_schemas", scope="shared", lock_timeout=0.3, retries=8)
    release.join()
    assert not result.get("failed"), result["msg"]
    assert not module("django_migrate_schemas", scope="shared")["changed"]


def test_a_lock_that_stays_is_named_with_its_statement(module, database):
    database.execute(
        "CREATE TABLE django_migrations (id bigserial PRIMARY KEY, app text, name text, applied timestamptz)"
    )
    blocker = database.connect()
    blocker.autocommit = False
    blocker.execute("LOCK TABLE django_migrations IN SHARE MODE")
    result = module("django_migrate_schemas", scope="shared", lock_timeout=0.2, retries=1)
    blocker.rollback()
    assert result["failed"]
    assert result["failures"][0]["sqlstate"] == "55P03"
    assert "SQLSTATE 55P03" in result["msg"]
