# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.capture import NotHeld, Unit
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.unsent import UnsentWatch, even_parts
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100)), min_size=1, max_size=60), st.integers(1, 8))
def test_the_parts_of_a_plan_follow_each_other_and_leave_nothing_out(row: list[tuple[int, int]], parts: int) -> None:
    costs, starts = zip(*row, strict=True)
    cuts = even_parts(costs, starts, parts)
    assert 1 <= len(cuts) <= parts
    assert [number for start, end in cuts for number in range(start, end)] == list(range(len(costs)))


def test_the_parts_of_a_plan_cost_about_the_same_and_a_later_start_counts() -> None:
    costs, starts = [10] * 40, [at * 2 for at in range(41)]
    sums = [starts[start] + sum(costs[start:end]) for start, end in even_parts(costs, starts, 3)]
    assert len(sums) == 3
    assert max(sums) - min(sums) <= 2 * max(costs)


@pytest.fixture
def watch() -> UnsentWatch:
    watch = UnsentWatch("acme", SimpleNamespace(in_atomic_block=False, vendor="postgresql"))
    watch.units["app.0001"] = Unit(("app", "0001"), True, (("app", "0001"),))
    watch.begin("app.0001")
    return watch


def say(watch: UnsentWatch, sql: str, params: object = None) -> None:
    def execute(*_statement: object) -> None:
        raise AssertionError(f"{sql} was sent")

    watch(execute, sql, params, False, {})


def test_nothing_is_sent_and_what_is_a_migrations_own_is_kept(watch: UnsentWatch) -> None:
    own = [
        'CREATE TABLE "t" ("id" int)',
        # As Django drops a foreign key.
        'SET CONSTRAINTS "fk" IMMEDIATE; ALTER TABLE "t" DROP CONSTRAINT "fk"',
        "INSERT INTO t VALUES (1)",
    ]
    for sql in ["SET search_path = acme, public", 'SAVEPOINT "s1"', *own, 'RELEASE SAVEPOINT "s1"']:
        say(watch, sql)
    watch.end()
    assert watch.units["app.0001"].sql == own
    assert watch.units["app.0001"].because is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT conname FROM pg_catalog.pg_constraint",
        "SELECT count(*) FROM t",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        'ROLLBACK TO SAVEPOINT "s1"',
        "SHOW search_path",
    ],
)
def test_what_has_an_answer_ends_it(watch: UnsentWatch, sql: str) -> None:
    with pytest.raises(NotHeld, match=sql.split(maxsplit=1)[0]):
        say(watch, sql)


def test_a_statement_whose_values_come_apart_from_it_is_for_django(watch: UnsentWatch) -> None:
    say(watch, "UPDATE t SET n = %s", [1])
    assert "values" in str(watch.units["app.0001"].because)
