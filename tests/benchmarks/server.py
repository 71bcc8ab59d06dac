# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks' PostgreSQL, and fleets of tenants on it: made once with bare SQL, then copied for every measurement."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from tests.support import checkout, postgres
from tests.support.databases import Database, Postgres

from . import project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

HOME = checkout.ROOT / "build" / "bench"

# What a server of this size would have, at the least: the largest fleet stays in its buffers while it is migrated. What happens
# between runs by itself would only be noise.
SETTINGS = {"shared_buffers": "2GB", "autovacuum": "off", "max_wal_size": "2GB"}
# Every buffer is used once, as by a server that has run for a while: memory that nobody has touched yet costs whoever is measured
# first, on a virtual machine half a second for the catalogs of 1,000 tenants.
_TOUCH_BUFFERS = """
CREATE UNLOGGED TABLE touched (filler text STORAGE PLAIN);
INSERT INTO touched SELECT repeat('x', 8000)
    FROM pg_settings s, generate_series(1, s.setting::int) WHERE s.name = 'shared_buffers';
DROP TABLE touched;
"""
# The tenant that stock commands make; all others are copies of it.
SEED = "seed_of_the_fleet"
CONNECTIONS = project.CORES
# With so many bytes left, all fleets and a copy of the largest fit.
ROOM = 40 * 2**30


class Bench:
    """The server, the projects and the fleets of one run."""

    def __init__(self, data: Path | None = None) -> None:
        server = postgres.Server(data or HOME / "postgres")
        server.start()
        if any(server.psql(f"SHOW {name}") != value for name, value in SETTINGS.items()):
            server.psql("ALTER SYSTEM RESET ALL")
            for name, value in SETTINGS.items():
                server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
            server.stop()
            server.start()
        self.server = Postgres(server)
        self.server.execute(postgres.USER, _TOUCH_BUFFERS)
        self.python = str(checkout.stack_python("bench"))
        self.projects: dict[tuple[str, str, bool], Path] = {}

    def stop(self) -> None:
        # Stopped at once, it would have to recover all that was written.
        self.server.server.psql("CHECKPOINT")
        self.server.server.stop()

    def project(self, shape: project.Shape, release: str = "1", smart: bool = False) -> Path:
        key = (shape.name, release, smart)
        if key not in self.projects:
            directory = HOME / "projects" / f"{shape.name}-{release}{'-smart' if smart else ''}"
            self.projects[key] = project.write_project(directory, shape, release, smart)
        return self.projects[key]

    def manage(
        self, database: Database, directory: Path, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A manage.py command, as people run it."""
        return self.run(database, directory, "manage.py", *arguments, env=env)

    def run(
        self, database: Database, directory: Path, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The project's Python in the project's directory. Its output goes to a file: nobody has to wait for a reader."""
        log = HOME / "output"
        with log.open("w+", encoding="utf-8") as output:
            done = subprocess.run(
                [self.python, *arguments],
                cwd=directory,
                env=project_environment(database, **(env or {})),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            output.seek(0)
            text = output.read()
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with code {done.returncode}:\n{text[-4000:]}")
        return subprocess.CompletedProcess(done.args, 0, text, "")

    def database(self, name: str) -> Database:
        return Database(self.server, name)

    def exists(self, name: str) -> bool:
        return bool(self.server.query(postgres.USER, "SELECT 1 FROM pg_database WHERE datname = %s", [name]))

    def copy(self, fleet: Fleet) -> contextlib.AbstractContextManager[Database]:
        return self.copy_of(fleet.template)

    @contextlib.contextmanager
    def copy_of(self, template: str, name: str = "copy") -> Iterator[Database]:
        """A copy of a database, gone afterwards."""
        self.server.drop_database(name)
        self._create(name, template)
        try:
            yield self.database(name)
        finally:
            self.server.drop_database(name)

    def _create(self, name: str, template: str) -> None:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self.server.execute(postgres.USER, command.format(sql.Identifier(name), sql.Identifier(template)))

    def keep_only(self, fleets: set[tuple[str, int]]) -> None:
        """Drop the fleets that nobody wants any more, if room is short: a tenant takes some megabytes, and twice when copied."""
        if shutil.disk_usage(self.server.server.directory).free > ROOM:
            return
        for (name,) in self.server.query(postgres.USER, "SELECT datname FROM pg_database WHERE datname ~ '^fleet_'"):
            _fleet, shape, tenants, *_version = name.split("_")
            if (shape, int(tenants)) not in fleets:
                self.server.drop_database(name)

    def seed(self, shape: project.Shape) -> Seed:
        return Seed(self, shape).make()

    def fleet(self, shape: project.Shape, tenants: int) -> Fleet:
        return Fleet(self, shape, tenants).make()


def project_environment(database: Database, **changes: str) -> dict[str, str]:
    return checkout.environment(DATABASE_URL=database.url, DJANGO_SETTINGS_MODULE="config.settings", **changes)


def schema_name(number: int) -> str:
    return f"tenant_{number:05}"


class Seed:
    """A database with what is shared, the public tenant, and one tenant made by the stock commands, with a few rows."""

    def __init__(self, bench: Bench, shape: project.Shape) -> None:
        self.bench, self.shape = bench, shape
        sources = [(checkout.ROOT / "tests" / "stacks" / f"{stack}.txt").read_text() for stack in ("bench", "current")]
        sources += [inspect.getsource(part) for part in (project, Seed, Fleet)]
        text = "".join([str(project.CORES), SEED, _ROWS, *sources]).encode()
        # Whatever a fleet is made from is in its name, so that an old one is never taken for a new one.
        self.version = hashlib.sha256(text).hexdigest()[:8]
        self.database = bench.database(f"seed_{shape.name}_{self.version}")
        self.base = f"base_{shape.name}_{self.version}"

    def make(self) -> Seed:
        if self.bench.exists(self.base):
            return self
        self._forget_others()
        name = self.database.name
        self.bench.server.drop_database(name)
        self.bench.server.create_database(name)
        directory = self.bench.project(self.shape)
        self.bench.manage(self.database, directory, "migrate_schemas", "--shared")
        self.database.execute("INSERT INTO tenants_client (schema_name, name) VALUES ('public', 'Public')")
        self.database.execute(
            "INSERT INTO tenants_domain (domain, is_primary, tenant_id) VALUES ('localhost', true, 1)"
        )
        save = f"from tenants.models import Client; Client(schema_name={SEED!r}, name='Seed').save(verbosity=0)"
        self.bench.manage(self.database, directory, "shell", "--no-imports", "-c", save)
        for app in self.shape.apps:
            self.database.execute(_ROWS.format(schema=SEED, app=app))
        self.bench.server.drop_database(self.base)
        self.bench.server.create_database(self.base, name)
        base = self.bench.database(self.base)
        base.execute(f"DROP SCHEMA {SEED} CASCADE")
        base.execute("DELETE FROM tenants_client WHERE schema_name <> 'public'")
        return self

    def _forget_others(self) -> None:
        """Drop what was made of this project when it was another."""
        names = self.bench.server.query(
            postgres.USER,
            "SELECT datname FROM pg_database WHERE datname ~ %s AND datname !~ %s",
            [f"^(seed|base|fleet)_{self.shape.name}_", f"_{self.version}$"],
        )
        for (name,) in names:
            self.bench.server.drop_database(name)

    def script(self) -> str:
        """The SQL that makes one more tenant like the seed, with its name to be put in."""
        dump = self.database.dump("-n", SEED, "--no-owner", "--inserts", "--rows-per-insert=1000")
        lines = [line for line in dump.splitlines() if not line.startswith(("\\", "--"))]
        return "\n".join(line for line in lines if line)


_ROWS = """
INSERT INTO {schema}.{app}_group (name, active) SELECT 'group ' || n, true FROM generate_series(1, 3) n;
INSERT INTO {schema}.{app}_item (group_id, name, price, quantity, description, code)
    SELECT n % 3 + 1, 'item ' || n, n, n, 'as delivered', '' FROM generate_series(1, 10) n;
INSERT INTO {schema}.{app}_line (item_id, number, amount) SELECT n, m, n * m FROM generate_series(1, 10) n, generate_series(1, 2) m;
"""


class Fleet:
    """A database with so many tenants like the seed. It is only ever copied, or read."""

    def __init__(self, bench: Bench, shape: project.Shape, tenants: int) -> None:
        self.bench, self.shape, self.tenants = bench, shape, tenants
        self.seed = bench.seed(shape)
        self.template = f"fleet_{shape.name}_{tenants}_{self.seed.version}"

    @property
    def database(self) -> Database:
        return self.bench.database(self.template)

    @property
    def schemas(self) -> list[str]:
        return [schema_name(number) for number in range(1, self.tenants + 1)]

    def make(self) -> Fleet:
        if self.bench.exists(self.template):
            return self
        have = self._largest_smaller()
        unfinished = f"{self.template}_unfinished"
        self.bench.server.drop_database(unfinished)
        template = Fleet(self.bench, self.shape, have).template if have else self.seed.base
        self.bench._create(unfinished, template)
        database = self.bench.database(unfinished)
        text = self.seed.script()
        numbers = range(have + 1, self.tenants + 1)
        run_scripts(database, (text.replace(SEED, schema_name(number)) for number in numbers))
        database.execute(
            "INSERT INTO tenants_client (schema_name, name)"
            " SELECT 'tenant_' || lpad(n::text, 5, '0'), 'Tenant ' || n FROM generate_series(%s::int, %s::int) n",
            [numbers[0], numbers[-1]],
        )
        database.execute(
            "INSERT INTO tenants_domain (domain, is_primary, tenant_id)"
            " SELECT replace(schema_name, '_', '-') || '.localhost', true, id FROM tenants_client"
            " WHERE schema_name <> 'public' AND schema_name NOT IN"
            " (SELECT c.schema_name FROM tenants_client c JOIN tenants_domain d ON d.tenant_id = c.id)"
        )
        database.execute("VACUUM (ANALYZE)")
        self.bench.server.execute(postgres.USER, f"ALTER DATABASE {unfinished} RENAME TO {self.template}")
        return self

    def _largest_smaller(self) -> int:
        pattern = f"fleet_{self.shape.name}_%_{self.seed.version}"
        rows = self.bench.server.query(
            postgres.USER, "SELECT split_part(datname, '_', 3)::int FROM pg_database WHERE datname LIKE %s", [pattern]
        )
        return max((tenants for (tenants,) in rows if tenants < self.tenants), default=0)


def run_scripts(database: Database, scripts: Iterable[str], connections: int = CONNECTIONS) -> float:
    """Send each script as one message, over several connections, and say how long it took from connecting to the end."""
    started = time.perf_counter()
    todo = iter(scripts)
    lock = threading.Lock()
    errors: list[BaseException] = []

    def send() -> None:
        try:
            with database.connect() as connection:
                raw = connection.pgconn
                while not errors:
                    with lock:
                        script = next(todo, None)
                    if script is None:
                        return
                    result = raw.exec_(script.encode())
                    if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK):
                        raise RuntimeError(result.error_message.decode())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=send) for _number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - started


@dataclass(frozen=True)
class Shown:
    """What a schema holds, as far as every side has to leave the same."""

    tables: int
    columns: str
    indexes: int
    constraints: int
    sequences: int
    recorded: str
    kinds: str
    codes: str


def shown(database: Database, shape: project.Shape, schemas: list[str]) -> dict[str, Shown]:
    """What there is in each schema: its columns, counts of tables, indexes, constraints and sequences, and what is recorded."""
    found: dict[str, list[Any]] = {}
    with database.connect() as connection:
        for row in connection.execute(_COUNTS, [schemas]):
            found[row[0]] = list(row[1:])
        for read in _readers(shape):
            for start in range(0, len(schemas), 100):
                chunk = schemas[start : start + 100]
                query = sql.SQL(" UNION ALL ").join(
                    sql.SQL(read).format(schema=sql.Identifier(s), name=s) for s in chunk
                )
                for schema, value in connection.execute(query):
                    found[schema].append(value)
    if not shape.with_auth:
        for values in found.values():
            values.insert(6, "")
    return {schema: Shown(*values) for schema, values in found.items()}


def _readers(shape: project.Shape) -> list[str]:
    return [_RECORDED, _KINDS, _CODES] if shape.with_auth else [_RECORDED, _CODES]


_RECORDED = (
    "SELECT {name}::text, count(*) || ':' || md5(string_agg(app || '.' || name, ',' ORDER BY app, name))"
    " FROM {schema}.django_migrations"
)
_KINDS = (
    "SELECT {name}::text, (SELECT count(*) || ':' || md5(string_agg(app_label || '.' || model, ',' ORDER BY app_label, model))"
    " FROM {schema}.django_content_type) || '/' || (SELECT count(*) || ':' || md5(string_agg(codename, ',' ORDER BY codename))"
    " FROM {schema}.auth_permission)"
)
_CODES = (
    "SELECT {name}::text, count(*) || ':' || coalesce(md5(string_agg(id || code, ',' ORDER BY id)), '')"
    " FROM {schema}.catalog_item WHERE code <> ''"
)


_COUNTS = """
WITH ns AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%s)),
rel AS (SELECT oid, relname, relnamespace AS ns, relkind FROM pg_class WHERE relnamespace IN (SELECT oid FROM ns))
SELECT n.nspname, coalesce(r.tables, 0), a.shown, coalesce(r.indexes, 0), coalesce(k.n, 0), coalesce(r.sequences, 0)
FROM ns n
LEFT JOIN (SELECT ns, count(*) FILTER (WHERE relkind = 'r') AS tables, count(*) FILTER (WHERE relkind = 'i') AS indexes,
    count(*) FILTER (WHERE relkind = 'S') AS sequences FROM rel GROUP BY ns) r ON r.ns = n.oid
LEFT JOIN (SELECT rel.ns, count(*) || ':' || md5(string_agg(concat_ws(' ', rel.relname, a.attname, a.atttypid, a.atttypmod,
    a.attnotnull, a.attidentity), ',' ORDER BY rel.relname, a.attname)) AS shown
    FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid AND rel.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY 1) a ON a.ns = n.oid
LEFT JOIN (SELECT connamespace AS ns, count(*) AS n FROM pg_constraint GROUP BY 1) k ON k.ns = n.oid
"""


_WRITTEN = """
SELECT (SELECT max(oid) || ':' || count(*) FROM pg_class) || '/' ||
    (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables)
"""


def written(database: Database) -> str:
    """Another text after any statement that made a table or index, or wrote a row."""
    text: str = database.query(_WRITTEN)[0][0]
    return text


def differing(found: dict[str, Shown], expected: Shown, schemas: list[str]) -> list[str]:
    """The schemas that are not as they should be. Pure."""
    return [schema for schema in schemas if found.get(schema) != expected]


def server_facts(bench: Bench) -> dict[str, str]:
    """What the figures were measured on."""
    settings = bench.server.query(
        postgres.USER,
        "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('shared_buffers', 'fsync',"
        " 'synchronous_commit', 'full_page_writes', 'wal_level', 'max_wal_size', 'max_connections', 'max_locks_per_transaction',"
        " 'autovacuum', 'jit')",
    )
    ((version, jit),) = bench.server.query(
        postgres.USER, "SELECT current_setting('server_version'), pg_jit_available()::text"
    )
    return {"version": version, "jit_available": jit, **dict(settings)}


def wait_for_quiet(limit: float, say: Callable[[str], None]) -> None:
    """Give the machine a moment to finish what it does in the background."""
    end = time.monotonic() + limit
    while os.getloadavg()[0] > 1.5 and time.monotonic() < end:
        say(f"waiting for a quiet machine (load {os.getloadavg()[0]:.1f})")
        time.sleep(5)
