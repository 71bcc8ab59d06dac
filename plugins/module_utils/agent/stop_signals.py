# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Signals that would end the process at once, heeded at once as well, but in order."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import Callable, Iterator

_NUMBERS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def heeded(act: Callable[[int], None]) -> Iterator[None]:
    """Inside, such a signal calls ``act`` with its number, in a thread of its own. A forked process has the default again.

    Outside the main thread nothing can be set, and nothing is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner, inside = os.getpid(), threading.Event()
    # Through a pipe: Python's own handlers wait until the driver comes back from the server.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def listen() -> None:
        for data in iter(lambda: os.read(reading, 1), b""):
            if data[0] in _NUMBERS:
                act(data[0])
        os.close(reading)

    def forget() -> None:
        if inside.is_set():
            signal.set_wakeup_fd(-1)
            for number in _NUMBERS:
                signal.signal(number, signal.SIG_DFL)

    os.register_at_fork(after_in_child=forget)
    threading.Thread(target=listen, daemon=True).start()
    inside.set()
    handlers = {number: signal.signal(number, lambda number, frame: None) for number in _NUMBERS}
    descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    finally:
        if os.getpid() == owner:
            signal.set_wakeup_fd(descriptor)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            inside.clear()
            os.close(writing)
