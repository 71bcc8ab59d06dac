# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The structure of some schemas as pg_dump writes it, where there is one that knows the server's version."""

from __future__ import annotations

import glob
import os
import re
import subprocess
from typing import Any, Mapping, Sequence

from .blueprint import Blueprint, Statement, Statements

_SECONDS = 120
_LOCK_SECONDS = 5
_INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")

# Each entry begins with such a comment; names in it have no line ends.
_ENTRY = re.compile(r"^--\n-- Name: .*; Type: ([A-Z ]+); Schema: (.*); Owner: .*\n--\n", re.MULTILINE)
# Commands of psql, in which newer versions wrap the script.
_META_COMMAND = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)
# What comes after the rows.
_AFTER = frozenset(
    [
        "CHECK CONSTRAINT",
        "CONSTRAINT",
        "FK CONSTRAINT",
        "INDEX",
        "INDEX ATTACH",
        "POLICY",
        "ROW SECURITY",
        "RULE",
        "STATISTICS",
        "TRIGGER",
    ]
)
# A foreign table wants a server, which is of no schema, and leads out of the scratch database.
_LEFT_OUT = "FOREIGN TABLE"

# What any version of libpq knows. Others say how to connect better, not where to.
_KEYWORDS = frozenset(
    [
        "channel_binding",
        "connect_timeout",
        "dbname",
        "gssencmode",
        "host",
        "hostaddr",
        "options",
        "passfile",
        "port",
        "service",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
        "user",
    ]
)


class DumpFailed(Exception):
    """pg_dump did not do it; the message is what it said."""


def find_program(server_major: int) -> str | None:
    """A pg_dump of the server's major version, else the next newer one: an older one refuses."""
    found: dict[int, str] = {}
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for pattern in _INSTALLED:
        directories += sorted(glob.glob(pattern))
    for path in dict.fromkeys(os.path.realpath(os.path.join(place, "pg_dump")) for place in directories if place):
        major = _major(path)
        if major is not None:
            found.setdefault(major, path)
        if major == server_major:
            break
    fitting = [major for major in found if major >= server_major]
    return found[min(fitting)] if fitting else None


def _major(path: str) -> int | None:
    if not os.access(path, os.X_OK):
        return None
    try:
        done = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    return int(match[1]) if match else None


def dump(program: str, raw: Any, role: str | None, schemas: Sequence[str]) -> str:
    """What pg_dump writes of these schemas.

    :param raw: an open connection, whose database, server and user are taken.
    :raises DumpFailed: it ended with an error, or not in time.
    """
    command = [program, "--schema-only", "--no-owner", "--no-privileges", "--no-comments", "--no-publications"]
    command += ["--no-subscriptions", "--no-security-labels", "--no-tablespaces", "--encoding=UTF8"]
    command += [f"--lock-wait-timeout={_LOCK_SECONDS * 1000}", *([f"--role={role}"] if role else [])]
    for schema in schemas:
        # A pattern; within quotes every letter stands for itself.
        command += ["-n", '"' + schema.replace('"', '""') + '"']
    parameters = getattr(raw.info, "dsn_parameters", None) or raw.info.get_parameters()
    command += ["--dbname", conninfo(parameters)]
    environment = {**os.environ, "LC_ALL": "C"}
    if raw.info.password:
        environment["PGPASSWORD"] = raw.info.password
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DumpFailed(f"{program}: {error.strerror if isinstance(error, OSError) else 'not done in time'}") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DumpFailed(lines[0] if lines else f"{program} ended with status {done.returncode}")
    return done.stdout.decode("utf-8")


def conninfo(parameters: Mapping[str, str]) -> str:
    """How to connect, as one string, and without what is secret. Pure."""
    known = {key: str(value) for key, value in parameters.items() if key in _KEYWORDS}
    escaped = {key: value.replace("\\", "\\\\").replace("'", "\\'") for key, value in known.items()}
    return " ".join(f"{key}='{value}'" for key, value in escaped.items())


def parts(text: str) -> Blueprint:
    """A script of pg_dump as statements. Pure."""
    text = _META_COMMAND.sub("", text)
    entries = list(_ENTRY.finditer(text))
    ends = [entry.start() for entry in entries[1:]] + [len(text)]
    before: Statements = []
    after: Statements = []
    left_out = 0
    for entry, end in zip(entries, ends):
        if entry[1] == _LEFT_OUT:
            left_out += 1
        # The schemas are there already.
        elif entry[1] != "SCHEMA":
            target = after if after or entry[1] in _AFTER else before
            target.append(Statement(entry[2], text[entry.end() : end].strip()))
    return Blueprint(before, after, [f"{left_out} foreign tables"] if left_out else [])
