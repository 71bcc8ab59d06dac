# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small fleet of a small project, migrated by either side: a database with tenants to copy, releases, both migrations."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.meatscentral.tenancy.plugins.module_utils._agent import ask
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import Project
from ansible_collections.meatscentral.tenancy.plugins.module_utils._tenant_arguments import TENANT_ARGUMENTS
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import migrate_schemas
from ansible_collections.meatscentral.tenancy.plugins.modules.django_migrate_schemas import ARGUMENTS
from psycopg import sql

from tests.differential.picture import differences, picture
from tests.support import checkout
from tests.support.agents import Agent
from tests.support.databases import Database
from tests.support.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.databases import Postgres

PROJECT = Path(__file__).resolve().parent / "project"
TENANTS = ("t1", "t2", "t3", "t4", "t5")
PACKAGE = "released"

# As the module hands them over when a task gives none.
OPTIONS: dict[str, Any] = {
    **{name: argument.get("default") for name, argument in ARGUMENTS.items()},
    "scope": "tenants",
    "report": True,
    "check": False,
}

# What Django gives a new tenant's tables depends on what was there before: let the ids differ from schema to schema.
_OTHER_IDS = """
SET search_path = {schema};
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE django_content_type SET id = id + {by};
UPDATE auth_permission SET content_type_id = content_type_id + {by};
COMMIT;
SELECT setval('django_content_type_id_seq', 1000 + {by}), setval('auth_permission_id_seq', 2000 + {by})
"""

_ROWS = """
INSERT INTO {schema}.things_tag (title) SELECT 'tag ' || n FROM generate_series(1, {rows}) n;
INSERT INTO {schema}.things_item (name, code, amount, price, note, made, country_id)
    SELECT 'item ' || n, CASE WHEN n % 3 > 0 THEN 'c' || n END, n * {number}, CASE WHEN n % 2 = 0 THEN n + 0.5 END, '',
        CASE WHEN n % 2 = 1 THEN timestamptz '2026-01-01 00:00Z' + n * interval '1 day' END, CASE WHEN n % 2 = 0 THEN 1 END
    FROM generate_series(1, {rows}) n;
INSERT INTO {schema}.things_part (label, number, item_id) SELECT 'p' || id, CASE WHEN id % 2 = 0 THEN id END, id FROM {schema}.things_item;
INSERT INTO {schema}.things_item_tags (item_id, tag_id) SELECT id, id FROM {schema}.things_item
"""

_HEADER = """import datetime
import decimal
import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.utils.timezone
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Now, Upper
"""


def migration(after: str, operations: Sequence[str], body: str = "", atomic: bool = True) -> str:
    """The text of a migration of ``things``."""
    lines = "".join(f"        {operation},\n" for operation in operations)
    switch = "" if atomic else "    atomic = False\n"
    return (
        f"{_HEADER}\n{body}\n\nclass Migration(migrations.Migration):\n{switch}"
        f"    dependencies = [('things', {after!r}), ('places', '0001_initial')]\n    operations = [\n{lines}    ]\n"
    )


def make_template(postgres: Postgres, name: str, tenants: Sequence[str] = TENANTS, rows: bool = True) -> None:
    """A database with the tenants of the project at its first release, each with rows and ids of its own."""
    postgres.create_database(name)
    database = Database(postgres, name)
    environment = checkout.environment(DATABASE_URL=database.url, PYTHONDONTWRITEBYTECODE="1")
    python = str(checkout.stack_python("current"))

    def manage(*arguments: str) -> None:
        subprocess.run(
            [python, "manage.py", *arguments], cwd=PROJECT, env=environment, check=True, stdout=subprocess.DEVNULL
        )

    manage("migrate_schemas", "--shared", "-v0")
    database.execute("INSERT INTO places_country (name) VALUES ('Here'), ('There')")
    database.execute("INSERT INTO tenants_client (schema_name, name) VALUES ('public', 'public')")
    database.execute("INSERT INTO tenants_domain (domain, is_primary, tenant_id) VALUES ('localhost', true, 1)")
    _add_empty_tenants(database, tenants)
    if len(tenants) > 10:
        # The stock command would take a minute.
        with tempfile.TemporaryDirectory() as directory:
            Releases(Path(directory))
            reply = migrate_ours(database, Path(directory))
            assert not reply["failed"], reply["failed"]
    else:
        manage("migrate_schemas", "--tenant", "-v0")
    for number, schema in enumerate(tenants, 1):
        place = sql.Identifier(schema)
        for text in (_OTHER_IDS, *([_ROWS] if rows else [])):
            database.execute(
                sql.SQL(text).format(
                    schema=place,
                    by=sql.Literal(100 * number),
                    rows=sql.Literal(number % 4 + 1),
                    number=sql.Literal(number),
                )
            )


def _add_empty_tenants(database: Database, schemas: Sequence[str]) -> None:
    for schema in schemas:
        database.execute("INSERT INTO tenants_client (schema_name, name) VALUES (%s, '')", [schema])
        database.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


class Stock:
    """The long-lived process that migrates as the stock command does."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [str(checkout.stack_python("current")), str(PROJECT.parent / "stock.py")],
            cwd=PROJECT,
            env=checkout.environment(DATABASE_URL=url, PYTHONDONTWRITEBYTECODE="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def create(self, database: Database, directory: Path, schemas: Sequence[str]) -> None:
        """Make tenants: their rows and empty schemas, and what the stock command makes in these."""
        _add_empty_tenants(database, schemas)
        failed = self.migrate(database, directory, schemas)
        assert not failed, failed

    def migrate(self, database: Database, directory: Path, schemas: Sequence[str] = TENANTS) -> dict[str, str]:
        """What failed, by schema."""
        request = {
            "directory": str(directory),
            "package": PACKAGE,
            "database": database.name,
            "schemas": list(schemas),
        }
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        answer: dict[str, str] = json.loads(stdout.readline())
        assert "" not in answer, answer
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=60)


def migrate_ours(
    database: Database, directory: Path, project: Path = PROJECT, stack: str = "current", **options: Any
) -> dict[str, Any]:
    """The agent's reply, asked as the module asks it."""
    described = _described(database, directory, project, stack)
    return ask(described, migrate_schemas, {**OPTIONS, **options})


def create_ours(
    database: Database, directory: Path, schemas: Sequence[str], project: Path = PROJECT
) -> tuple[dict[str, Any], list[str]]:
    """Have the agent make tenants, each with a domain: its reply, and what it said it was doing."""
    usual = {name: argument.get("default") for name, argument in TENANT_ARGUMENTS.items()}
    tenants = [{**usual, "schema": schema, "domains": [f"{schema}.example"]} for schema in schemas]
    described = _described(database, directory, project, "current")
    sample = Sample("", project, described.command[0], described.settings, described.environment)
    with Agent(sample, "from .ensure_tenants import run", {"tenants": tenants, "lock_wait": 60}) as agent:
        *events, answer = agent.said()
    assert "reply" in answer, answer
    return answer["reply"], [event["doing"] for event in events if event["event"] == "phase"]


def _described(database: Database, directory: Path, project: Path, stack: str) -> Project:
    return Project(
        directory=str(project),
        command=[str(checkout.stack_python(stack))],
        settings="config",
        environment={
            "DATABASE_URL": database.url,
            "THINGS_MIGRATIONS": PACKAGE,
            "PYTHONPATH": str(directory),
        },
    )


@dataclass
class Releases:
    """The migrations of ``things`` as they come, in a package of a directory of its own."""

    directory: Path
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        package = self.directory / PACKAGE
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        first = PROJECT / "things" / "migrations" / "0001_initial.py"
        (package / first.name).write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
        self.names = ["0001_initial"]

    def add(self, *operations: str, body: str = "", atomic: bool = True) -> str:
        """One more migration; its name."""
        name = f"{len(self.names) + 1:04}_more"
        text = migration(self.names[-1], operations, body, atomic)
        (self.directory / PACKAGE / f"{name}.py").write_text(text, encoding="utf-8")
        self.names.append(name)
        return name

    def write(self, name: str, text: str) -> None:
        """A migration in full."""
        (self.directory / PACKAGE / f"{name}.py").write_text(text, encoding="utf-8")
        self.names.append(name)


@dataclass
class Pair:
    """Two copies of one fleet: the stock command gets the one, the agent the other."""

    stock_side: Stock
    stock: Database
    ours: Database
    releases: Releases
    tenants: Sequence[str] = TENANTS

    def release(self, *operations: str, body: str = "", atomic: bool = True) -> str:
        """One more migration of ``things``; its name as results have it."""
        return f"things.{self.releases.add(*operations, body=body, atomic=atomic)}"

    def execute(self, statement: str) -> None:
        """The same by hand in both."""
        for database in (self.stock, self.ours):
            database.execute(statement)

    def migrate(self, **options: Any) -> dict[str, Any]:
        """Ours alone; the agent's reply."""
        return migrate_ours(self.ours, self.releases.directory, **options)

    def same(self, **options: Any) -> dict[str, Any]:
        """Migrate both; nothing may differ. The agent's reply."""
        failed = self.stock_side.migrate(self.stock, self.releases.directory, self.tenants)
        reply = self.migrate(**options)
        self.compare()
        assert failed.keys() == {failure["schema"] for failure in reply["failed"]}, (failed, reply["failed"])
        return reply

    def create(self, *schemas: str) -> list[str]:
        """Make tenants in both; nothing of their schemas may differ. What the agent said it was doing."""
        self.stock_side.create(self.stock, self.releases.directory, schemas)
        reply, doing = create_ours(self.ours, self.releases.directory, schemas)
        states = {line["tenant"]: line.get("error") or line["state"] for line in reply["tenants"]}
        assert states == dict.fromkeys(schemas, "created"), states
        self.compare(schemas)
        return doing

    def compare(self, schemas: Sequence[str] = ()) -> None:
        schemas = schemas or self.tenants
        found = differences(picture(self.stock, schemas), picture(self.ours, schemas))
        assert not found, "\n".join(found)


def executed(reply: dict[str, Any]) -> dict[str, str]:
    """How each schema of a reply was migrated."""
    return {entry["schema"]: entry["executed"] for entry in reply["schemas"]}
