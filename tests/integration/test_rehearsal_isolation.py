# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rehearsal keeps a migration's Python away from what is outside of its database, and raises no alarm over that."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.support import checkout, pgbouncer, samples
from tests.support.rehearsals import rehearsed, scratch_databases, warnings
from tests.support.variants import Variant, few_apps

OUTSIDE = """
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = BASE_DIR / "outbox"
CACHES = {name: {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": BASE_DIR / "cache"} for name in ("default", "other")}
DATABASES["same"] = dict(DATABASES["default"])
DATABASES["file"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "other.sqlite3"}
DATABASES["server"] = {**DATABASES["default"], "NAME": os.environ["OTHER_DATABASE"], "ENGINE": "django.db.backends.postgresql"}
"""


def python(variant, body, name="0005_work", after="0004_alter_carrier_slug"):
    text = f"carriers/migrations/{name}.py"
    variant.migration("carriers", name, after, "migrations.RunPython(work)")
    return variant.replace(text, "class Migration", f"{body}\n\nclass Migration")


@pytest.fixture
def outside(schema_variant, new_database):
    """The sample with mail, caches and other databases that can be looked into, on an empty database."""
    variant = schema_variant(template=None)
    other = new_database()
    other.execute("CREATE TABLE notes (text text)")
    variant.sample.environment["OTHER_DATABASE"] = other.name
    variant.settings(OUTSIDE)
    with sqlite3.connect(variant.sample.directory / "other.sqlite3") as connection:
        connection.execute("CREATE TABLE notes (text text)")
    variant.other = other
    return variant


def traces(variant):
    directory = variant.sample.directory
    with sqlite3.connect(directory / "other.sqlite3") as connection:
        rows = connection.execute("SELECT * FROM notes").fetchall()
    found = {name: [file.name for file in (directory / name).glob("*")] for name in ("outbox", "cache")}
    return {**found, "file": rows, "server": variant.other.query("SELECT * FROM notes")}


MAIL_AND_CACHE = """
from django.core import mail
from django.core.cache import cache, caches
from django.db import connections
from django.core.mail.backends.filebased import EmailBackend


def work(apps, schema_editor):
    mail.send_mail("s", "b", "a@x.example", ["b@x.example"])
    message = mail.EmailMessage("s", "b", "a@x.example", ["b@x.example"], connection=EmailBackend())
    assert message.send() == 1
    cache.set("number", 1)
    assert cache.incr("number") == 2
    caches["other"].set("a", "b")
    with connections["same"].cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone()[0].startswith("tenancy_rehearsal")
    for alias in ("file", "server"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT * FROM notes")
"""


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_mail_and_caches_go_nowhere_and_the_same_database_by_another_name_is_the_scratch_one(stack, outside):
    outside.sample.__dict__["python"] = str(checkout.stack_python(stack))
    python(outside, MAIL_AND_CACHE)
    result = rehearsed(outside, check=True)
    assert not result.get("failed"), result["msg"]
    assert warnings(result) == []
    assert traces(outside) == {"outbox": [], "cache": [], "file": [], "server": []}


@pytest.mark.parametrize("alias", ["file", "server"])
def test_another_database_is_not_written_to_and_that_is_no_alarm(alias, outside):
    python(
        outside,
        f"""
from django.db import connections


def work(apps, schema_editor):
    with connections[{alias!r}].cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES ('rehearsed')")
""",
    )
    result = rehearsed(outside, check=True)
    assert not result.get("failed"), result["msg"]
    # The second is of a tenant that is still to come.
    warning, newcomer = warnings(result)
    assert "of a new tenant could not be rehearsed to its end" in newcomer
    assert "carriers.0005_work of acme could not be rehearsed to its end" in warning
    assert "it writes to another database, which a rehearsal keeps away" in warning
    assert traces(outside)[alias] == []
    again = rehearsed(outside, check=True, rehearse_skip=["carriers.0005_work"])
    assert warnings(again) == []


def test_another_database_behind_a_pooler_that_passes_over_the_restriction_is_not_opened(outside, tmp_path):
    if not pgbouncer.program():
        pytest.skip("there is no pgbouncer here")
    (tmp_path / "pool").mkdir()
    python(
        outside,
        """
from django.db import connections


def work(apps, schema_editor):
    with connections["server"].cursor() as cursor:
        cursor.execute("INSERT INTO notes VALUES ('rehearsed')")
""",
    )
    with pgbouncer.transaction_pool(outside.other, tmp_path / "pool") as url:
        port = url.rpartition(":")[2].partition("/")[0]
        outside.settings(f"DATABASES['server'].update(HOST='127.0.0.1', PORT='{port}')")
        result = rehearsed(outside, check=True)
    assert not result.get("failed"), result["msg"]
    assert "can't be held read-only" in warnings(result)[0]
    assert traces(outside)["server"] == []


def test_what_only_another_cache_can_do_is_no_alarm_and_a_migration_can_ask_where_it_is(schema_variant):
    variant = schema_variant(template=None)
    python(
        variant,
        """
import os
from django.core.cache import cache


def work(apps, schema_editor):
    if "TENANCY_REHEARSAL" in os.environ:
        cache.delete_pattern("*")
    raise ValueError("this is no rehearsal")
""",
    )
    result = rehearsed(variant, check=True)
    assert not result.get("failed"), result["msg"]
    assert "it wants something that a rehearsal keeps away" in warnings(result)[0]


COMMAND = """
from django.core.management.commands import migrate
from django_tenants.migration_executors.standard import StandardExecutor


class Command(migrate.Command):
    pass


def choose(codename=None):
    return StandardExecutor
"""


def test_a_projects_own_migrate_command_is_rehearsed_and_its_own_executor_which_may_start_processes_is_not(
    schema_variant,
):
    variant = schema_variant(template=None).write("tenants/custom.py", COMMAND)
    variant.settings('TENANT_BASE_MIGRATE_COMMAND = "tenants.custom.Command"')
    python(variant, "def work(apps, schema_editor):\n    raise ValueError('never')")
    result = rehearsed(variant, check=True)
    assert "ValueError: never" in result["msg"]
    variant.settings('GET_EXECUTOR_FUNCTION = "tenants.custom.choose"')
    result = rehearsed(variant, check=True)
    assert not result.get("failed"), result["msg"]
    assert warnings(result)[0].startswith("There was no rehearsal. GET_EXECUTOR_FUNCTION is set")


@pytest.fixture
def weak(database, postgres, sample):
    """The URL of a role that may do all in the database, and make none."""
    name = f"weak_{database.name}"
    database.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'w3ak-but-secret'")
    database.execute(f"GRANT ALL ON SCHEMA public TO {name}; GRANT CREATE ON DATABASE {database.name} TO {name}")
    yield name, postgres.url(database.name, user=name, password="w3ak-but-secret")
    database.execute(f"DROP OWNED BY {name} CASCADE")
    database.execute(f"DROP ROLE {name}")


@pytest.fixture
def weak_rows(weak, database, tmp_path):
    """The row sample on an empty database, as that role."""
    copy = samples.copy_sample(
        "row_tenants", tmp_path / "rows", release="1", stack="current", environment="dev", database_url=weak[1]
    )
    return Variant(few_apps(copy), database)


def test_a_role_that_may_not_create_databases_goes_on_with_a_warning_or_fails_where_scratch_is_asked_for(
    weak, weak_rows
):
    name, _url = weak
    result = rehearsed(weak_rows, rehearse_tenants=[])
    assert result["failed"]
    assert (
        result["msg"]
        == f"Nothing could be rehearsed, so nothing was written: The role '{name}' may not create databases."
    )
    assert "CREATEDB" in result["hint"]
    result = rehearsed(weak_rows, scope="all", rehearse="auto", rehearse_tenants=[])
    assert not result.get("failed"), result
    assert result["changed"]
    assert warnings(result)[-1] == (
        f"There was no rehearsal. The role '{name}' may not create databases. As a superuser: ALTER ROLE \"{name}\" CREATEDB;"
    )
    # Where nothing is pending it is not even tried.
    again = rehearsed(weak_rows, rehearse_tenants=[])
    assert (again["changed"], again.get("failed")) == (False, None)


def test_an_extension_that_the_real_database_has_and_the_role_may_not_create_is_no_alarm(weak, weak_rows, database):
    name, _url = weak
    database.execute(f"ALTER ROLE {name} CREATEDB; CREATE EXTENSION pageinspect")
    operations = "migrations.RunSQL('CREATE EXTENSION IF NOT EXISTS {}')"
    weak_rows.migration("carriers", "0005_extension", "0004_alter_carrier_tenant", operations.format("pageinspect"))
    result = rehearsed(weak_rows, check=True, rehearse_tenants=[])
    assert not result.get("failed"), result["msg"]
    assert "the role may not create the extension pageinspect that the real database has" in warnings(result)[0]
    # One that is nowhere is to be created by the real run as well, and would not be.
    weak_rows.migration("carriers", "0006_extension", "0005_extension", operations.format("pg_buffercache"))
    weak_rows.replace("carriers/migrations/0005_extension.py", operations.format("pageinspect"), "")
    result = rehearsed(weak_rows, check=True, rehearse_tenants=[])
    assert "carriers.0006_extension (Raw SQL operation) would fail in public with: permission denied" in result["msg"]


def test_a_session_role_owns_the_scratch_database_and_all_that_is_made_there(weak, weak_rows, database):
    name, _url = weak
    owner = f"owner_{database.name}"
    database.execute(f"CREATE ROLE {owner} CREATEDB; GRANT {owner} TO {name}; GRANT ALL ON SCHEMA public TO {owner}")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO {owner}")
    try:
        weak_rows.migration(
            "carriers",
            "0005_role",
            "0004_alter_carrier_tenant",
            f"migrations.RunSQL(\"DO $$ BEGIN ASSERT current_user = '{owner}'; END $$\")",
        )
        result = rehearsed(weak_rows, rehearse_tenants=[], session_role=owner, scope="all")
        assert not result.get("failed"), result["msg"]
        assert result["rehearsal"]["notices"] == []
        assert [text for text in warnings(result) if "rehears" in text] == []
        assert scratch_databases(database) == []
    finally:
        database.execute(f"DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}")


def test_through_a_pooler_that_shares_out_sessions_it_works_as_the_real_run_does(schema_variant, tmp_path):
    if not pgbouncer.program():
        pytest.skip("there is no pgbouncer here")
    (tmp_path / "pool").mkdir()
    variant = schema_variant(template=None)
    with pgbouncer.transaction_pool(variant.database, tmp_path / "pool") as url:
        variant.sample.environment["DATABASE_URL"] = url
        result = rehearsed(variant)
        assert not result.get("failed"), result["msg"]
        assert warnings(result) == []
        assert scratch_databases(variant.database) == []
        python(variant, "def work(apps, schema_editor):\n    raise ValueError('never')")
        assert "would fail in acme with: ValueError: never" in rehearsed(variant)["msg"]


SLEEPS = """
import os
from django.db import connection


def work(apps, schema_editor):
    with open(os.environ["MARK"], "w") as file:
        file.write(str(os.getpid()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_module_that_is_killed_leaves_no_scratch_database_and_no_process(number, schema_variant, tmp_path):
    variant = schema_variant(template=None)
    python(variant, SLEEPS)
    mark = tmp_path / "mark"
    variant.sample.environment["MARK"] = str(mark)
    options = {**variant.sample.options(), "rehearse": "scratch", "scope": "shared"}
    options["rehearse_tenants"] = [
        {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31", "on_trial": False}}
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", f"ansible_collections.{checkout.COLLECTION}.plugins.modules.django_migrate_schemas"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=checkout.environment(PYTHONPATH=str(checkout.COLLECTIONS)),
    )
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode())
    process.stdin.close()
    wait_for(lambda: mark.exists() and mark.read_text())
    assert scratch_databases(variant.database)
    process.send_signal(number)
    process.wait(timeout=20)
    wait_for(lambda: not scratch_databases(variant.database))
    wait_for(lambda: not os.path.exists(f"/proc/{mark.read_text()}"))
    assert variant.database.tables() == []


def wait_for(happened, seconds=30):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)
