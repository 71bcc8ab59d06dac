# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""SQL on many schemas side by side: threads that wait for the server, each with a connection of its own, fed from one queue.

Only for work in which Python does next to nothing. What runs the project's code wants processes (``workers.Pool``).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, Iterable

if TYPE_CHECKING:
    from .loading import Context

# How often results are looked at, in seconds: to wake up for each would take the processor from the server.
_ROUND_SECONDS = 0.05


@dataclass
class _Result:
    """What became of a task; its thread may wait until that has been looked at."""

    task: Any
    value: Any = None
    error: BaseException | None = None
    seen: threading.Event = field(default_factory=threading.Event)


class Crew:
    """Threads and their connections, there from the first task on until the crew is left.

    A task goes to whoever is free, so that a slow one holds nobody up.

    :param work: does one task, on the connection of the context that it is given. What it raises ends the run.
    :param is_urgent: whether a result has to be looked at before its thread goes on.
    """

    def __init__(
        self,
        context: Context,
        size: int,
        work: Callable[[Context, Any], Any],
        is_urgent: Callable[[Any], bool] = lambda value: False,
    ) -> None:
        self.context, self.work, self.is_urgent = context, work, is_urgent
        self.size = max(1, size)
        self._threads: list[threading.Thread] = []
        self._tasks: deque[Any] = deque()
        self._results: SimpleQueue[_Result] = SimpleQueue()
        # By thread: when it began a task, and which.
        self._running: dict[int, tuple[float, Any]] = {}
        self._wanted = threading.Condition()
        self._look = threading.Event()
        self._leaving = False

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exc: object) -> None:
        with self._wanted:
            self._leaving = True
            self._tasks.clear()
            self._wanted.notify_all()
        for thread in self._threads:
            while thread.is_alive():
                while not self._results.empty():
                    self._results.get().seen.set()
                thread.join(_ROUND_SECONDS)

    def run(
        self,
        tasks: Iterable[Any],
        on_result: Callable[[Any, Any], Any],
        stop: Callable[[], bool] = lambda: False,
        on_begin: Callable[[Any], None] = lambda task: None,
    ) -> list[Any]:
        """Have every task done; ``on_result(task, result)`` may return a task to be done again, after the others.

        :param stop: asked after each result; once true, no more tasks are begun.
        :param on_begin: called with each task that is still going on when results are looked at.
        :returns: the tasks that were not begun.
        """
        left = self._hand_out(tasks)
        begun: set[float] = set()
        not_begun: list[Any] = []
        while left:
            self._look.wait(_ROUND_SECONDS)
            self._look.clear()
            while not self._results.empty():
                result = self._results.get()
                left -= 1
                try:
                    if result.error is not None:
                        raise result.error
                    again = on_result(result.task, result.value)
                    if again is not None:
                        left += self._hand_out([again])
                    if stop():
                        taken = self._take_back()
                        left -= len(taken)
                        not_begun += taken
                except BaseException:
                    self._take_back()
                    raise
                finally:
                    # Its thread may be waiting, and would for ever.
                    result.seen.set()
            for since, task in list(self._running.values()):
                if since not in begun:
                    begun.add(since)
                    on_begin(task)
        return not_begun

    def _hand_out(self, tasks: Iterable[Any]) -> int:
        new = list(tasks)
        with self._wanted:
            self._tasks.extend(new)
            self._wanted.notify_all()
        while len(self._threads) < min(self.size, len(new)):
            thread = threading.Thread(target=self._serve, args=[len(self._threads)], daemon=True)
            self._threads.append(thread)
            thread.start()
        return len(new)

    def _take_back(self) -> list[Any]:
        with self._wanted:
            tasks = list(self._tasks)
            self._tasks.clear()
        return tasks

    def _next(self) -> Any:
        """The next task, as soon as there is one; None when the crew is left."""
        with self._wanted:
            while not self._tasks and not self._leaving:
                self._look.set()
                self._wanted.wait()
            return None if self._leaving else self._tasks.popleft()

    def _serve(self, number: int) -> None:
        """The life of a thread."""
        from django.db import connections

        try:
            # Django has connections of its own for each thread.
            context = replace(self.context, connection=connections[self.context.alias])
            task = self._next()
            while task is not None:
                self._running[number] = time.monotonic(), task
                result = self._done(context, task)
                del self._running[number]
                self._results.put(result)
                if result.error is not None or self.is_urgent(result.value):
                    self._look.set()
                    result.seen.wait()
                task = self._next()
        finally:
            connections.close_all()

    def _done(self, context: Context, task: Any) -> _Result:
        while self.context.wire.stopping:
            # The process ends in a moment, and nothing more may begin in it.
            time.sleep(1)
        try:
            return _Result(task, self.work(context, task))
        except BaseException as error:
            return _Result(task, error=error)
