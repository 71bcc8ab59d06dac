# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.doubt import Circumstances, doubt, is_beyond


def why(sqlstate: str | None, statement: str | None = None, message: str = "no", **seen: object) -> str | None:
    return doubt(
        {"sqlstate": sqlstate, "statement": statement, "message": message},
        Circumstances(**seen),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("code", ["42701", "42P01", "42P07", "23502", "23505", "23503", "22001", "P0001", None])
def test_what_the_migration_itself_does_wrong_is_beyond_doubt(code: str | None) -> None:
    assert why(code, "ALTER TABLE a ADD COLUMN b int") is None


@pytest.mark.parametrize("code", ["53100", "08006", "57014", "58030", "HV000", "3D000", "55P03", "40P01", "25006"])
def test_what_the_server_and_its_surroundings_do_is_in_doubt(code: str) -> None:
    assert why(code, "ALTER TABLE a ADD COLUMN b int")


def test_a_missing_right_is_in_doubt_but_a_policy_that_refuses_rows_is_not() -> None:
    assert why("42501", "ALTER TABLE a OWNER TO b")
    assert why("42501", "INSERT INTO a VALUES (1)") is None


def test_an_extension_is_in_doubt_only_where_the_real_database_has_it() -> None:
    create = 'CREATE EXTENSION IF NOT EXISTS "citext"'
    assert why("42501", create, missing_extensions=frozenset({"citext"}))
    assert why("42501", create) is None
    assert why("58P01", create) is None
    assert why("53100", create)


@pytest.mark.parametrize("code", ["42704", "42883", "42P01"])
def test_what_is_not_there_may_be_what_the_scratch_database_lacks(code: str) -> None:
    statement = "ALTER TABLE a ADD COLUMN b citext"
    assert why(code, statement) is None
    assert "citext" in str(why(code, statement, missing_extensions=frozenset({"citext"})))
    assert "CREATE ROLE x" in str(why(code, statement, left_out=["CREATE ROLE x"]))
    assert "t7" in str(why(code, statement, entered=["t7"]))
    assert why("42701", statement, left_out=["CREATE ROLE x"]) is None


@pytest.mark.parametrize(
    "message",
    [
        'relation "plants_view" does not exist',
        'relation "acme.plants_view" does not exist',
        "function plants_view(integer) does not exist",
    ],
)
def test_what_is_not_there_is_in_doubt_where_it_is_what_could_not_be_made(message: str) -> None:
    notices = ["Not in the scratch database, for lack of a pg_dump that knows this server: view acme.plants_view."]
    assert why("42P01", message=message, notices=notices)
    assert why("42P01", message='relation "plants_other" does not exist', notices=notices) is None
    assert why(None, message=message, notices=notices) is None


@pytest.mark.parametrize("code", [None, "23502", "23505", "22012", "P0001", "21000"])
def test_python_that_has_read_rows_that_are_not_all_here_is_in_doubt(code: str | None) -> None:
    assert "plants_plant" in str(why(code, read=["plants_plant"]))
    assert why("42701", "ALTER TABLE a ADD COLUMN b int", read=["plants_plant"]) is None


def test_a_foreign_key_is_in_doubt_where_rows_are_missing() -> None:
    assert why("23503", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c", incomplete=True)
    assert why("23503", "SET CONSTRAINTS ALL IMMEDIATE") is None


@pytest.mark.parametrize(
    "message",
    [
        "KeptAway: the database 'x' (oracle) can't be held read-only",
        "AttributeError: KeptAway: a rehearsal's cache has no ttl",
        "attempt to write a readonly database",
    ],
)
def test_what_was_kept_away_is_in_doubt(message: str) -> None:
    assert why(None, message=message)


@pytest.mark.parametrize(
    "statement",
    [
        "create role x",
        "ALTER USER x SET y = 1",
        "DO $$ BEGIN CREATE ROLE x; END $$",
        "DO $$ BEGIN EXECUTE 'CREATE ROLE x'; END $$",
        "SELECT 'it''s'; DROP ROLE x",
        "ALTER DATABASE d SET a.b = 'c'",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "DROP TABLESPACE x",
        "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
        "COPY a TO PROGRAM 'cat'",
        "COMMENT ON DATABASE d IS 'x'",
    ],
)
def test_statements_for_the_whole_server_are_known(statement: str) -> None:
    assert is_beyond(statement)


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TABLE "role" (id int)',
        "GRANT SELECT ON a TO b",
        "INSERT INTO auth_permission (name) VALUES ('Can create user'), ('Can''t drop role')",
        "ALTER TABLE a OWNER TO b",
        "CREATE USER MAPPING FOR x SERVER y",
        "CREATE EXTENSION citext",
        'ALTER TABLE "user_group" ADD COLUMN "role" int',
    ],
)
def test_statements_of_one_database_are_not_taken_for_such(statement: str) -> None:
    assert not is_beyond(statement)
