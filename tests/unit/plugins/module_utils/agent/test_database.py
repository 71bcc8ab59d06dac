# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.database import (
    first_line,
    quoted,
    sqlstate,
    unreachable,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("acme", '"acme"'), ('a"b', '"a""b"'), ('"both"', '"""both"""'), ("Ünï cödé.x", '"Ünï cödé.x"'), ("", '""')],
)
def test_every_quote_in_an_identifier_is_doubled_also_at_its_ends(name: str, expected: str) -> None:
    assert quoted(name) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("\n  first  \nsecond"), "first"),
        (ValueError(""), "ValueError"),
        (ValueError(" \n "), "ValueError"),
        (ValueError(), "ValueError"),
    ],
)
def test_an_error_is_told_by_its_first_line_or_else_its_name(error: Exception, expected: str) -> None:
    assert first_line(error) == expected


class Psycopg3Error(Exception):
    sqlstate = "42P01"


class Psycopg2Error(Exception):
    pgcode = "42701"


@pytest.mark.parametrize(("driver", "code"), [(Psycopg3Error(), "42P01"), (Psycopg2Error(), "42701")])
def test_the_sqlstate_of_either_driver_is_found_below_djangos_error(driver: Exception, code: str) -> None:
    outer = RuntimeError("migration failed")
    outer.__cause__ = ValueError("wrapped")
    outer.__cause__.__cause__ = driver
    assert sqlstate(outer) == sqlstate(driver) == code


def test_an_error_that_is_none_of_the_servers_has_no_sqlstate() -> None:
    empty = Psycopg2Error()
    empty.pgcode = None  # type: ignore[assignment]
    assert sqlstate(None) is sqlstate(ValueError()) is sqlstate(empty) is None


def test_a_database_that_can_not_be_reached_is_told_with_who_where_and_why_and_no_password() -> None:
    from django.db import connections

    place = {"NAME": "app", "USER": "deploy", "PASSWORD": "hunter22", "HOST": "db.example.com", "PORT": "6432"}
    known = connections.databases["default"]
    saved = dict(known)
    try:
        known.update(place)
        problem = unreachable(ValueError("connection refused\nIs it running?"))
    finally:
        known.clear()
        known.update(saved)
    message = str(problem)
    assert message == (
        "The database 'app' (alias default) at db.example.com:6432 can't be used as 'deploy': connection refused"
    )
    assert "hunter22" not in f"{message} {problem.details}"
