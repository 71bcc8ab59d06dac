# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.outcome import Failure, Watch
from django.db import ProgrammingError, connection
from django.db.migrations.migration import Migration


@pytest.fixture
def watch() -> Watch:
    return Watch("acme", connection)


def refused(watch: Watch, sql: str) -> Exception:
    """What Django raises for a statement that the server refuses, seen by the watch."""
    with pytest.raises(Exception) as caught, connection.execute_wrapper(watch), connection.cursor() as cursor:  # noqa: PT011
        cursor.execute(sql)
    return caught.value


def test_a_failure_tells_the_migration_and_the_statement_that_was_refused(watch: Watch) -> None:
    watch.progress("apply_start", Migration("0002_grade", "plants"))
    failure = watch.failure(refused(watch, "ALTER TABLE nowhere ADD COLUMN grade text"))
    # The test is the project's code here.
    assert {name: value for name, value in failure.as_reply().items() if name != "place"} == {
        "schema": "acme",
        "migration": "plants.0002_grade",
        "operation": None,
        "statement": "ALTER TABLE nowhere ADD COLUMN grade text",
        "sqlstate": None,
        "message": "no such table: nowhere",
        "hint": None,
    }


def test_a_statement_whose_error_the_project_has_dealt_with_is_not_blamed(watch: Watch) -> None:
    refused(watch, "SELECT * FROM nowhere")
    failure = watch.failure(ValueError("something else"))
    assert (failure.statement, failure.message) == (None, "ValueError: something else")


def test_a_statement_is_blamed_for_the_error_that_the_project_made_of_its_error(watch: Watch) -> None:
    below = refused(watch, "SELECT * FROM nowhere")
    above = RuntimeError("could not fill")
    above.__cause__ = below
    assert watch.failure(above).statement == "SELECT * FROM nowhere"


def test_a_statement_of_a_megabyte_is_cut() -> None:
    watch = Watch("acme", connection)
    failure = watch.failure(refused(watch, "SELECT * FROM nowhere --" + "x" * 1_000_000))
    assert len(failure.statement or "") == 2000


def test_the_servers_code_is_told_with_what_to_do_next(watch: Watch) -> None:
    watch.begin("plants.0002_grade")
    error = ProgrammingError('column "grade" already exists\nDETAIL: …')
    error.__cause__ = SimpleError("42701")
    failure = watch.failure(error)
    assert (failure.sqlstate, failure.message) == ("42701", 'column "grade" already exists')
    assert "manage.py migrate --fake plants 0002_grade" in (failure.hint or "")


class SimpleError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.sqlstate = code


def test_only_migrations_that_came_to_their_end_count_as_applied(watch: Watch) -> None:
    for name in ("0001_initial", "0002_grade"):
        watch.progress("apply_start", Migration(name, "plants"))
        if name == "0001_initial":
            watch.progress("apply_success", Migration(name, "plants"))
    watch.progress("render_start")
    assert [name for name, _seconds in watch.applied] == ["plants.0001_initial"]
    assert watch.failure(ValueError("stop")).migration == "plants.0002_grade"


def test_checks_put_off_are_made_between_two_migrations_of_one_transaction() -> None:
    done: list[str] = []
    cursor = SimpleNamespace(execute=done.append)
    server: Any = SimpleNamespace(in_atomic_block=True, vendor="postgresql", cursor=lambda: Entered(cursor))
    watch = Watch("acme", server)
    watch.progress("apply_start", Migration("0001_initial", "plants"))
    watch.progress("apply_success", Migration("0001_initial", "plants"))
    assert done == ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]


class Entered:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __enter__(self) -> Any:
        return self.value

    def __exit__(self, *exc: object) -> None:
        return None


def test_a_failure_without_a_place_tells_so() -> None:
    assert Failure("acme", "It has no schema.").as_reply()["migration"] is None
