# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent with a command of the test's own, in a real project, as a module would start it."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

from ansible_collections.meatscentral.tenancy.plugins.module_utils import _agent

from . import checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .samples import Sample


class Agent:
    """A running agent: what it says, line by line, and ways to end it."""

    def __init__(
        self,
        sample: Sample,
        command: str,
        options: dict[str, Any] | None = None,
        timeout: int = 0,
        session_role: str | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        """
        :param command: the text of a module of the agent's package, with ``run(context, options)``.
        """
        request = {
            "sources": {**_agent._sources(), "trial": command},
            "command": "trial",
            "project": {
                "directory": str(sample.directory),
                "settings": sample.settings,
                "environment": sample.environment,
                "database": None,
                "session_role": session_role,
                "tenant_model": None,
                "domain_model": None,
                "timeout": timeout,
            },
            "options": {"check": False, **(options or {})},
        }
        self.process = subprocess.Popen(
            [sample.python, "-c", _agent._START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=checkout.environment(**(env or {})),
            encoding="utf-8",
            start_new_session=True,
        )
        assert self.process.stdin
        self.process.stdin.write(_agent._FIRST_LINE + "\n" + json.dumps(request) + "\n")
        self.process.stdin.flush()

    def said(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.strip():
                yield json.loads(line)

    def event(self, name: str) -> dict[str, Any]:
        """The next event of this name."""
        for message in self.said():
            if message.get("event") == name:
                return message
            assert "event" in message, message
        raise AssertionError(f"the agent ended without the event {name}")

    def answer(self) -> dict[str, Any]:
        """Its last line: ``reply`` or ``error``."""
        found: dict[str, Any] = next(message for message in self.said() if "event" not in message)
        self.process.wait(timeout=30)
        return found

    def reply(self) -> dict[str, Any]:
        answer = self.answer()
        assert "reply" in answer, answer
        reply: dict[str, Any] = answer["reply"]
        return reply

    def close_stdin(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
