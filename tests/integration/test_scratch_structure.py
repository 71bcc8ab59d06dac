# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scratch database holds: the structure of the real one, by pg_dump or from the catalog, and some of its rows."""

from __future__ import annotations

import pytest

from tests.support.rehearsals import scratch_databases
from tests.support.scratch import ODD, attempt, copied, make_nasty


def program(directory, script):
    """A directory, for PATH, with a pg_dump that is this shell script."""
    directory.mkdir()
    (directory / "pg_dump").write_text("#!/bin/sh\n" + script)
    (directory / "pg_dump").chmod(0o755)
    return str(directory)


@pytest.fixture
def old_program(tmp_path):
    """A PATH without any pg_dump that knows the server."""
    return program(tmp_path / "old", "echo 'pg_dump (PostgreSQL) 9.6.24'\n")


@pytest.fixture(params=["pg_dump", "catalog"])
def path(request, postgres, old_program):
    """A PATH with a pg_dump of the server's version, or without any that knows it."""
    return str(postgres.bin) if request.param == "pg_dump" else old_program


@pytest.fixture
def nasty(database):
    make_nasty(database)
    return database


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_nasty_schema_is_made_again_in_every_part(stack, path, sample, nasty):
    dumps = []

    def dump(name):
        # Of both in one way, and all that there is: functions, types and rules as well.
        dumps.extend(nasty.postgres.dump(each, "--schema-only", "--no-owner") for each in (name, nasty.name))

    reply = copied(sample("row_tenants", stack=stack), ODD, "public", "extra", path=path, meanwhile=dump)
    scratch, real = dumps
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


def test_row_tenancy_has_its_one_schema_copied(sample, database, postgres, old_program):
    project = sample("row_tenants")
    project.manage("migrate", "tenants")
    database.execute(
        "INSERT INTO tenants_tenant (id, name, slug, contact_email, schema_name, is_active, created_at)"
        " VALUES (gen_random_uuid(), 'Acme', 'acme', 'a@acme.localhost', NULL, true, now())"
    )
    project.manage("migrate")
    recorded = database.query("SELECT app, name FROM django_migrations ORDER BY id")
    for path in (str(postgres.bin), old_program):
        reply = copied(project, "public", path=path, queries=["SELECT app, name FROM django_migrations ORDER BY id"])
        assert reply["differences"] == reply["notices"] == []
        assert reply["answers"] == [[list(row) for row in recorded]]


def test_pg_dump_is_used_and_no_secret_stands_on_its_command_line(sample, database, postgres, tmp_path):
    database.execute("CREATE TABLE seen (id integer)")
    record = tmp_path / "arguments"
    path = program(tmp_path / "new", f"echo \"$@\" >> '{record}'\nexec '{postgres.bin}/pg_dump' \"$@\"\n")
    reply = copied(sample("row_tenants"), "public", path=path)
    assert reply["differences"] == reply["notices"] == []
    arguments = record.read_text()
    assert "--schema-only" in arguments
    assert database.name in arguments
    assert postgres.password not in arguments


def test_where_pg_dump_fails_the_catalog_is_read_and_that_is_told(sample, database, tmp_path):
    database.execute("CREATE TABLE seen (id integer)")
    ((major,),) = database.query("SELECT current_setting('server_version_num')::int / 10000")
    script = f"[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) {major}.1' || {{ echo 'oh dear' >&2; exit 1; }}\n"
    reply = copied(sample("row_tenants"), "public", path=program(tmp_path / "broken", script))
    assert reply["differences"] == []
    assert reply["parts"] > 0
    assert len(reply["notices"]) == 1
    assert "oh dear" in reply["notices"][0]


def test_of_a_large_database_the_catalog_is_read_unless_it_leaves_something_out(sample, database, postgres, tmp_path):
    database.execute("CREATE TABLE seen (id integer)")
    marker = tmp_path / "used"
    path = program(tmp_path / "new", f": > '{marker}'\nexec '{postgres.bin}/pg_dump' \"$@\"\n")
    assert copied(sample("row_tenants"), "public", path=path, many=100)["differences"] == []
    assert not marker.exists()
    database.execute("CREATE AGGREGATE product (integer) (SFUNC = int4mul, STYPE = integer)")
    reply = copied(
        sample("row_tenants"), "public", path=path, many=100, queries=["SELECT product(i) FROM generate_series(2, 4) i"]
    )
    assert reply["answers"] == [[[24]]]
    assert marker.exists()


def test_what_the_catalog_way_can_not_make_is_told(sample, database, old_program):
    database.execute("CREATE AGGREGATE product (integer) (SFUNC = int4mul, STYPE = integer)")
    database.execute("CREATE TABLE seen (id integer)")
    reply = copied(sample("row_tenants"), "public", path=old_program)
    assert reply["differences"] == []
    assert len(reply["notices"]) == 1
    assert "1 aggregates" in reply["notices"][0]


@pytest.fixture
def creator(database, postgres):
    """The URL of a role that may create databases, and no extension that is not trusted."""
    name = f"creator_{database.name}"
    database.execute(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'l0gin-but-secret'")
    database.execute(f"GRANT pg_read_all_data TO {name}")
    yield postgres.url(database.name, user=name, password="l0gin-but-secret")
    database.execute(f"DROP ROLE {name}")


def test_an_extension_that_the_role_may_not_create_is_a_notice(sample, database, creator, path):
    database.execute(
        "CREATE EXTENSION earthdistance CASCADE; CREATE EXTENSION citext; CREATE TABLE seen (id integer, code citext)"
    )
    reply = copied(sample("row_tenants", database_url=creator), "public", path=path)
    assert reply["differences"] == []
    assert len(reply["notices"]) == 1
    assert "earthdistance" in reply["notices"][0]


def test_where_a_table_needs_it_there_is_no_rehearsal_and_that_is_no_failure(sample, database, creator, path):
    database.execute("CREATE EXTENSION earthdistance CASCADE; CREATE TABLE places (id integer, place earth)")
    reply = attempt(sample("row_tenants", database_url=creator), "public", path=path)
    assert "public.places" in reply["reason"]
    assert "earthdistance" in reply["hint"]
    assert reply["notice"] is True
    assert scratch_databases(database) == []


def test_what_is_no_table_may_be_missing_and_is_told(sample, database, creator, path):
    database.execute(
        "CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;"
        " CREATE FOREIGN TABLE far (id integer) SERVER elsewhere; CREATE VIEW farther AS SELECT * FROM far;"
        " CREATE TABLE near (id integer PRIMARY KEY)"
    )
    reply = copied(sample("row_tenants", database_url=creator), "public", path=path)
    assert {difference[0] for difference in reply["differences"]} == {"far", "farther"}
    notices = "\n".join(reply["notices"])
    for words in (
        "postgres_fdw",
        "1 foreign tables",
        "'public' is in the scratch database: ",
        "'public' is not like it",
    ):
        assert words in notices.replace("Not everything of the schema ", "")


def test_schemas_that_are_no_tenants_come_along_and_other_tenants_do_not(schema_variant, path):
    variant = schema_variant()
    for name in ("acme", "globex"):
        tenant = {"schema": name, "domains": [f"{name}.localhost"]}
        variant.ensure({**tenant, "defaults": {"name": name, "paid_until": "2099-12-31"}})
    variant.execute(
        "CREATE SCHEMA shared_things; CREATE FUNCTION shared_things.one() RETURNS integer LANGUAGE sql AS 'SELECT 1'"
    )
    variant.execute("ALTER TABLE acme.carriers_carrier ADD COLUMN one integer DEFAULT shared_things.one()")
    variant.execute("CREATE SCHEMA orphan; CREATE TABLE orphan.django_migrations (id integer)")
    reply = copied(
        variant.sample,
        "public",
        "acme",
        path=path,
        queries=[
            "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"
        ],
    )
    assert reply["differences"] == reply["notices"] == []
    assert reply["answers"] == [[["acme"], ["public"], ["shared_things"]]]
