# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Load the project: its directory, its settings, its apps, its database; each failure told apart and named."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator

from .blame import place_of
from .errors import AgentError, LoadProblem, TenancyProblem
from .secrecy import secret_values

if TYPE_CHECKING:
    from .tenancy import Tenancy
    from .wire import Wire

_TRACEBACK_LINES = 12
_REASON_LENGTH = 500
_TRACEBACK_LENGTH = 4000
_MANAGE_SETTINGS = re.compile(r"""["']DJANGO_SETTINGS_MODULE["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']""")


@dataclass
class Context:
    """A loaded project with an open database connection: what every command works in."""

    wire: Wire
    tenancy: Tenancy
    connection: Any

    @property
    def alias(self) -> str:
        return self.tenancy.database

    @functools.cached_property
    def pooled(self) -> bool:
        """Whether a pooler in transaction mode stands between, which loses what is set for a session."""
        from .guards import through_transaction_pooler

        return through_transaction_pooler(self)

    @contextmanager
    def own_session(self) -> Iterator[None]:
        """What is set for the session holds inside: behind such a pooler, since all is one transaction."""
        from django.db import transaction

        if not self.tenancy.by_schema or not self.pooled:
            yield
            return
        with transaction.atomic(using=self.alias):
            yield
            with self.connection.connection.cursor() as cursor:
                # The server process goes to somebody else next.
                cursor.execute("RESET search_path")

    def close(self) -> None:
        from django.db import connections

        connections.close_all()


def load(wire: Wire, project: dict[str, Any], writes: bool) -> Context:
    """Load the project and connect to its database.

    :param project: ``directory``, ``settings``, ``environment``, ``database``, ``session_role``,
        ``tenant_model``, ``domain_model``.
    :param writes: whether the request may write; a database file that is not there is not made by one that only reads.
    :raises AgentError: what does not load, with the last lines of the project's own traceback,
        or what makes the database unusable.
    """
    load_apps(wire, project)
    return connect_tenancy(wire, project, writes)


def load_apps(wire: Wire, project: dict[str, Any]) -> None:
    """Take on the project's environment, and load its settings and apps.

    :raises AgentError: what does not load, with the last lines of the project's own traceback.
    """
    os.environ.update(project["environment"])
    # The far side may have an environment of its own, with secrets that no task knows.
    wire.event("secrets", values=sorted(secret_values(os.environ)))
    # Settings and apps may look for the command they run under.
    sys.argv = ["manage.py", "migrate"]
    _enter(project["directory"])
    settings = _settings_module(project)
    _load_django(wire, project["directory"], settings, project["session_role"])


def connect_tenancy(wire: Wire, project: dict[str, Any], writes: bool) -> Context:
    """See which tenancy the loaded project uses, and connect to its database.

    :raises AgentError: half a tenancy, or what makes the database unusable.
    """
    from .database import connect
    from .tenancy import detect

    wire.doing("looking for the tenant model")
    tenancy = detect(project["database"], project["tenant_model"], project["domain_model"])
    wire.doing(f"connecting to the database (alias {tenancy.database})")
    connection = connect(tenancy.database, writes)
    return Context(wire, tenancy, connection)


def _enter(directory: str) -> None:
    if not os.path.isdir(directory):
        what = "is not a directory" if os.path.exists(directory) else "does not exist"
        raise TenancyProblem(
            f"project: {directory} {what} where the project's Python runs.",
            hint="Give the directory that holds manage.py, as the interpreter sees it (inside the container, if it runs in one).",
        )
    try:
        os.chdir(directory)
    except OSError as error:
        raise TenancyProblem(f"project: {directory} can't be entered: {error.strerror}.") from None
    # As manage.py would find it: the project first, and what PYTHONPATH adds, which came too late for the interpreter.
    sys.path[:] = [entry for entry in sys.path if entry]
    extra = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry and entry not in sys.path]
    sys.path[:0] = [os.getcwd(), *extra]


def _settings_module(project: dict[str, Any]) -> str:
    """The settings module: the option, else the environment, else what manage.py would take."""
    settings = project["settings"] or os.environ.get("DJANGO_SETTINGS_MODULE")
    if not settings and os.path.isfile("manage.py"):
        with open("manage.py", encoding="utf-8", errors="replace") as file:
            match = _MANAGE_SETTINGS.search(file.read())
        settings = match.group(1) if match else None
    if not settings:
        lacking = "manage.py names no settings module" if os.path.isfile("manage.py") else "there is no manage.py"
        raise TenancyProblem(
            f"project: {project['directory']} does not say which settings to use ({lacking}).",
            hint="Give settings: (for example config.settings), or DJANGO_SETTINGS_MODULE in environment:.",
        )
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    return str(settings)


def _load_django(wire: Wire, directory: str, settings: str, session_role: str | None) -> None:
    wire.doing("importing Django")
    try:
        import django
    except ImportError as error:
        raise TenancyProblem(
            f"The interpreter {sys.executable} has no Django ({error}).",
            hint="python: has to be the interpreter that the project runs with, usually the one of its virtual environment.",
        ) from None
    wire.doing(f"importing the settings {settings}")
    try:
        importlib.import_module(settings)
    except ModuleNotFoundError as error:
        if error.name and (settings + ".").startswith(error.name + "."):
            manage = "" if os.path.isfile("manage.py") else " (there is no manage.py there either)"
            raise TenancyProblem(
                f"settings: there is no module {settings} in {directory}{manage}: {error}.",
                hint="settings: is a dotted name as Python imports it from the project's directory.",
            ) from None
        raise _does_not_load(f"settings: {settings} can't be imported", error) from None
    except BaseException as error:
        raise _does_not_load(f"settings: {settings} can't be imported", error) from None

    wire.doing(f"loading the apps of {settings}")
    try:
        from .database import assume_role, follow

        _tell_secrets(wire)
        follow(wire)
        if session_role:
            assume_role(session_role)
        django.setup()
    except BaseException as error:
        raise _setup_problem(settings, error) from None


def _setup_problem(settings: str, error: BaseException) -> AgentError:
    """Apps may ask the database while they load (django-tenants checks PG_EXTRA_SEARCH_PATHS then)."""
    from django.db import InterfaceError, OperationalError

    from .database import unreachable

    if isinstance(error, AgentError):
        return error
    if isinstance(error, (InterfaceError, OperationalError)):
        return unreachable(error)
    return _does_not_load(f"The apps of {settings} can't be loaded", error)


def _does_not_load(what: str, error: BaseException) -> LoadProblem:
    """The project's own error, with the last lines of its traceback."""
    return LoadProblem(
        f"{what}: {reason(error)}",
        place=place_of(error),
        traceback=own_traceback(error),
        hint="The same error should show with 'manage.py check', run with this python, settings and environment.",
    )


def reason(error: BaseException) -> str:
    """An exception of the project, as the end of a sentence."""
    if isinstance(error, SystemExit):
        return f"the project called sys.exit({error.code!r})"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__} in {error.filename}, line {error.lineno}: {error.msg}"
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= _REASON_LENGTH else text[:_REASON_LENGTH] + " …"


def own_traceback(error: BaseException) -> str:
    """The last lines of a traceback, without our frames and those of the import machinery."""
    shown = traceback.TracebackException.from_exception(error)
    link: traceback.TracebackException | None = shown
    while link is not None:
        link.stack = traceback.StackSummary.from_list([frame for frame in link.stack if not _machinery(frame.filename)])
        link = link.__cause__ or link.__context__
    lines = "".join(shown.format()).splitlines()
    return "\n".join(lines[-_TRACEBACK_LINES:])[-_TRACEBACK_LENGTH:]


def _machinery(filename: str) -> bool:
    return (
        filename.startswith(("tenancy_agent/", "<tenancy_agent", "<frozen importlib", "<string>"))
        or filename == importlib.__file__
    )


def _tell_secrets(wire: Wire) -> None:
    """Let the module know what must not be shown: it masks them in errors and in what the project printed."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    values = set()
    for name in dir(settings):
        if name.isupper():
            try:
                value = getattr(settings, name)
            except ImproperlyConfigured:
                # An empty SECRET_KEY: migrating does not need one.
                continue
            if isinstance(value, str):
                values |= secret_values({name: value})
    for database in settings.DATABASES.values():
        options = database.get("OPTIONS") or {}
        shown = {str(database.get(name)) for name in ("USER", "NAME", "HOST")}
        passwords = {
            str(item) for item in (database.get("PASSWORD"), options.get("password"), options.get("passwd")) if item
        }
        # Masked where it is also a name, it would tell just that.
        values |= passwords - shown
    wire.event("secrets", values=sorted(values))
