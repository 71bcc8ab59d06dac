# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent on its way to the project and back: through command prefixes, past what a project does to its process, and to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import checkout
from tests.support.refusals import require_no_secret, require_refusal

SLOW = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_client_on_trial_client_paid_until")]
    operations = [{operation}]
"""
PG_SLEEP = "migrations.RunSQL('SELECT pg_sleep(60)')"
HARMLESS = "migrations.RunSQL('SELECT 1')"


@pytest.fixture
def project(sample):
    return sample("schema_tenants")


def add_migration(project, operation):
    (project.directory / "tenants" / "migrations" / "0003_slow.py").write_text(SLOW.format(operation=operation))


def start_module(name, env=None, **options):
    """The real module, running."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"ansible_collections.{checkout.COLLECTION}.plugins.modules.{name}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=checkout.environment(PYTHONPATH=str(checkout.COLLECTIONS), **(env or {})),
        start_new_session=True,
    )
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode())
    process.stdin.close()
    # Or communicate() would flush it.
    process.stdin = None
    return process


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def backends(database, like="%"):
    """The server's processes for the test's database that run such a statement, ours left out."""
    return database.query(
        "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND query LIKE %s AND state <> 'idle'",
        [like],
    )


def connections(database):
    return database.query(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


PREFIXES = {
    "clean environment": ["env", "-i", "PATH=/usr/bin:/bin"],
    "shell": ["sh", "-c", 'exec "$@"', "sh"],
    "shell that stays": ["sh", "-c", '"$@"; status=$?; true; exit $status', "sh"],
    "greeting": ["sh", "-c", 'echo "Welcome to the pod"; exec "$@"', "sh"],
    "greeting without a line's end": ["sh", "-c", 'printf "Welcome: "; exec "$@"', "sh"],
    "another directory": ["sh", "-c", 'cd / && exec "$@"', "sh"],
    "chroot": ["chroot", "/"],
    "namespaces": ["unshare", "--mount", "--pid", "--fork", "--mount-proc"],
    "another user": ["unshare", "--user", "--map-user=1000", "--map-group=1000"],
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_command_prefix_starts_the_projects_python_and_the_environment_gets_through(prefix, project, run_module):
    words = [*PREFIXES[prefix], project.python]
    if words[0] in ("chroot", "unshare") and subprocess.run([*words, "-c", ""], check=False).returncode:
        pytest.skip(f"{words[0]} is not allowed here")
    answer = run_module("django_tenant_info", **{**project.options(), "python": words})
    assert answer.get("tenancy", {}).get("kind") == "schema", answer


@pytest.mark.parametrize("flags", [["-I"], ["-u", "-X", "utf8"], ["-O", "-B"]], ids=" ".join)
def test_an_interpreters_own_flags_are_its_own_business(flags, project, run_module):
    answer = run_module("django_tenant_info", **{**project.options(), "python": [project.python, *flags]})
    assert answer.get("tenancy", {}).get("kind") == "schema", answer


def test_settings_are_found_as_manage_py_finds_them_and_beside_what_pythonpath_adds(project, run_module, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "beside.py").write_text("VALUE = 1\n")
    settings = project.directory / "config" / "settings" / "dev.py"
    settings.write_text("import sys\nimport beside\nassert sys.argv[1]\n" + settings.read_text())
    options = {**project.options(), "settings": None}
    options["environment"] = {**project.environment, "PYTHONPATH": str(library)}
    answer = run_module("django_tenant_info", **options)
    assert answer.get("tenancy", {}).get("kind") == "schema", answer


NOISE = {
    "prints": "print('noise')\nprint('{\"reply\": {}}', flush=True)\n",
    "writes to the descriptor": "import os\nos.write(1, b'{\"reply\": {}}\\n')\n",
    "starts programs": "import subprocess\nsubprocess.run(['echo', 'noise'], check=True)\n",
    "reads standard input": "import sys\nassert sys.stdin.read() == ''\n",
    "prints what the locale lacks": "print('\\u0107\\ud800')\n",
    "closes its output": "import os\nos.close(1)\n",
    "takes its output over": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()\n",
    "leaves a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=[60]).start()\n",
    "leaves a hook": "import atexit, time\natexit.register(time.sleep, 60)\n",
    "leaves a child": "import subprocess\nsubprocess.Popen(['sleep', '3'])\n",
}


@pytest.mark.parametrize("noise", NOISE)
def test_a_project_that_uses_its_streams_spoils_no_reply(noise, project, run_module):
    settings = project.directory / "config" / "settings" / "dev.py"
    settings.write_text(NOISE[noise] + settings.read_text())
    environment = {**project.environment, "LC_ALL": "C"}
    started = time.monotonic()
    answer = run_module("django_tenant_info", **{**project.options(), "environment": environment})
    assert answer.get("tenancy", {}).get("kind") == "schema", answer
    assert time.monotonic() - started < 20


def everything_in(directory):
    return {
        str(path.relative_to(directory)): path.stat().st_mtime_ns
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_nothing_is_left_on_the_far_side(project, tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = everything_in(project.directory)
    options = {**project.options(), "environment": {**project.environment, "TMPDIR": str(temporary)}}
    process = start_module("django_migrate_schemas", env={"TMPDIR": str(temporary)}, scope="shared", **options)
    output, errors = process.communicate(timeout=60)
    assert json.loads(output)["changed"], errors
    assert everything_in(project.directory) == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("stack", "number"), [("current", signal.SIGKILL), ("oldest", signal.SIGTERM)])
def test_a_module_that_is_killed_leaves_nobody_writing_and_the_next_run_finishes(
    stack, number, sample, database, run_module
):
    project = sample("schema_tenants", stack=stack)
    add_migration(project, PG_SLEEP)
    process = start_module("django_migrate_schemas", scope="shared", **project.options())
    wait_for(lambda: backends(database, "%pg_sleep%"))
    os.kill(process.pid, number)
    process.communicate(timeout=10)
    wait_for(lambda: not connections(database), seconds=10)
    recorded = database.query("SELECT name FROM django_migrations WHERE app = 'tenants' ORDER BY name")
    assert [name for (name,) in recorded] == ["0001_initial", "0002_client_on_trial_client_paid_until"]
    add_migration(project, HARMLESS)
    answer = run_module("django_migrate_schemas", scope="shared", **project.options())
    assert answer["migrated"][0]["migrations"] == ["tenants.0003_slow"], answer


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_statement_that_is_too_slow_is_cancelled_in_the_server_and_named(stack, sample, database, run_module):
    project = sample("schema_tenants", stack=stack)
    add_migration(project, PG_SLEEP)
    started = time.monotonic()
    answer = run_module("django_migrate_schemas", scope="shared", **{**project.options(), "timeout": 5})
    assert time.monotonic() - started < 15
    require_refusal(answer, "within 5 s", "public", "SELECT pg_sleep(60)", secrets=project.environment.values())
    assert "next run" in answer["hint"]
    wait_for(lambda: not connections(database), seconds=5)


def test_a_run_over_many_schemas_that_is_stopped_leaves_nobody_writing_and_the_next_finishes(
    project, database, run_module
):
    options = project.options()
    tenants = [
        {
            "schema": name,
            "attributes": {"name": name},
            "defaults": {"paid_until": "2099-12-31"},
            "domains": [f"{name}.localhost"],
        }
        for name in ("public", "acme", "globex", "initech")
    ]
    run_module("django_migrate_schemas", scope="shared", **options)
    run_module("django_tenant", tenants=tenants, **options)
    migration = project.directory / "carriers" / "migrations" / "0005_slow.py"
    slow = SLOW.replace(
        '("tenants", "0002_client_on_trial_client_paid_until")', '("carriers", "0004_alter_carrier_slug")'
    )
    migration.write_text(slow.format(operation=PG_SLEEP))

    answer = run_module("django_migrate_schemas", scope="tenants", **{**options, "timeout": 4})
    require_refusal(answer, "within 4 s", "migrating", secrets=project.environment.values())
    wait_for(lambda: not connections(database), seconds=5)

    process = start_module("django_migrate_schemas", scope="tenants", **options)
    wait_for(lambda: backends(database, "%pg_sleep%"))
    process.kill()
    process.communicate(timeout=10)
    wait_for(lambda: not connections(database), seconds=10)

    migration.write_text(slow.format(operation=HARMLESS))
    answer = run_module("django_migrate_schemas", scope="tenants", **options)
    assert answer["migrated"][0]["migrations"] == ["carriers.0005_slow"], answer
    assert sorted(answer["migrated"][0]["schemas"]) == ["acme", "globex", "initech"]


def test_a_migration_that_ends_the_process_is_named_and_leaves_no_half(project, database, run_module):
    add_migration(project, "migrations.RunPython(lambda apps, editor: __import__('os')._exit(7))")
    answer = run_module("django_migrate_schemas", scope="shared", **project.options())
    message = require_refusal(answer, "exit status 7", "migrating public", secrets=project.environment.values())
    assert project.python in message
    wait_for(lambda: not connections(database), seconds=5)
    add_migration(project, HARMLESS)
    answer = run_module("django_migrate_schemas", scope="shared", **project.options())
    assert answer["migrated"][0]["migrations"] == ["tenants.0003_slow"], answer


def test_no_secret_stands_on_a_command_line_while_the_agent_runs(project, run_module):
    (project.directory / "waiting.py").write_text("import time\ntime.sleep(60)\n")
    process = start_module("django_tenant_info", **{**project.options(), "settings": "waiting"})
    try:
        agent = wait_for(
            lambda: [line for line in command_lines() if "exec(input())" in line and project.python in line]
        )
        assert agent
        require_no_secret("\n".join(command_lines()), project.environment.values())
    finally:
        process.kill()
        process.communicate(timeout=10)
    wait_for(lambda: not [line for line in command_lines() if "exec(input())" in line and project.python in line])


def command_lines():
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return found


@pytest.fixture
def owner(database):
    """A role that owns nothing yet but may make schemas and tables."""
    name = f"owner_{database.name}"
    database.execute(f"CREATE ROLE {name} NOLOGIN")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO {name}")
    database.execute(f"GRANT ALL ON SCHEMA public TO {name}")
    yield name
    database.execute(f"DROP OWNED BY {name} CASCADE")
    database.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_what_is_made_belongs_to_the_session_role(stack, sample, database, run_module, owner):
    options = {**sample("schema_tenants", stack=stack).options(), "session_role": owner}
    assert run_module("django_migrate_schemas", scope="shared", **options)["changed"]
    tenant = {"schema": "acme", "attributes": {"name": "Acme"}, "defaults": {"paid_until": "2099-12-31"}}
    answer = run_module("django_tenant", domains=["acme.localhost"], **tenant, **options)
    assert answer["summary"]["created"] == 1, answer
    owners = database.query(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'acme'::regnamespace)"
        " UNION SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'acme'"
    )
    assert owners == [(owner,)]


@pytest.fixture
def login(database, postgres):
    """The URL of a login role that is a member of no other."""
    name = f"login_{database.name}"
    database.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'l0gin-but-secret'")
    yield postgres.url(database.name, user=name, password="l0gin-but-secret")
    database.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("role", "words", "stack"),
    [("nobody-there", "does not exist", "oldest"), ("{owner}", "permission denied", "current")],
)
def test_a_session_role_that_can_not_be_taken_on_is_told(
    stack, role, words, sample, database, run_module, owner, login
):
    project = sample("schema_tenants", stack=stack, database_url=login)
    # An app that looks into the database while it loads, and passes over what goes wrong there.
    package = project.directory / "tenants" / "__init__.py"
    package.write_text("")
    (project.directory / "tenants" / "apps.py").write_text(
        "from django.apps import AppConfig\nfrom django.db import connection\n\n\n"
        "class TenantsConfig(AppConfig):\n    name = 'tenants'\n\n"
        "    def ready(self):\n        try:\n            connection.cursor()\n        except Exception:\n            pass\n"
    )
    role = role.format(owner=owner)
    before = database.dump()
    answer = run_module("django_migrate_schemas", scope="shared", **{**project.options(), "session_role": role})
    require_refusal(answer, "session_role", role, words, secrets=["l0gin-but-secret"])
    assert "GRANT" in answer["hint"]
    assert database.dump() == before


def test_a_session_role_is_refused_where_there_are_no_roles(sample, run_module):
    project = sample("row_tenants", database_url=None)
    answer = run_module("django_tenant_info", **{**project.options(), "session_role": "owner"})
    require_refusal(answer, "session_role", "sqlite")
