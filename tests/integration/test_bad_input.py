# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is wrong with a project, its Python or its database gets one clear error; nothing is written, no secret is shown."""

from __future__ import annotations

import sys

import pytest

from tests.support.refusals import MODULES, require_refusal

EVERY_MODULE = pytest.mark.parametrize("module", MODULES)
UNREACHABLE = "postgres://app:bMr7-unreachable@127.0.0.1:1/meats"
SECRETS = ["bMr7-unreachable", "for tests only", UNREACHABLE]


@pytest.fixture
def offline(sample):
    """The schema sample with a database that nobody serves, for what fails before there is a connection."""
    return sample("schema_tenants", database_url=UNREACHABLE)


@pytest.fixture
def answer(offline, run_module):
    """A function: what a module says to the offline sample with other options."""

    def run(module="django_migrate_schemas", **options):
        return run_module(module, **{**offline.options(), **MODULES[module], **options})

    return run


@EVERY_MODULE
def test_a_project_directory_that_is_missing_is_named(answer, module):
    message = require_refusal(answer(module, project="/srv/nowhere"), "/srv/nowhere", "does not exist", secrets=SECRETS)
    assert message.startswith("project: ")


def test_a_project_that_is_a_file_is_named(answer, tmp_path):
    (tmp_path / "file").touch()
    require_refusal(
        answer(project=str(tmp_path / "file")), str(tmp_path / "file"), "is not a directory", secrets=SECRETS
    )


def test_a_directory_that_says_nothing_of_settings_asks_for_them(answer, tmp_path):
    result = answer(project=str(tmp_path), settings=None)
    require_refusal(result, str(tmp_path), "there is no manage.py", secrets=SECRETS)
    assert "settings:" in result["hint"]


def test_settings_that_cannot_be_imported_where_there_is_no_manage_py(answer, tmp_path):
    require_refusal(answer(project=str(tmp_path)), "config.settings.dev", "no manage.py", secrets=SECRETS)


@EVERY_MODULE
def test_a_missing_interpreter_is_named_and_none_other_is_taken(answer, module):
    result = answer(module, python="/srv/nowhere/bin/python3", environment={"NUMBER": "3", "PLACE": "nowhere"})
    require_refusal(result, "python: ", "/srv/nowhere/bin/python3")


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("python3", ["'python3'", "not an absolute path"]),
        ("", ["python: "]),
        ([], ["python: ", "empty"]),
        (["/srv/nowhere/bin/python3"], ["/srv/nowhere/bin/python3", "No such file"]),
        (["nowhere-exec", "-i", "python"], ["nowhere-exec", "No such file"]),
        ("/etc/passwd", ["/etc/passwd", "not an executable"]),
        ("/usr", ["/usr", "not an executable"]),
        ("/bin/true", ["/bin/true", "exit status 0"]),
        ("/bin/cat", ["/bin/cat", "exit status 1"]),
        (["sh", "-c", "exit 7"], ["exit status 7"]),
        (["sh", "-c", "echo cannot reach the pod >&2; exit 1"], ["cannot reach the pod"]),
        (["sh", "-c", "kill -9 $$"], ["signal 9"]),
    ],
    ids=repr,
)
def test_what_is_no_interpreter_is_named(answer, python, words):
    require_refusal(answer(python=python), *words, secrets=SECRETS)


def test_a_prefix_that_does_not_pass_on_standard_input_is_told_so(answer):
    result = answer(python=["sh", "-c", 'exec "$@" </dev/null', "sh", sys.executable])
    require_refusal(result, "without a reply", secrets=SECRETS)
    assert "standard input" in result["hint"]


@EVERY_MODULE
def test_an_interpreter_without_django_is_named(answer, module):
    python = [sys.executable, "-S"]
    require_refusal(answer(module, python=python), sys.executable, "has no Django", secrets=SECRETS)


def test_missing_settings_are_named(answer, offline):
    require_refusal(
        answer(settings="config.settings.test"), "config.settings.test", str(offline.directory), secrets=SECRETS
    )


BROKEN = {
    "raising": ("raise RuntimeError('no licence')", ["RuntimeError: no licence"], "raise RuntimeError"),
    "syntax": ("DEBUG = = True", ["SyntaxError", "broken.py, line 1"], "DEBUG = = True"),
    "import": ("import environ_of_nobody", ["ModuleNotFoundError", "environ_of_nobody"], "import environ_of_nobody"),
    "exit": ("import sys; sys.exit('licence expired')", ["sys.exit('licence expired')"], "sys.exit"),
    "app": ("from config.settings.dev import *; INSTALLED_APPS = ['nobody']", ["nobody"], "nobody"),
    "engine": (
        "from config.settings.dev import *; DATABASES['default']['ENGINE'] = 'no.such'",
        ["no.such"],
        "no.such",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_settings_that_do_not_load_show_the_projects_own_error(answer, offline, broken):
    source, words, last = BROKEN[broken]
    (offline.directory / "broken.py").write_text(f"{source}\n")
    result = answer(settings="broken")
    require_refusal(result, "broken", *words, secrets=SECRETS)
    assert last in result["traceback"]
    # The project's own frames only: ours and the import machinery's tell nobody anything.
    assert "tenancy_agent" not in result["traceback"]
    assert "importlib" not in result["traceback"]


@EVERY_MODULE
def test_settings_that_raise_are_named_by_every_module(answer, offline, module):
    (offline.directory / "broken.py").write_text("raise RuntimeError('no licence')\n")
    require_refusal(answer(module, settings="broken"), "broken", "no licence", secrets=SECRETS)


def test_an_import_that_prints_megabytes_neither_blocks_nor_floods_the_error(answer, offline):
    (offline.directory / "broken.py").write_text(
        "import os, sys\n"
        "for number in range(30000):\n"
        "    print('x' * 100, number)\n"
        "    print('y' * 100, os.environ['DATABASE_URL'], file=sys.stderr)\n"
        "sys.stderr.write((os.environ['DATABASE_URL'] + '-') * 30000)\n"
        "raise RuntimeError('after all that')\n"
    )
    result = answer(settings="broken")
    require_refusal(result, "after all that", secrets=SECRETS)
    assert len(result["stderr"]) <= 16 * 1024
    # Not even the end of one whose beginning was cut off.
    assert "unreachable" not in result["stderr"]
    assert "********" in result["stderr"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(5)", ["exit status 5", "importing the settings broken"]),
        ("import os; os.kill(os.getpid(), 9)", ["signal 9", "importing the settings broken"]),
    ],
)
def test_a_project_that_ends_its_process_is_told_from_a_wrong_interpreter(answer, offline, source, words):
    (offline.directory / "broken.py").write_text(f"print('licence expired')\n{source}\n")
    result = answer(settings="broken")
    require_refusal(result, *words, secrets=SECRETS)
    assert "Python 3.8" not in result["hint"]


def test_an_import_that_hangs_is_stopped_by_the_timeout_with_its_line(answer, offline):
    (offline.directory / "broken.py").write_text("import time\ntime.sleep(600)\n")
    require_refusal(answer(settings="broken", timeout=1), "within 1 s", "broken.py, line 2", secrets=SECRETS)


@EVERY_MODULE
def test_a_database_that_is_down_is_named(answer, module):
    require_refusal(answer(module), "'meats'", "127.0.0.1:1", "'app'", "refused", secrets=SECRETS)


def test_an_unknown_alias_is_named(answer):
    require_refusal(answer(database="replica"), "'replica'", "default", secrets=SECRETS)


@pytest.fixture
def refused(run_module, sample, database, postgres):
    """A function: what a module says to a sample with this URL; the test's database must be as before."""

    def run(module, url, kind="schema_tenants", stack="current", **options):
        project = sample(kind, stack=stack, database_url=url)
        before = database.dump()
        result = run_module(module, **{**project.options(), **MODULES[module], **options})
        assert database.dump() == before
        return result

    return run


@pytest.mark.parametrize(
    ("module", "stack"), [*((module, "current") for module in MODULES), ("django_tenant_info", "oldest")]
)
def test_a_wrong_password_is_told(refused, database, postgres, module, stack):
    url = postgres.url(database.name, password="Wr0ng-or-old")
    result = refused(module, url, stack=stack)
    require_refusal(
        result, "password authentication failed", postgres.user, database.name, secrets=["Wr0ng-or-old", url]
    )


@EVERY_MODULE
def test_a_database_that_is_missing_is_named_and_not_made(refused, postgres, module):
    url = postgres.url("meats_of_nobody")
    result = refused(module, url)
    require_refusal(result, "'meats_of_nobody'", "does not exist", secrets=[postgres.password, url])
    assert postgres.query("postgres", "SELECT FROM pg_database WHERE datname = 'meats_of_nobody'") == []


@pytest.fixture
def weak_role(database, postgres, request):
    """A login role that may connect, and no more."""
    name = f"weak_{database.name}"
    database.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'w3ak-but-secret'")
    yield name
    database.execute(f"DROP OWNED BY {name}")
    database.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("kind", ["schema_tenants", "row_tenants"])
def test_a_role_that_may_not_create_tables_in_public_is_told_before_anything_is_written(
    refused, database, postgres, weak_role, kind
):
    url = postgres.url(database.name, user=weak_role, password="w3ak-but-secret")
    result = refused("django_migrate_schemas", url, kind)
    require_refusal(result, weak_role, "create tables in the schema 'public'", secrets=["w3ak-but-secret", url])
    assert f'GRANT CREATE ON SCHEMA "public" TO "{weak_role}"' in result["hint"]


def test_a_role_that_may_not_create_schemas_makes_no_tenant(refused, run_module, sample, database, postgres, weak_role):
    owner = sample("schema_tenants")
    assert run_module("django_migrate_schemas", **owner.options(), scope="shared")["changed"]
    database.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {weak_role}")
    database.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {weak_role}")
    url = postgres.url(database.name, user=weak_role, password="w3ak-but-secret")
    tenant = {"attributes": {"name": "Acme"}, "defaults": {"paid_until": "2099-12-31"}}
    result = refused("django_tenant", url, schema="acme", domains=["acme.localhost"], **tenant)
    require_refusal(result, weak_role, "create schemas", secrets=["w3ak-but-secret", url])


def test_a_role_that_may_not_read_is_told_so(refused, run_module, sample, database, postgres, weak_role):
    assert run_module("django_migrate_schemas", **sample("schema_tenants").options(), scope="shared")["changed"]
    url = postgres.url(database.name, user=weak_role, password="w3ak-but-secret")
    for module in MODULES:
        result = refused(module, url)
        require_refusal(result, "permission denied for table", "42501", secrets=["w3ak-but-secret", url])


@pytest.mark.parametrize("where", ["environment", "attributes", "defaults"])
def test_a_megabyte_of_arguments_arrives(refused, database, run_module, sample, where):
    project = sample("schema_tenants")
    megabyte = "meat " * 200_000
    run_module("django_migrate_schemas", **project.options(), scope="shared")
    if where == "environment":
        environment = {**project.environment, "BLOB": megabyte}
        answer = run_module("django_tenant_info", **{**project.options(), "environment": environment})
        assert not answer.get("failed"), answer
        assert megabyte not in str(answer)
        return
    fields = {"attributes": {"name": "Acme"}, "defaults": {"paid_until": "2099-12-31"}}
    fields[where] = {**fields[where], "name": megabyte}
    fields["attributes" if where == "defaults" else "defaults"].pop("name", None)
    result = refused("django_tenant", database.url, schema="acme", domains=["acme.localhost"], **fields)
    require_refusal(result, "name", "at most 100 characters (it has 1000000)")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"A=B": "1"}, ["environment: ", "'A=B'"]),
        ({"TOKEN": "s3cret\0value"}, ["environment: ", "TOKEN", "NUL"]),
        ({"TOKEN": {"s3cret": "value"}}, ["environment: ", "TOKEN", "text"]),
    ],
)
def test_an_environment_that_no_process_can_have_is_refused(answer, environment, words):
    require_refusal(answer(environment=environment), *words, secrets=["s3cret"])


def test_a_negative_timeout_is_refused(answer):
    require_refusal(answer(timeout=-1), "timeout: ")


def test_a_report_that_can_not_be_written_is_told_before_the_work(refused, database, tmp_path):
    report = str(tmp_path / "nowhere" / "report.json")
    require_refusal(
        refused("django_migrate_schemas", database.url, report=report), "report: ", str(tmp_path / "nowhere")
    )
