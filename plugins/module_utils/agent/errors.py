# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the agent refuses, each with a sentence, and with where and how to go on."""

from __future__ import annotations


class AgentError(Exception):
    """A request that can't be done as the project or its database stands.

    :param kind: ``project`` (it does not load), ``database`` (it can't be used), ``options`` (what was asked
        does not fit the models), ``refused`` (it would do harm), ``timeout``.
    :param details: further return values of the failed task, for example ``hint`` or ``errors``.
    """

    def __init__(self, kind: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.kind = kind
        self.details = details

    def as_reply(self) -> dict[str, object]:
        return {"kind": self.kind, "message": str(self), **self.details}


class TenancyProblem(AgentError):
    """The settings and models don't make one of the two tenancies."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__("project", message, **details)


class LoadProblem(TenancyProblem):
    """The project's own code fails while its settings or apps are loaded.

    :param place: the file and the line of the project's code where it fails, where one is known.
    """

    def __init__(self, message: str, place: str | None = None, **details: object) -> None:
        super().__init__(message, **details)
        self.place = place


class OptionProblem(AgentError):
    """What was asked does not fit the project's models."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__("options", message, **details)


class Refusal(AgentError):
    """What was asked would lose something, or leave something half done."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__("refused", message, **details)


class DatabaseProblem(AgentError):
    """The database can't be reached, or does not allow what is needed."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__("database", message, **details)
