# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A Django project on a managed node: where it is, and with which Python and environment it runs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._environment_file import environment_of
from ._errors import OptionError
from ._secrets import mask_only, masked, secrets_of
from .agent.secrecy import secret_values

if TYPE_CHECKING:
    from collections.abc import Mapping

# The options of the doc fragment meatscentral.tenancy.project.
PROJECT_ARGUMENTS: dict[str, dict[str, object]] = {
    "project": {"type": "path", "required": True},
    "python": {"type": "raw", "required": True},
    "settings": {"type": "str"},
    "environment": {"type": "dict", "no_log": True, "default": {}},
    "environment_file": {"type": "list", "elements": "path", "default": []},
    "database": {"type": "str"},
    "timeout": {"type": "int", "default": 3600},
    "session_role": {"type": "str"},
    "tenant_model": {"type": "str"},
    "domain_model": {"type": "str"},
}


@dataclass(frozen=True)
class Project:
    """What the agent needs to know of a project, as the task's options give it."""

    directory: str
    command: list[str]
    settings: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    database: str | None = None
    timeout: int = 3600
    session_role: str | None = None
    tenant_model: str | None = None
    domain_model: str | None = None

    @property
    def secrets(self) -> set[str]:
        return secrets_of(self.environment)

    @property
    def sure_secrets(self) -> set[str]:
        return secret_values(self.environment)

    def as_request(self) -> dict[str, object]:
        """The part of a request that tells the agent of the project (JSON types only)."""
        return {
            "directory": self.directory,
            "settings": self.settings,
            "environment": self.environment,
            "database": self.database,
            "timeout": self.timeout,
            "session_role": self.session_role,
            "tenant_model": self.tenant_model,
            "domain_model": self.domain_model,
        }


def project_of(module: Any) -> Project:
    """The project that a module's options describe. From here on the module's output shows no secret of its environment.

    :raises OptionError: see :func:`project_from`.
    """
    params = dict(module.params)
    given = params["environment"] if isinstance(params["environment"], dict) else {}
    # Before anything can be refused, with a message that masks what it should and no more.
    mask_only(module, secret_values({str(name): str(value) for name, value in given.items()}))
    module.params["environment"] = masked(given)
    project = project_from(params)
    openly = " ".join(_strings({name: value for name, value in params.items() if name != "environment"}))
    # What the task shows itself can't be hidden any more, and masking it would only spoil the names in the result.
    mask_only(module, {secret for secret in project.sure_secrets if secret not in openly})
    return project


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def project_from(params: Mapping[str, object]) -> Project:
    """The project that the options of a task describe.

    :param params: the module's parameters, as :data:`PROJECT_ARGUMENTS` types them.
    :raises OptionError: an interpreter or an environment file that is not there.
    """
    environment: dict[str, str] = {}
    for path in _list(params["environment_file"]):
        environment.update(_read_environment(path))
    given = params["environment"]
    if isinstance(given, dict):
        environment.update({str(name): _text(str(name), value) for name, value in given.items()})
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name:
            raise OptionError(f"environment: {name!r} can't be the name of a variable.")
        if "\0" in value:
            raise OptionError(f"environment: the value of {name} holds a NUL character, which no variable can.")
    timeout = params["timeout"]
    if not isinstance(timeout, int) or timeout < 0:
        raise OptionError("timeout: give a number of seconds, or 0 for no limit.")
    return Project(
        directory=str(params["project"]),
        command=interpreter(params["python"]),
        settings=_optional(params["settings"]),
        environment=environment,
        database=_optional(params["database"]),
        timeout=timeout,
        session_role=_optional(params["session_role"]),
        tenant_model=_optional(params["tenant_model"]),
        domain_model=_optional(params["domain_model"]),
    )


def interpreter(value: object) -> list[str]:
    """The command that starts the project's Python.

    A path is checked here, on the node; what a command prefix starts can only be seen by running it.

    :raises OptionError: neither a path nor a list of words, or nothing executable at that path.
    """
    if isinstance(value, (list, tuple)):
        words = [str(word) for word in value]
        if any("\0" in word for word in words):
            raise OptionError("python: a word of the command prefix holds a NUL character.")
        if not words or not words[0]:
            raise OptionError("python: the command prefix is empty.")
        return words
    path = os.path.expanduser(os.path.expandvars(str(value)))
    if not os.path.isabs(path):
        raise OptionError(
            f"python: {path!r} is not an absolute path.",
            hint="Give the path of the project's interpreter (for example /srv/app/venv/bin/python), "
            "or a list of words where a command has to start it (for example [docker, exec, -i, backend, python]).",
        )
    if not os.path.exists(path):
        raise OptionError(
            f"python: there is no interpreter at {path}.",
            hint="Give the path of the Python that the project runs with.",
        )
    if os.path.isdir(path) or not os.access(path, os.X_OK):
        raise OptionError(f"python: {path} is not an executable file.")
    return [path]


def _read_environment(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        raise OptionError(f"environment_file: {path} is not UTF-8 text.") from None
    except OSError as error:
        raise OptionError(f"environment_file: {path} can't be read: {error.strerror}.") from None
    return environment_of(text, path)


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else []


def _text(name: str, value: object) -> str:
    if isinstance(value, (dict, list)):
        raise OptionError(
            f"environment: the value of {name} is a {'mapping' if isinstance(value, dict) else 'list'}, not a text.",
            hint="Where the project reads JSON from it, write it with the filter to_json.",
        )
    # YAML turns an unquoted yes into a boolean; environments know text only.
    return "" if value is None else str(value)


def _optional(value: object) -> str | None:
    return str(value) if value else None
