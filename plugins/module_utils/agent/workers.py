# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Work on many schemas in several processes: forked once all is loaded, each with a connection of its own, fed one task at a time."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Callable, Iterable

if TYPE_CHECKING:
    from .loading import Context

_STOPPED_STATUS = 3


class Lost(Exception):
    """A worker ended without an answer; ``task`` is what it had in hand."""

    def __init__(self, task: Any, status: int) -> None:
        super().__init__(f"a worker process ended with status {status}")
        self.task = task


class Pool:
    """Processes that share, by being forked, all that is loaded, and no connection.

    A task goes to whoever is free, so that a slow one holds nobody up. Workers end when the pool is left,
    and by themselves when their parent is gone.
    """

    def __init__(self, context: Context, size: int, work: Callable[[Any], Any]) -> None:
        self.context = context
        self.work = work
        self.size = max(1, size)
        self._workers: dict[Connection, int] = {}
        self._lifeline: tuple[int, int] | None = None

    def __enter__(self) -> Pool:
        self._lifeline = os.pipe()
        sys.stderr.flush()
        for _number in range(self.size):
            self._fork()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._lifeline:
            os.close(self._lifeline[1])
            os.close(self._lifeline[0])
        self.dismiss()
        for pid in self._workers.values():
            os.waitpid(pid, 0)
        self._workers.clear()

    def dismiss(self) -> None:
        """Let the workers end, with no more tasks to come; leaving the pool waits for them."""
        for pipe in self._workers:
            pipe.close()

    def run(
        self,
        tasks: Iterable[Any],
        on_result: Callable[[Any, Any], Any],
        stop: Callable[[], bool] = lambda: False,
        on_begin: Callable[[Any], None] = lambda task: None,
    ) -> list[Any]:
        """Have every task done; ``on_result(task, result)`` may return a task to be done again, after the others.

        :param stop: asked before a task is handed out; once true, no more are.
        :param on_begin: called with each task as it is handed out.
        :returns: the tasks that were not handed out.
        """
        queue = deque(tasks)
        busy: dict[Connection, Any] = {}
        idle = list(self._workers)
        while busy or (queue and not stop()):
            while idle and queue and not stop():
                pipe, task = idle.pop(), queue.popleft()
                try:
                    pipe.send(task)
                except OSError:
                    # It ended while it had nothing to do; another takes the task.
                    self._bury(pipe)
                    idle.append(self._fork())
                    queue.appendleft(task)
                    continue
                busy[pipe] = task
                on_begin(task)
            for ready in wait(list(busy), timeout=1):
                pipe = ready  # type: ignore[assignment]
                task = busy.pop(pipe)
                try:
                    result = pipe.recv()
                except (EOFError, OSError):
                    result = Lost(task, self._bury(pipe))
                    idle.append(self._fork())
                else:
                    idle.append(pipe)
                again = on_result(task, result)
                if again is not None:
                    queue.append(again)
        return list(queue)

    def begin(self, task: Any) -> None:
        """Let a worker begin the only task, whose result is fetched by ``end``."""
        next(iter(self._workers)).send(task)

    def end(self) -> Any:
        """The result of the task that was begun; ``Lost`` where its worker did not come to the end."""
        pipe = next(iter(self._workers))
        try:
            return pipe.recv()
        except (EOFError, OSError):
            return Lost(None, self._bury(pipe))

    def _bury(self, pipe: Connection) -> int:
        pid = self._workers.pop(pipe)
        pipe.close()
        return os.waitpid(pid, 0)[1]

    def _fork(self) -> Connection:
        from django.db import connections

        # A connection that two processes hold is ended by the first that leaves.
        connections.close_all()
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for pipe in self._workers:
                pipe.close()
            self._serve(theirs)
        theirs.close()
        self._workers[ours] = pid
        return ours

    def _serve(self, pipe: Connection) -> None:
        """The life of a worker. It never returns."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if self._lifeline:
                os.close(self._lifeline[1])
                threading.Thread(target=self._end_with_parent, args=[self._lifeline[0]], daemon=True).start()
            while True:
                try:
                    task = pipe.recv()
                except EOFError:
                    break
                pipe.send(self.work(task))
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        self.context.close()
        os._exit(0)

    def _end_with_parent(self, lifeline: int) -> None:
        while os.read(lifeline, 1):
            time.sleep(0)
        # Between tasks the pipe has ended as well, and the worker leaves by itself.
        time.sleep(1)
        raw = self.context.connection.connection
        if raw is not None and hasattr(raw, "cancel"):
            try:
                raw.cancel()
            finally:
                os._exit(_STOPPED_STATUS)
        os._exit(_STOPPED_STATUS)


def default_size(tasks: int) -> int:
    """As many workers as there are processors for, and tasks."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, tasks, 16))
