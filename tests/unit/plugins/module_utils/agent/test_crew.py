# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.crew import Crew
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.loading import Context
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60


def crew(size: int, work: Callable[[Context, Any], Any], bad: object = None) -> Crew:
    context = Context(
        SimpleNamespace(stopping=False),  # type: ignore[arg-type]
        SimpleNamespace(database="default"),  # type: ignore[arg-type]
        connection,
    )
    return Crew(context, size, work, lambda value: value == bad)


def test_every_task_is_done_once_on_a_connection_of_the_threads_own() -> None:
    seen: dict[int, set[int]] = {}

    def work(context: Context, task: int) -> int:
        seen.setdefault(threading.get_ident(), set()).add(id(context.connection))
        return task * 2

    results: list[tuple[int, int]] = []
    with crew(3, work) as many:
        assert many.run(range(50), lambda task, value: results.append((task, value))) == []
        many.run([50], lambda task, value: results.append((task, value)))
    assert sorted(results) == [(task, task * 2) for task in range(51)]
    assert all(len(used) == 1 for used in seen.values())
    assert id(connection) not in set.union(*seen.values())


def test_a_slow_task_holds_nobody_up() -> None:
    others_done = threading.Event()
    left = set(range(1, 20))

    def work(context: Context, task: int) -> bool:
        return others_done.wait(PATIENCE) if task == 0 else True

    def ended(task: int, value: bool) -> None:
        assert value
        left.discard(task)
        if not left:
            others_done.set()

    with crew(2, work) as two:
        two.run(range(20), ended)


def test_what_is_to_be_done_again_comes_after_the_others() -> None:
    order: list[str] = []

    def work(context: Context, task: str) -> str:
        order.append(task)
        return task

    with crew(1, work, bad="first") as one:
        one.run(["first", "second"], lambda task, value: "again" if value == "first" else None)
    assert order == ["first", "second", "again"]


def test_nothing_more_is_begun_once_a_bad_result_has_ended_the_run() -> None:
    results: list[str] = []

    def ended(task: str, value: str) -> None:
        results.append(value)

    with crew(1, lambda context, task: task, bad="bad") as one:
        not_begun = one.run(["good", "bad", "third", "fourth"], ended, lambda: "bad" in results)
    assert results == ["good", "bad"]
    assert not_begun == ["third", "fourth"]


def test_an_error_ends_the_run_and_is_the_callers() -> None:
    def work(context: Context, task: int) -> int:
        return 10 // task

    with pytest.raises(ZeroDivisionError), crew(2, work) as two:
        two.run([1, 0, 2, 5], lambda task, value: None)


def test_a_task_that_goes_on_for_a_while_is_announced() -> None:
    announced = threading.Event()

    with crew(1, lambda context, task: announced.wait(PATIENCE)) as one:
        one.run(["long"], lambda task, value: None, on_begin=lambda task: announced.set())
    assert announced.is_set()
