# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Start the agent under the project's Python, hand it a request, and bring back its reply.

The agent is started as ``python -c 'exec(input())'``. Its code and the request are two lines on its
standard input, which then stays open: the agent stops when it closes. Nothing is written on the other side,
nothing secret stands on a command line, and size has no limit.
"""

from __future__ import annotations

import collections
import json
import os
import pkgutil
import shlex
import signal
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from . import agent
from ._errors import AgentError, ProjectError
from ._secrets import redacted, redacted_texts, without_credentials
from .agent import bootstrap, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from ._project import Project

# The agent keeps the time limit itself; this is how much longer the module waits for it to say so.
_GRACE_SECONDS = 15.0
_STDERR_LINES = 40
_STDERR_BYTES = 16 * 1024
_REASON_LENGTH = 500

# Named here because Ansible ships only the files that are imported.
_ALWAYS = (bootstrap, serve)

# One line, no secrets, nothing that a shell on the way would change but the quotes themselves.
_START = "exec(input())"
_FIRST_LINE = (
    "import sys,json;"
    "sys.version_info>=(3,8) or sys.exit('python 3.8 or newer is needed, this is '+sys.version.split()[0]);"
    "_r=json.loads(sys.stdin.readline());"
    "_b=type(sys)('tenancy_bootstrap');"
    "exec(compile(_r['sources']['bootstrap'],'<tenancy_agent.bootstrap>','exec'),_b.__dict__);"
    "_b.start(_r)"
)


def ask(
    project: Project,
    command: ModuleType,
    options: dict[str, object],
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Run a command of the agent in the project and return its reply.

    :param command: the module of the agent package whose ``run(context, options)`` is the command.
        It is handed over as a module so that Ansible sees the import and ships the file.
    :param options: the command's options, JSON types only.
    :param on_event: called with each event of the agent, in the order in which they arrive.
    :raises AgentError: the agent could not be started, ended without a reply, or was silent past its time limit.
    :raises ProjectError: the agent's own error: the project, its settings or its database are not fit.
    """
    request = {
        "sources": _sources(),
        "command": command.__name__.rpartition(".")[2],
        "project": project.as_request(),
        "options": options,
    }
    talk = _Conversation(project, on_event or (lambda event: None))
    return talk.run(json.dumps(request))


def _sources() -> dict[str, str]:
    """The agent's modules that travelled with this module, by their name below the package, as text.

    Read through the loader: inside Ansible's payload the package lies in a zip file.
    """
    return {name: text for path in agent.__path__ for name, text in _sources_in(path, "")}


def _sources_in(path: str, package: str) -> Iterator[tuple[str, str]]:
    """The modules in a directory of the agent, and in those below it: name (``package.module``) and text."""
    for entry in pkgutil.iter_modules([path]):
        name = package + entry.name
        file = name.replace(".", "/") + ("/__init__.py" if entry.ispkg else ".py")
        data = pkgutil.get_data(agent.__name__, file)
        if data is not None:
            yield name, data.decode("utf-8")
        if entry.ispkg:
            yield from _sources_in(os.path.join(path, entry.name), name + ".")


class _Conversation:
    """One run of the agent: its process, what it said, and what it left on stderr."""

    def __init__(self, project: Project, on_event: Callable[[dict[str, Any]], None]) -> None:
        self.project = project
        self.on_event = on_event
        self.secrets: set[str] = set(project.secrets)
        self.stderr: collections.deque[bytes] = collections.deque(maxlen=_STDERR_LINES)
        self.phase = "starting the interpreter"
        self.begun = False
        self.answer: dict[str, Any] | None = None

    def run(self, payload: str) -> dict[str, Any]:
        process = self._start()
        timer = threading.Timer(self._limit(), _kill, [process]) if self.project.timeout else None
        reader = threading.Thread(target=self._keep_stderr, args=[process.stderr], daemon=True)
        writer = threading.Thread(target=_write, args=[process.stdin, payload], daemon=True)
        started = time.monotonic()
        try:
            if timer:
                timer.daemon = True
                timer.start()
            reader.start()
            writer.start()
            self._listen(process.stdout)
            if self.answer is None:
                process.wait()
        finally:
            if timer:
                timer.cancel()
            self._end(process, writer, reader)
        if self.answer is None:
            raise self._no_reply(process, time.monotonic() - started)
        if "error" in self.answer:
            error = self._shown(self.answer["error"])
            raise self._project_error(error if isinstance(error, dict) else {"message": str(error)})
        return redacted_texts(self.answer["reply"], self.secrets)  # type: ignore[return-value]

    def _shown(self, value: object) -> object:
        return without_credentials(redacted(value, self.secrets))

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            # A session of its own, so that a time-out can end the prefix and all that it started.
            return subprocess.Popen(
                [*self.project.command, "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise AgentError(
                f"{self.project.command[0]} can't be started: {error.strerror}.",
                hint="python: names the interpreter, or the first word of a command prefix.",
            ) from None

    def _limit(self) -> float:
        return self.project.timeout + _GRACE_SECONDS

    def _listen(self, stdout: IO[bytes] | None) -> None:
        if stdout is None:
            return
        for line in stdout:
            try:
                message = json.loads(line)
            except ValueError:
                # A command prefix may greet on stdout; the agent itself writes JSON only.
                self.stderr.append(line[:_STDERR_BYTES])
                continue
            if not isinstance(message, dict):
                continue
            self.begun = self.begun or "event" in message
            if "reply" in message or "error" in message:
                self.answer = message
                return
            if message.get("event") == "secrets":
                self.secrets.update(message["values"])
            elif message.get("event") == "phase":
                self.phase = message["doing"]
            else:
                self.on_event(message)

    def _keep_stderr(self, stderr: IO[bytes] | None) -> None:
        if stderr is None:
            return
        for chunk in iter(lambda: stderr.readline(_STDERR_BYTES), b""):
            self.stderr.append(chunk)

    def _end(self, process: subprocess.Popen[bytes], writer: threading.Thread, reader: threading.Thread) -> None:
        """Close the agent's stdin, which ends it, and see to it that it has ended."""
        writer.join(timeout=1)
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass
        try:
            process.wait(timeout=_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.wait()
        reader.join(timeout=1)

    def _tail(self) -> str:
        # Redacted as a whole: a secret may span two pieces. What was cut off goes with the line it stood in.
        pieces, torn = list(self.stderr), False
        if len(pieces) == self.stderr.maxlen:
            ends = [number for number, piece in enumerate(pieces) if piece.endswith(b"\n")]
            torn = not ends
            pieces = pieces[ends[0] + 1 :] if ends else pieces
        text = str(self._shown(b"".join(pieces).decode("utf-8", "replace")))
        if torn:
            # It begins within a line, so perhaps within a secret, which is then shown from its middle on.
            text = text[max(map(len, self.secrets), default=0) :]
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        return "\n".join(lines)[-_STDERR_BYTES:]

    def _no_reply(self, process: subprocess.Popen[bytes], seconds: float) -> AgentError:
        command = str(self._shown(shlex.join(self.project.command)))
        if self.project.timeout and seconds >= self._limit():
            return AgentError(
                f"No answer within {self.project.timeout} s while {self.phase}; it was ended.",
                hint="Raise timeout:, or see what holds it up.",
                stderr=self._tail(),
            )
        status = process.returncode
        how = f"exit status {status}" if status >= 0 else f"signal {-status}"
        tail = self._tail()
        last = (tail.splitlines()[-1:] or ["nothing on stderr"])[0][:_REASON_LENGTH]
        if self.begun:
            hint = (
                "The project's own code ended the process (os._exit, a crash in an extension), or somebody killed it: "
                "signal 9 or exit status 137 may mean that memory ran out."
            )
        else:
            hint = "python: has to start a Python 3.8 or newer that keeps standard input open (docker exec -i, kubectl exec -i)."
        return AgentError(
            f"{command} ended with {how} and without a reply while {self.phase}: {last}", hint=hint, stderr=tail
        )

    def _project_error(self, error: dict[str, Any]) -> ProjectError:
        details = {key: value for key, value in error.items() if key not in ("message", "kind") and value}
        if error.get("kind") in ("project", "timeout"):
            tail = self._tail()
            if tail:
                details["stderr"] = tail
        return ProjectError(str(error["message"]), **details)


def _write(stdin: IO[bytes] | None, payload: str) -> None:
    if stdin is None:
        return
    try:
        stdin.write(_FIRST_LINE.encode("ascii") + b"\n" + payload.encode("ascii") + b"\n")
        stdin.flush()
    except OSError:
        # It ended before it had read all; its exit status and stderr tell why.
        pass


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        process.kill()
