# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a module does while the agent works: keep a file that the controller reads, and end when nobody waits for its answer."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType

# The action plugin names the file in the module's environment. An option would show in the result's invocation.
VARIABLE = "TENANCY_PROGRESS_FILE"

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Progress:
    """While it is entered, events of the agent may be noted, and the module ends if its answer has no reader left.

    The file has a line for each event, as JSON: what began or ended, and when. It is made with the first event, since most
    runs have nothing to do, and left to the controller, which reads the rest once the module has ended.
    """

    def __init__(self) -> None:
        self._path = os.environ.pop(VARIABLE, None)
        self._file: int | None = None
        self._handlers: dict[int, Any] = {}
        self._answer: int | None = None
        self._done = threading.Event()

    def __enter__(self) -> Progress:
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                number = getattr(signal, name)
                # Python's own answer to SIGTERM is a sudden end, which would leave the file.
                self._handlers[number] = signal.signal(number, _leave)
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for number, handler in self._handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._close()
        if isinstance(error, SystemExit) and self._path:
            # Nobody is left who would remove it.
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def note(self, event: dict[str, Any]) -> None:
        """Write down an event of the agent."""
        line = _line(event)
        if line is None or self._path is None:
            return
        try:
            if self._file is None:
                # A directory that all may write to: never follow what somebody else has laid there.
                self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(self._file, json.dumps({"at": time.monotonic(), **line}).encode("ascii") + b"\n")
        except OSError:
            # A full disk must not end the work: it goes on unseen.
            self._close()
            self._path = None

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _watch(self) -> None:
        """End the module, and with it the agent, once whoever would read its answer is gone."""
        if not hasattr(select, "poll"):
            return
        poll = select.poll()
        # Asking for nothing still tells of the other end's end.
        poll.register(sys.__stdout__.fileno() if sys.__stdout__ else 1, 0)
        while not self._done.is_set():
            for _number, happened in poll.poll(500):
                if happened & (select.POLLERR | select.POLLHUP) and not self._done.is_set():
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                return


def _line(event: dict[str, Any]) -> dict[str, Any] | None:
    """What the controller gets of an event."""
    name = event.get("event")
    if name == "work":
        # Nothing to do makes no file, so that the controller has none to remove.
        return {"of": event["of"]} if event["of"] else None
    if name == "begun":
        return {"begun": event.get("schema") or event.get("tenant")}
    if name in ("schema", "tenant"):
        return {"ended": event[name], "failed": event["failed"], "seconds": event.get("seconds")}
    return None


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
