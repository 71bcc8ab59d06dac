# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A scratch database where the real one is an SQLite file: a copy of that file, in a directory that only we may enter."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Iterator

from .scratch import Scratch
from .scratch_names import number_in, scratch_name

if TYPE_CHECKING:
    from .loading import Context


@contextmanager
def scratch_in_a_file(context: Context) -> Iterator[Scratch]:
    """See :func:`scratch.scratch_database`. All rows are copied, since the file is."""
    real = os.path.realpath(str(context.connection.settings_dict["NAME"]))
    _remove_leftovers(real)
    with ExitStack() as stack:
        directory = _new_directory(context, stack, real)
        path = os.path.join(directory, "scratch.sqlite3")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy = sqlite3.connect(path)
        try:
            context.connection.ensure_connection()
            context.connection.connection.backup(copy)
        finally:
            copy.close()
        yield Scratch(path, context.connection.settings_dict)


def _new_directory(context: Context, stack: ExitStack, real: str) -> str:
    """A directory that is removed when the stack unwinds, locked until then: the lock ends with us and what we fork."""
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(directory, ignore_errors=True)

    directory = os.path.join(tempfile.gettempdir(), scratch_name(real, secrets.randbits(32)))
    stack.enter_context(context.wire.at_a_stop(remove))
    stack.callback(remove)
    os.mkdir(directory, 0o700)
    lock = os.open(directory, os.O_RDONLY)
    stack.callback(os.close, lock)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not os.path.isdir(directory):
        # Another run took it for a left-over, in the moment between.
        return _new_directory(context, stack, real)
    return directory


def _remove_leftovers(real: str) -> None:
    """Remove what killed runs left of scratch databases of this file."""
    for entry in os.scandir(tempfile.gettempdir()):
        if number_in(entry.name, real) is None or not entry.is_dir(follow_symlinks=False):
            continue
        if entry.stat(follow_symlinks=False).st_uid != os.geteuid():
            continue
        try:
            lock = os.open(entry.path, os.O_RDONLY)
        except OSError:
            # Gone meanwhile.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(entry.path, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
