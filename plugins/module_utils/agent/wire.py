# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The agent's side of the conversation: replies, events, the time limit, and stopping when nobody listens."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from .blame import project_line
from .stop_signals import heeded

STOPPED_STATUS = 3
TIMEOUT_STATUS = 4

# Within the time that the module waits for the agent to end, the cancelling included.
_CLEAN_UP_SECONDS = 8


class Wire:
    """JSON lines to the module over a duplicate of stdout.

    fd 1 is pointed at stderr and stdin at nothing, so that a project that prints or reads can't spoil a reply.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        sys.stdout.flush()
        self._out = os.fdopen(os.dup(1), "w", encoding="ascii")
        self._in = os.dup(0)
        os.dup2(2, 1)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What is printed must have left before a sudden end, and a letter that the locale lacks is no error.
            sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)
        # A line of its own, whatever a start-up file has printed before.
        self._out.write("\n")
        self.phase = "starting"
        # By connection (its id): how to cancel what it runs, and which statement that is.
        self.cancellers: dict[int, Callable[[], None]] = {}
        self.statements: dict[int, str] = {}
        self.stopping = False
        self._ending = threading.Lock()
        # What has to be done before a sudden end.
        self._clean_ups: list[Callable[[], None]] = []

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            try:
                self._out.write(json.dumps(message, default=str) + "\n")
                self._out.flush()
            except OSError:
                self._stop(STOPPED_STATUS)

    def event(self, name: str, **values: object) -> None:
        self.send({"event": name, **values})

    def doing(self, phase: str) -> None:
        """Say what is being done, for the message of a time-out or of a sudden end."""
        self.phase = phase
        self.event("phase", doing=phase)

    def watch(self, seconds: int) -> None:
        """Stop when stdin closes, and when the time is up (0: no limit)."""
        threading.Thread(target=self._watch_stdin, daemon=True).start()
        if seconds:
            timer = threading.Timer(seconds, self._time_is_up, [seconds, threading.get_ident()])
            timer.daemon = True
            timer.start()

    @contextmanager
    def at_a_stop(self, clean_up: Callable[[], None]) -> Iterator[None]:
        """Have ``clean_up`` called, in another thread, if the process is stopped inside: stdin closes, the time is up, SIGTERM.

        It is not called at an end that Python comes to by itself, nor in a process that is forked meanwhile.
        """
        self._clean_ups.append(clean_up)
        try:
            with heeded(lambda number: self._stop(128 + number)):
                yield
        finally:
            self._clean_ups.remove(clean_up)

    def _watch_stdin(self) -> None:
        while os.read(self._in, 4096):
            pass
        self._stop(STOPPED_STATUS)

    def _stop(self, status: int) -> None:
        """End the process, with nothing left running or lying about. Whoever comes second waits for the first, which does not return."""
        self.stopping = True
        with self._ending:
            self._cancel()
            self._clean_up()
            os._exit(status)

    def _clean_up(self) -> None:
        def act() -> None:
            for clean_up in reversed(self._clean_ups):
                try:
                    clean_up()
                except Exception as error:
                    sys.stderr.write(f"cleaning up failed: {error}\n")

        worker = threading.Thread(target=act, daemon=True)
        worker.start()
        worker.join(timeout=_CLEAN_UP_SECONDS)

    def _time_is_up(self, seconds: int, thread: int) -> None:
        self.stopping = True
        frame = sys._current_frames().get(thread)
        where = _innermost(traceback.extract_stack(frame)) if frame else ""
        for statement in list(self.statements.values())[:1]:
            where += f", in the statement {statement}"
        self.send(
            {
                "error": {
                    "kind": "timeout",
                    "message": f"Not done within {seconds} s while {self.phase}{where}; it was stopped there.",
                    "hint": "What was committed is recorded, and the next run goes on from there. Raise timeout:, or see what holds it up.",
                }
            }
        )
        self._stop(TIMEOUT_STATUS)

    def _cancel(self) -> None:
        """Cancel the running statements: a server goes on with one whose client is gone."""

        def cancel() -> None:
            for canceller in list(self.cancellers.values()):
                try:
                    canceller()
                except Exception as error:
                    sys.stderr.write(f"cancelling a statement failed: {error}\n")

        # A server that does not answer must not keep the agent alive.
        worker = threading.Thread(target=cancel, daemon=True)
        worker.start()
        worker.join(timeout=5)


def _innermost(stack: traceback.StackSummary) -> str:
    """Where the project's code stands, as a part of a sentence."""
    found = project_line(stack)
    return f" ({found[0]}, line {found[1]})" if found else ""
