# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What can go wrong on the module's side: one root exception, few children."""

from __future__ import annotations


class TenancyError(Exception):
    """Something a person has to change before the task can succeed.

    The message is a sentence that names what is wrong. ``details`` are further
    return values for the failed task (for example ``hint`` or ``stderr``).
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class OptionError(TenancyError):
    """An option of the task has a value that can't be used."""


class AgentError(TenancyError):
    """The agent could not be started, or ended without a reply."""


class ProjectError(TenancyError):
    """The agent answered that the project or its database is not fit for the request."""
