# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.capture import (
    NEXT,
    CapturingWatch,
    NotHeld,
    Unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "SET search_path = 'acme','public'"
ALTER = 'ALTER TABLE "item" ADD COLUMN "rank" integer NULL'
INDEX = 'CREATE INDEX "item_rank" ON "item" ("rank")'
LOOK = "SELECT conname FROM pg_catalog.pg_constraint WHERE conrelid = %s"


class Connection:
    """What reaches the server, in the order in which it does; as much of Django's connection as a watch needs."""

    vendor, in_atomic_block = "postgresql", False
    schema_name, include_public_schema = "acme", True

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.watch = CapturingWatch("acme", self)

    def execute(self, sql: str, params: Any = None) -> Any:
        return self.watch(self._send, sql, params, False, {})

    def _send(self, sql: str, params: Any, many: bool, context: dict[str, Any]) -> str:
        self.sent.append(sql)
        if "broken" in sql:
            raise ValueError(sql)
        return f"answer to {sql}"

    @contextmanager
    def cursor(self) -> Iterator[Connection]:
        self.execute(PATH)
        yield self

    def begin(self, name: str) -> Unit:
        unit = Unit(("app", name), True, (("app", name),))
        self.watch.units[unit.name] = unit
        self.watch.begin(unit.name)
        return unit


def test_without_holding_every_statement_is_sent_and_answered() -> None:
    connection = Connection()
    unit = connection.begin("0001")
    assert connection.execute(ALTER) == f"answer to {ALTER}"
    assert connection.sent == unit.sql == [ALTER]


def test_statements_wait_until_an_answer_is_wanted_and_then_go_first() -> None:
    connection = Connection()
    with connection.watch.hold():
        connection.execute(PATH)
        unit = connection.begin("0001")
        for sql in ('SAVEPOINT "s1"', ALTER, PATH, INDEX, 'RELEASE SAVEPOINT "s1"'):
            connection.execute(sql)
        connection.watch.at_the_end.append("INSERT INTO acme.django_migrations VALUES (1)")
        assert connection.sent == [PATH]
        assert connection.execute(LOOK, ["item"]) == f"answer to {LOOK}"
        held = ['SAVEPOINT "s1"', ALTER, INDEX, 'RELEASE SAVEPOINT "s1"']
        assert connection.sent == [PATH, NEXT.join(held), LOOK]
        connection.execute(ALTER)
    assert connection.sent[3:] == [PATH, NEXT.join([ALTER, "INSERT INTO acme.django_migrations VALUES (1)"])]
    assert unit.sql == [ALTER, INDEX, ALTER]
    assert connection.watch.looked_at == {"item"}


def test_a_rollback_is_sent_at_once_and_the_path_again_after_it() -> None:
    connection = Connection()
    with connection.watch.hold():
        for sql in (PATH, 'ROLLBACK TO SAVEPOINT "s1"', PATH, PATH):
            connection.execute(sql)
        assert connection.sent == [PATH, 'ROLLBACK TO SAVEPOINT "s1"', PATH]


@pytest.mark.parametrize(("sql", "params"), [("UPDATE item SET rank = 1", None), (ALTER, ["x"]), ("SHOW x", None)])
def test_what_changes_rows_or_has_values_does_not_wait(sql: str, params: Any) -> None:
    connection = Connection()
    with connection.watch.hold():
        connection.begin("0001")
        connection.execute(sql, params)
        assert connection.sent == [sql]


def held(connection: Connection, *statements: str) -> None:
    with connection.watch.hold():
        connection.begin("0001")
        for sql in statements:
            connection.execute(sql)


def test_what_failed_is_forgotten_so_that_the_plan_can_run_again() -> None:
    connection = Connection()
    with pytest.raises(ValueError, match="broken"):
        held(connection, "ALTER TABLE broken ADD x integer", LOOK)
    watch = connection.watch
    assert not watch.holding
    assert (watch.units, watch.applied, watch.looked_at, watch.current) == ({}, [], set(), None)
    connection.execute(PATH)
    assert connection.sent[-1] == PATH


def test_nothing_is_held_across_a_change_of_the_path_that_was_not_seen() -> None:
    connection = Moving()
    with pytest.raises(NotHeld):
        held(connection, ALTER, INDEX)
    assert connection.sent == []


class Moving(Connection):
    """One whose path is another for every statement, and that does not show it."""

    def execute(self, sql: str, params: Any = None) -> Any:
        self.schema_name += "x"
        return super().execute(sql, params)
