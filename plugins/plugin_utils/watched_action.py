# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action that runs its module as Ansible itself does, and meanwhile shows what the module writes down of its progress.

The module runs in the foreground, so that its result, its time limits and its end are what they would be without this; a second
command on the same connection reads the file. A run that has nothing to tell costs nothing more.
"""

from __future__ import annotations

import contextvars
import copy
import secrets
import shlex
import threading
import time
from typing import Any

from ansible import constants
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.meatscentral.tenancy.plugins.module_utils._progress import VARIABLE
from ansible_collections.meatscentral.tenancy.plugins.plugin_utils.progress import Progress

display = Display()

_EVERY_SECONDS = 1.0
# A run that stands still is said to be alive, less and less often.
_STILL_SECONDS = 10.0
_LAST_SECONDS = 5.0


class WatchedAction(NormalAction):
    """``ansible.builtin.normal`` with a watcher beside it."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if not self.is_watched():
            return super().run(tmp, task_vars)  # type: ignore[no-any-return]
        watcher = _Watcher(self, (task_vars or {}).get("inventory_hostname", ""))
        variable = {VARIABLE: watcher.path}
        self._task.environment = [*(self._task.environment or []), variable]
        watcher.start()
        # Where nothing was to be done there is no file.
        left = True
        try:
            result = super().run(tmp, task_vars)
            left = bool(result.get("changed") or result.get("failed"))
        finally:
            watcher.stop(left)
            self._task.environment = [item for item in self._task.environment if item is not variable]
        return result  # type: ignore[no-any-return]

    def is_watched(self) -> bool:
        """Not in check mode, where nothing is done; not under the user's own async, where nobody waits; not where nothing is to be shown."""
        return (
            boolean(self._task.args.get("progress", True), strict=False)
            and not self._task.async_val
            and not self._task.check_mode
            and not self._task.no_log
        )


class _Watcher:
    """Reads the module's file over the module's connection, at first in a second's time, and shows what is new."""

    def __init__(self, action: WatchedAction, host: str) -> None:
        # By its own name, whoever the module runs as; nobody can guess it, and the module makes it or does without.
        self.path = f"/tmp/.ansible-tenancy-{secrets.token_hex(12)}"  # noqa: S108
        self.host = host
        self.progress = Progress()
        self.seen = False
        self._shown = 0.0
        self._reader = _beside(action)
        self._stopped = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=[self._watch], daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, left: bool) -> None:
        """Show what is still unseen, and remove the file if there may be one."""
        self._stopped.set()
        self._thread.join(_LAST_SECONDS)
        if self._thread.is_alive() or not (left or self.progress.lines):
            return
        self._read(f"; rm -f {shlex.quote(self.path)}")

    def _watch(self) -> None:
        pause = _EVERY_SECONDS
        while not self._stopped.wait(pause):
            began = time.monotonic()
            if not self._read():
                return
            self._show()
            pause = max(0.0, _EVERY_SECONDS - (time.monotonic() - began))

    def _read(self, then: str = "") -> bool:
        """Take in what is new in the file.

        :param then: what else the command does.
        """
        before = time.monotonic()
        command = f"tail -n +{self.progress.lines + 1} {shlex.quote(self.path)} 2>/dev/null{then}"
        try:
            answer = self._reader._low_level_execute_command(command)
        except Exception as error:
            # The module's own command will tell what is wrong with the connection; this one only looks on.
            display.vvv(f"progress can't be read: {error}", host=self.host)
            return False
        for ended in self.progress.read(answer["stdout"], before):
            display.v(str(ended), host=self.host)
            self._shown = 0.0
        return True

    def _show(self) -> None:
        now = time.monotonic()
        sentence = self.progress.sentence(now)
        if sentence and now - self._shown >= _STILL_SECONDS:
            self._shown = now
            display.display(f"[{self.host}] {sentence}", stderr=_output_is_for_machines())


def _beside(action: WatchedAction) -> WatchedAction:
    """The same action with a connection and a become plugin of its own, which keep state while a command runs."""
    reader = copy.copy(action)
    reader._connection = copy.copy(action._connection)
    if reader._connection.become:
        reader._connection.set_become_plugin(copy.copy(reader._connection.become))
    return reader


def _output_is_for_machines() -> bool:
    """Whether what is on standard output is one JSON document, or several."""
    callback = str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK"))
    return callback.rpartition(".")[2].startswith("json")
