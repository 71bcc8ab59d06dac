# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scratch database holds: the structure of the real one, by pg_dump or from the catalog, and some of its rows."""

from __future__ import annotations

import pytest

from tests.support.scratch import NASTY, ODD, copied


@pytest.fixture(params=["pg_dump", "catalog"])
def path(request, postgres, tmp_path, monkeypatch):
    """A PATH with a pg_dump of the server's version, or without any that knows it."""
    if request.param == "pg_dump":
        return f"{postgres.bin}:/usr/bin:/bin"
    old = tmp_path / "old"
    old.mkdir()
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    (old / "pg_dump").chmod(0o755)
    return f"{old}:/usr/bin:/bin"


@pytest.fixture
def nasty(database):
    with database.connect() as connection:
        connection.execute(NASTY)
    return database


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_nasty_schema_is_made_again_in_every_part(stack, path, sample, nasty):
    dumps = {}

    def dump(name):
        # Of both in one way, and all that there is: functions, types and rules as well.
        dumps.update({each: nasty.postgres.dump(each, "--schema-only", "--no-owner") for each in (name, nasty.name)})

    reply = copied(sample("row_tenants", stack=stack), ODD, "public", "extra", path=path, meanwhile=dump)
    scratch, real = dumps.values()
    assert scratch.splitlines() == real.splitlines()
    assert reply["differences"] == []
    assert reply["notices"] == []
    assert reply["parts"] > 100


def test_a_fleet_is_copied_as_it_is(path, schema_variant):
    variant = schema_variant()
    variant.ensure(
        {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["acme.localhost"]}
    )
    reply = copied(
        variant.sample,
        "public",
        "acme",
        "not there",
        path=path,
        queries=[
            "SELECT count(*) FROM acme.django_migrations",
            "SELECT schema_name FROM public.tenants_client ORDER BY 1",
            "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'not there'",
        ],
    )
    recorded = variant.query("SELECT count(*) FROM acme.django_migrations")
    assert reply["differences"] == []
    assert reply["notices"] == []
    assert reply["answers"] == [[list(recorded[0])], [["acme"], ["public"]], [[0]]]
