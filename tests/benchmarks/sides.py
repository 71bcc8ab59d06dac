# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sides that are compared: our modules and their agent, the peers as people run them, and a driver that does the least."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support import checkout

from . import server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.databases import Database

    from .project import Shape
    from .server import Bench

_MODULES = f"ansible_collections.{checkout.COLLECTION}.plugins.modules"


# Ours


def task_options(bench: Bench, database: Database, directory: Path, **options: Any) -> dict[str, Any]:
    return {
        "project": str(directory),
        "python": bench.python,
        "settings": "config.settings",
        "environment": {"DATABASE_URL": database.url},
        **options,
    }


def module(name: str, options: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Seconds and answer of a module, sent as Ansible sends it (one file with everything in it) and started as Ansible starts it."""
    payload = server.HOME / f"AnsiballZ_{name}.py"
    payload.write_bytes(_payload(name, options))
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, payload],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=checkout.environment(),
        check=False,
    )
    seconds = time.perf_counter() - started
    answer = json.loads(done.stdout)
    if answer.get("failed"):
        raise RuntimeError(f"{name}: {answer['msg']}\n{done.stderr}")
    return seconds, answer


def _payload(name: str, options: dict[str, Any]) -> bytes:
    """The file that Ansible would copy to a node."""
    from ansible.executor.module_common import modify_module
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    _load_plugins()
    built = modify_module(
        module_name=f"{_MODULES}.{name}",
        module_path=str(checkout.COLLECTIONS / f"{_MODULES}.{name}".replace(".", "/")) + ".py",
        module_args={**options, "_ansible_check_mode": False, "_ansible_diff": False},
        templar=Templar(DataLoader(), variables={}),
        task_vars={"ansible_python_interpreter": sys.executable},
        module_compression="ZIP_DEFLATED",
    )
    return built.b_module_data if hasattr(built, "b_module_data") else built[0]


@functools.cache
def _load_plugins() -> None:
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(checkout.COLLECTIONS)])


@dataclass
class AgentRun:
    """One run of the agent: its answer, and when it said what it was doing."""

    seconds: float = 0.0
    reply: Any = None
    # What it was doing, and from when on, in seconds since its start.
    phases: list[tuple[str, float]] = field(default_factory=list)
    # The most memory that it and its workers had together (PSS), if that was looked at.
    peak_mib: float = 0.0

    @property
    def working(self) -> float:
        """Seconds from when Django had been started; connecting is work."""
        begun = next(seconds for doing, seconds in self.phases if doing.startswith("connecting to the database"))
        return self.seconds - begun


_REQUEST = """
import json
import sys
from ansible_collections.{collection}.plugins.modules import {name} as module
from ansible_collections.{collection}.plugins.module_utils import _agent

def ask(project, command, options, *others, **more):
    request = {{"sources": _agent._sources(), "command": command.__name__.rpartition(".")[2]}}
    request.update(project=project.as_request(), options=options)
    json.dump({{"start": [*project.command, "-c", _agent._START], "first": _agent._FIRST_LINE, "request": request}}, sys.stdout)
    sys.exit()

module.ask = ask
module.main()
"""


def agent(name: str, options: dict[str, Any], watch_memory: bool = False) -> AgentRun:
    """The agent alone, from its start to its reply, with the request that the module makes of these options."""
    asked = subprocess.run(
        [sys.executable, "-c", _REQUEST.format(collection=checkout.COLLECTION, name=name)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
        capture_output=True,
        encoding="utf-8",
        env=checkout.environment(PYTHONPATH=str(checkout.COLLECTIONS)),
        check=False,
    )
    if asked.returncode:
        raise RuntimeError(f"{name}: {asked.stdout}\n{asked.stderr}")
    talk = json.loads(asked.stdout)
    run = AgentRun()
    with (server.HOME / "agent.stderr").open("w+b") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            talk["start"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env=checkout.environment(),
        )
        watch = MemoryWatch(process.pid) if watch_memory else None
        process.stdin.write(f"{talk['first']}\n{json.dumps(talk['request'])}\n".encode())
        process.stdin.flush()
        for line in process.stdout:
            now = time.perf_counter() - started
            message = json.loads(line) if line.strip() else {}
            if "reply" in message or "error" in message:
                run.seconds, run.reply = now, message.get("reply")
                break
            if message.get("event") == "phase":
                run.phases.append((message["doing"], now))
        if watch:
            run.peak_mib = watch.end()
        process.stdin.close()
        process.wait()
        if run.reply is None:
            log.seek(0)
            raise RuntimeError(f"{name}: {message}\n{log.read().decode()[-4000:]}")
    return run


class MemoryWatch:
    """Looks at the proportional set size of a session's processes, many times a second."""

    def __init__(self, session: int) -> None:
        self.session = session
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def end(self) -> float:
        self._ended.set()
        self._thread.join()
        return self.peak / 1024

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self.peak = max(self.peak, sum(map(_pss, self._processes())))

    def _processes(self) -> list[str]:
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    # After the name, which may hold anything: state, parent, group, session.
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.session:
                found.append(pid)
        return found


def _pss(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)
    except OSError:
        return 0


def migrate_by_module(bench: Bench, database: Database, directory: Path) -> tuple[float, dict[str, Any]]:
    return module("django_migrate_schemas", task_options(bench, database, directory))


def migrate_by_agent(bench: Bench, database: Database, directory: Path, watch_memory: bool = False) -> AgentRun:
    return agent("django_migrate_schemas", task_options(bench, database, directory), watch_memory)


def audit_by_agent(bench: Bench, database: Database, directory: Path) -> AgentRun:
    return agent("django_tenancy_check", task_options(bench, database, directory, fail_on="never"))


# The peers

PEERS = {
    "standard": (False, "standard"),
    "multiprocessing": (False, "multiprocessing"),
    "smart": (True, "standard"),
    "smart multiprocessing": (True, "multiprocessing"),
}


def migrate_by_peer(
    bench: Bench, database: Database, shape: Shape, release: str, peer: str
) -> tuple[float, subprocess.CompletedProcess[str]]:
    smart, executor = PEERS[peer]
    directory = bench.project(shape, release, smart)
    started = time.perf_counter()
    done = bench.manage(database, directory, "migrate_schemas", f"--executor={executor}")
    return time.perf_counter() - started, done


# The floor: the least that anybody could do, by a driver that knows everything beforehand.

_READ_ALL = """
import os

import django

django.setup()
from django.db import connection

with connection.cursor() as cursor:
    cursor.execute(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = 'django_migrations' AND c.relkind = 'r'"
    )
    schemas = [schema for schema, in cursor.fetchall()]
    digests = {}
    for start in range(0, len(schemas), 250):
        cursor.execute(" UNION ALL ".join(
            f"SELECT '{schema}', md5(string_agg(app || '.' || name, ',' ORDER BY app, name)) FROM {schema}.django_migrations"
            for schema in schemas[start:start + 250]
        ))
        digests.update(cursor.fetchall())
print(len(digests), len(set(digests.values())), flush=True)
# Its end is its answer, as it is the agent's: tidying up does not count.
os._exit(0)
"""


def read_all_recorders(bench: Bench, database: Database, directory: Path) -> tuple[float, int]:
    """``django.setup()`` and one read of all recorders, hashed in the server: seconds, and how many were read."""
    started = time.perf_counter()
    done = bench.run(database, directory, "-c", _READ_ALL)
    return time.perf_counter() - started, int(done.stdout.split()[-2])


_CAPTURE = """
import json
import sys

import django

django.setup()
from django.core.management import call_command
from django.db import connection

statements = []


def keep(execute, sql, params, many, context):
    text = sql if isinstance(sql, str) else sql.as_string(connection.connection)
    if text.lstrip().upper().startswith(("ALTER", "CREATE", "DROP", "COMMENT")) and not text.startswith("CREATE SCHEMA"):
        statements.append(text % tuple(map(connection.ops.quote_value, params)) if params else text)
    return execute(sql, params, many, context)


with connection.execute_wrapper(keep):
    exec(sys.argv[1])
with open(sys.argv[2], "w") as file:
    json.dump(statements, file)
"""


def captured(bench: Bench, database: Database, directory: Path, code: str) -> list[str]:
    """The DDL that Django sends while it runs some code."""
    target = server.HOME / "captured.json"
    bench.run(database, directory, "-c", _CAPTURE, code, str(target))
    statements: list[str] = json.loads(target.read_text(encoding="utf-8"))
    return statements


def apply_script(schema: str, statements: list[str], migrations: list[tuple[str, str]]) -> str:
    """One transaction in one message: the statements of pending migrations, and their records."""
    rows = ", ".join(f"('{app}', '{name}', now())" for app, name in migrations)
    return ";\n".join(
        [
            "BEGIN",
            f"SET LOCAL search_path = {schema}, public",
            *statements,
            f"INSERT INTO {schema}.django_migrations (app, name, applied) VALUES {rows}",
            "COMMIT",
        ]
    )


def rows_script(seed: Database) -> str:
    """The rows that migrating a new tenant leaves, copied from one that Django made; for its search_path."""
    dump = seed.dump(
        *("-n", server.SEED, "--data-only", "--no-owner", "--inserts", "--rows-per-insert=1000"),
        *("-t", f"{server.SEED}.django_migrations", "-t", f"{server.SEED}.django_content_type"),
        *("-t", f"{server.SEED}.auth_permission"),
    )
    lines = [
        line
        for line in dump.splitlines()
        if line and not line.startswith(("\\", "--", "SET ", "SELECT pg_catalog.set_config"))
    ]
    return "\n".join(lines).replace(f"{server.SEED}.", "")


def create_script(schema: str, statements: list[str], rows: str) -> str:
    """One transaction in one message: a tenant's row and domain, its schema, all its tables and what Django writes there."""
    client = f"INSERT INTO public.tenants_client (schema_name, name) VALUES ('{schema}', '{schema}') RETURNING id"
    domain = f"SELECT '{schema}.example', true, id FROM client"
    return ";\n".join(
        [
            "BEGIN",
            f"WITH client AS ({client}) INSERT INTO public.tenants_domain (domain, is_primary, tenant_id) {domain}",
            f"CREATE SCHEMA {schema}",
            f"SET LOCAL search_path = {schema}, public",
            *statements,
            rows,
            "COMMIT",
        ]
    )


_SAVE = """
import sys
import django

django.setup()
from tenants.models import Client, Domain

for schema in sys.argv[1:]:
    client = Client(schema_name=schema, name=schema)
    client.save(verbosity=0)
    Domain(domain=f"{schema}.example", tenant=client, is_primary=True).save()
"""

_CLONE = """
import sys
import django

django.setup()
from django_tenants.clone import CloneSchema
from tenants.models import Client, Domain

Client.auto_create_schema = False
base, *schemas = sys.argv[1:]
for schema in schemas:
    CloneSchema().clone_schema(base, schema)
    client = Client(schema_name=schema, name=schema)
    client.save(verbosity=0)
    Domain(domain=f"{schema}.example", tenant=client, is_primary=True).save()
"""


def create_by_save(bench: Bench, database: Database, directory: Path, schemas: list[str]) -> float:
    started = time.perf_counter()
    bench.run(database, directory, "-c", _SAVE, *schemas)
    return time.perf_counter() - started


def create_by_clone(bench: Bench, database: Database, directory: Path, base: str, schemas: list[str]) -> float:
    started = time.perf_counter()
    bench.run(database, directory, "-c", _CLONE, base, *schemas)
    return time.perf_counter() - started


def declared(schemas: list[str]) -> list[dict[str, Any]]:
    return [{"schema": schema, "defaults": {"name": schema}, "domains": [f"{schema}.example"]} for schema in schemas]


def create_by_module(
    bench: Bench, database: Database, directory: Path, schemas: list[str]
) -> tuple[float, dict[str, Any]]:
    return module("django_tenant", task_options(bench, database, directory, tenants=declared(schemas)))


def create_by_agent(bench: Bench, database: Database, directory: Path, schemas: list[str]) -> AgentRun:
    return agent("django_tenant", task_options(bench, database, directory, tenants=declared(schemas)))
