# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables that are read whole, by the driver's own means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.copying import copied, rows_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.messages import send

from tests.support.connections import AsDjangoHasIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Database


@pytest.fixture
def raw(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with database.connect() as connection:
        connection.execute("CREATE TABLE odd (id int, name text)")
        yield connection


def test_what_is_read_is_what_was_written(raw: psycopg.Connection[tuple[object, ...]]) -> None:
    names = ["", "tab\t", "line\nline", "back\\slash", "\\N", "Größe \u2028", "x" * 100_000]
    for number, name in enumerate(names):
        raw.execute("INSERT INTO odd VALUES (%s, %s)", [number, name])
    (text,) = copied(AsDjangoHasIt(raw), ["COPY odd (id, name) TO STDOUT"])
    assert rows_of(text) == [(str(number), name) for number, name in enumerate(names)]


def test_more_tables_than_go_into_a_message_come_in_their_order(raw: psycopg.Connection[tuple[object, ...]]) -> None:
    for number in range(130):
        raw.execute(f"CREATE TABLE t{number} AS SELECT generate_series(1, {number % 7}) AS n")
    texts = copied(AsDjangoHasIt(raw), [f"COPY t{number} TO STDOUT" for number in range(130)])
    assert [len(rows_of(text)) for text in texts] == [number % 7 for number in range(130)]


def test_a_refusal_is_the_drivers_own_error_and_leaves_a_connection_that_works(
    raw: psycopg.Connection[tuple[object, ...]],
) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable, match=r'^relation "missing" does not exist') as refused:
        list(copied(AsDjangoHasIt(raw), ["COPY odd TO STDOUT", "COPY missing TO STDOUT", "COPY odd TO STDOUT"]))
    assert refused.value.sqlstate == "42P01"
    assert raw.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_is_gone_is_an_error_of_the_connection(
    raw: psycopg.Connection[tuple[object, ...]], database: Database
) -> None:
    database.execute("SELECT pg_terminate_backend(%s)", [raw.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        send(raw, "SELECT 1")
    assert raw.broken
