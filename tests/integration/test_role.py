# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role, its playbooks and the three inventories: real deploys of the samples with ansible-playbook."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import checkout, samples
from tests.support.deployment import ENVIRONMENTS, Deployment, deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database, Postgres
    from tests.support.deployment import Run
    from tests.support.samples import Sample

BUSINESS_TABLES = ["carriers_carrier", "contacts_contact", "customers_customer", "plants_plant", "suppliers_supplier"]
STEPS = [
    "Migrate what the tenants share",
    "Ensure the public tenant and the environment's domain",
    "Ensure the tenants that the inventory declares",
    "Migrate every tenant",
    "Look for the tables that the code needs",
    "Verify that every table is where the code needs it",
]


@pytest.fixture
def deploying(sample: Callable[..., Sample], tmp_path: Path) -> Callable[..., Deployment]:
    """A function that prepares the deploy of a sample with one of the inventories."""

    def prepare(name: str, environment: str = "dev", **options: Any) -> Deployment:
        return deployment(sample(name, environment=environment, **options), environment, tmp_path)

    return prepare


@pytest.fixture(scope="module")
def template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A function that names the database that a sample has been deployed to, with the inventory of dev."""
    made: dict[str, str] = {}

    def deployed(name: str) -> str:
        if name not in made:
            made[name] = f"template_{os.getpid()}_{name}"
            postgres.create_database(made[name])
            directory = tmp_path_factory.mktemp("template")
            url = postgres.url(made[name])
            copy = samples.copy_sample(
                name, directory / name, release="1", stack="current", environment="dev", database_url=url
            )
            deployment(copy, "dev", directory).deploy()
        return made[name]

    yield deployed
    for name in made.values():
        postgres.drop_database(name)


@pytest.fixture
def deployed(
    new_database: Callable[..., Database], template: Callable[[str], str], deploying: Callable[..., Deployment]
) -> Callable[[str], tuple[Deployment, Database]]:
    """A function that gives a sample with a database that it has been deployed to."""

    def copy(name: str) -> tuple[Deployment, Database]:
        database = new_database(template(name))
        return deploying(name, database_url=database.url), database

    return copy


def hook(directory: Path, name: str, text: str = "") -> str:
    """A task file that leaves its name in a file, with what it sees."""
    tasks = [
        {
            "name": f"Remember {name}",
            "ansible.builtin.lineinfile": {"path": str(directory / "log"), "line": f"{name}{text}", "create": True},
        }
    ]
    file = directory / f"{name}.yml"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    return str(file)


def steps_of(run: Run) -> dict[str, str]:
    """What was said of the steps that write, less how far they had come at some moment."""
    return {step: re.sub(r"^\[\S+\] \d+ done, .*\n", "", run.sections()[step], flags=re.M) for step in STEPS[:4]}


def domains(database: Database) -> dict[str, str]:
    return dict(
        database.query(
            "SELECT d.domain, c.schema_name FROM public.tenants_domain d JOIN public.tenants_client c ON c.id = d.tenant_id"
        )
    )


@pytest.mark.parametrize(
    ("environment", "stack"),
    [("dev", "current"), ("uat", "current"), ("prod", "current"), ("dev", "oldest")],
)
class TestReleases:
    """From an empty database through a redeploy to the next release, seen in check mode first."""

    def test_of_a_project_with_a_schema_for_each_tenant(
        self, deploying: Callable[..., Deployment], database: Database, environment: str, stack: str
    ) -> None:
        project = deploying("schema_tenants", environment, stack=stack)
        domain = ENVIRONMENTS[environment]

        first = project.deploy()
        assert first.changed > 0
        assert database.schemas() == ["acme", "globex", "public"]
        assert domains(database) == {domain: "public", f"acme.{domain}": "acme", f"globex.{domain}": "globex"}
        for schema in ["acme", "globex"]:
            assert set(BUSINESS_TABLES) < set(database.tables(schema))
            assert "tenants_client" not in database.tables(schema)
        assert not set(BUSINESS_TABLES) & set(database.tables("public"))

        deployed = database.dump()
        assert project.deploy("-vvv").changed == 0
        assert database.dump() == deployed

        project.sample.upgrade("2")
        foreseen = project.deploy("--check", "--diff")
        assert database.dump() == deployed
        assert foreseen.tasks()[STEPS[0]] == foreseen.tasks()[STEPS[3]] == "changed"
        for migration in ["tenants.0003", "carriers.0005", "customers.0004", "plants.0004"]:
            assert migration in foreseen.output

        done = project.deploy("--diff")
        assert steps_of(done) == steps_of(foreseen)
        for schema in ["acme", "globex"]:
            assert "plants_dock" in database.tables(schema)
        released = database.dump()
        assert released != deployed
        assert project.deploy().changed == 0
        assert database.dump() == released

    def test_of_a_project_with_a_row_for_each_tenant(
        self, deploying: Callable[..., Deployment], database: Database, environment: str, stack: str
    ) -> None:
        project = deploying("row_tenants", environment, stack=stack)

        first = project.deploy()
        assert first.changed > 0
        assert first.tasks()[STEPS[1]] == "skipping"
        assert database.query("SELECT slug FROM tenants_tenant ORDER BY 1") == [("acme",), ("globex",)]
        assert set(BUSINESS_TABLES) < set(database.tables())
        nullable = database.query(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id' AND is_nullable = 'YES'"
        )
        assert nullable == []

        deployed = database.dump()
        assert project.deploy("-vvv").changed == 0
        assert database.dump() == deployed

        project.sample.upgrade("2")
        foreseen = project.deploy("--check", "--diff")
        assert database.dump() == deployed
        for migration in ["tenants.0005", "carriers.0005", "customers.0006", "plants.0005"]:
            assert migration in foreseen.output

        assert steps_of(project.deploy("--diff")) == steps_of(foreseen)
        released = database.dump()
        assert "plants_dock" in database.tables()
        assert project.deploy().changed == 0
        assert database.dump() == released


@pytest.mark.parametrize("name", ["schema_tenants", "row_tenants"])
def test_check_mode_foresees_a_release_that_comes_with_changes_to_the_tenants(
    deployed: Callable[[str], tuple[Deployment, Database]], name: str
) -> None:
    project, database = deployed(name)
    project.sample.upgrade("2")
    if name == "schema_tenants":
        # One that lost its row, one that gets another domain, one that is new.
        database.execute("DELETE FROM tenants_domain WHERE domain = 'acme.localhost'")
        database.execute("DELETE FROM tenants_client WHERE schema_name = 'acme'")
        first, second, new = {"schema": "acme"}, {"schema": "globex"}, {"schema": "initech"}
        defaults = {"name": "Foods", "paid_until": "2099-12-31"}
    else:
        first, second, new = ({"key": {"slug": slug}} for slug in ["acme", "globex", "initech"])
        defaults = {"name": "Foods", "contact_email": "ops@foods.example"}
    tenants = [
        {**first, "defaults": defaults, "domains": ["acme.localhost"]},
        {**second, "domains": ["globex.localhost", "foods.localhost"]},
        {**new, "defaults": defaults, "domains": ["initech.localhost"]},
    ]
    before = database.dump()
    foreseen = project.deploy("--check", "--diff", tenancy_tenants=tenants)
    assert database.dump() == before
    assert "initech.localhost" in foreseen.sections()[STEPS[2]]
    assert "foods.localhost" in foreseen.sections()[STEPS[2]]
    done = project.deploy("--diff", tenancy_tenants=tenants)
    assert steps_of(done) == steps_of(foreseen)
    assert project.deploy(tenancy_tenants=tenants).changed == 0


def test_tenants_as_rows_also_deploy_to_sqlite(deploying: Callable[..., Deployment], tmp_path: Path) -> None:
    file = tmp_path / "db.sqlite3"
    project = deploying("row_tenants", database_url=f"sqlite:///{file}")
    project.deploy("--check", "--diff")
    assert not file.exists() or file.stat().st_size == 0
    assert project.deploy().changed > 0
    content = file.read_bytes()
    assert project.deploy().changed == 0
    assert file.read_bytes() == content


@pytest.mark.parametrize("stack", ["current", "oldest"])
@pytest.mark.parametrize("name", ["schema_tenants", "row_tenants"])
def test_check_mode_shows_the_whole_deploy_to_an_empty_database_and_writes_nothing(
    deploying: Callable[..., Deployment], database: Database, name: str, stack: str
) -> None:
    empty = database.dump()
    run = deploying(name, stack=stack).deploy("--check", "--diff")
    assert database.dump() == empty
    tasks = run.tasks()
    assert [step for step in STEPS if step in tasks] == STEPS
    assert tasks[STEPS[0]] == tasks[STEPS[2]] == "changed"
    for word in ["acme", "globex", "acme.localhost", "tenants.0001_initial", "plants.0001_initial"]:
        assert word in run.output
    if name == "schema_tenants":
        assert tasks[STEPS[1]] == "changed"


def test_the_first_step_takes_what_migrate_first_names(deploying: Callable[..., Deployment]) -> None:
    run = deploying("row_tenants").deploy("--check", "--diff", tenancy_migrate_first=["plants:0001", "customers:0001"])
    names = re.findall(r"^\+(\w+\.\w+)$", run.sections()[STEPS[0]], re.MULTILINE)
    assert (
        names.index("plants.0001_initial") < names.index("customers.0001_initial") < names.index("tenants.0001_initial")
    )
    assert "contacts.0001_initial" not in names


def test_how_to_migrate_is_told_to_every_step_that_migrates(
    deployed: Callable[[str], tuple[Deployment, Database]],
) -> None:
    wanted = {
        "executor": "django",
        "signals": "always",
        "workers": 1,
        "lock_timeout": 7.5,
        "statement_timeout": 90,
        "retries": 1,
        "max_failures": "10%",
        "lock_wait": 5,
        "progress": False,
    }
    project, _database = deployed("schema_tenants")
    run = project.deploy("-vvv", **{f"tenancy_{name}": value for name, value in wanted.items()})
    for step in STEPS[:4]:
        text = run.sections()[step]
        result = json.loads(text[text.index("{") : text.rindex("}") + 1])
        told = result["invocation"]["module_args"]
        known = set(wanted) if step in (STEPS[0], STEPS[3]) else {"lock_wait", "progress"}
        assert {name: told[name] for name in known} == {name: wanted[name] for name in known}
        if step == STEPS[3]:
            assert result["summary"]["signalled"] == 2


def test_the_report_lists_every_schema(deployed: Callable[[str], tuple[Deployment, Database]], tmp_path: Path) -> None:
    project, _database = deployed("schema_tenants")
    project.sample.upgrade("2")
    project.deploy(tenancy_report=str(tmp_path / "report.json"))
    report = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert isinstance(json.loads(report), (dict, list))
    for word in ["acme", "globex", "carriers.0005_carrier_home_state"]:
        assert word in report


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("django_tenant", "schema=initech domains=initech.localhost defaults={{ tenancy_public.defaults }}"),
        ("django_migrate_schemas", "scope=all"),
        ("django_tenant_info", ""),
    ],
)
def test_the_modules_work_ad_hoc_from_the_checkout_in_check_mode_too(
    deployed: Callable[[str], tuple[Deployment, Database]], module: str, options: str
) -> None:
    project, database = deployed("schema_tenants")
    if module != "django_tenant":
        project.sample.upgrade("2")
    shared = "project={{ tenancy_project }} python={{ tenancy_python }} settings={{ tenancy_settings }} environment={{ tenancy_environment }}"
    command = [
        "all",
        "-i",
        "inventories/dev",
        "-e",
        json.dumps(project.variables),
        "-m",
        f"meatscentral.tenancy.{module}",
    ]
    command += ["-a", f"{shared} {options}"]
    before = database.dump()
    for check in [["--check"], []]:
        done = checkout.ansible("ansible", *command, *check, env=project.env)
        assert done.returncode == 0, done.stdout + done.stderr
        assert all(secret not in done.stdout + done.stderr for secret in project.secrets)
        if check:
            assert database.dump() == before
    assert (database.dump() == before) == (module == "django_tenant_info")


def test_without_its_secret_dev_says_what_to_export(deploying: Callable[..., Deployment]) -> None:
    project = deploying("schema_tenants")
    del project.env["DATABASE_URL"]
    assert "export DATABASE_URL=" in project.deploy(succeed=False).output


def test_a_variable_of_the_wrong_kind_is_refused_before_anything_is_done(
    deploying: Callable[..., Deployment], database: Database
) -> None:
    empty = database.dump()
    run = deploying("schema_tenants").deploy(
        succeed=False, tenancy_timeout="soon", tenancy_tenants=[{"schema": "acme", "domain": "acme.localhost"}]
    )
    assert "tenancy_timeout" in run.output
    assert "domain" in run.output
    assert database.dump() == empty


class TestOrder:
    """Broken on purpose: the tenants before the public tenant."""

    def test_tenants_before_the_public_tenant_are_refused_with_the_task_to_run_first(
        self, deployed: Callable[[str], tuple[Deployment, Database]], tmp_path: Path
    ) -> None:
        project, database = deployed("schema_tenants")
        database.execute("DELETE FROM tenants_domain; DELETE FROM tenants_client")
        before = database.dump()
        run = project.run(self.playbook(tmp_path), succeed=False)
        assert "meatscentral.tenancy.django_tenant" in run.output
        assert "public" in run.output
        assert database.dump() == before

    def test_tenants_on_an_empty_database_are_refused(
        self, deploying: Callable[..., Deployment], database: Database, tmp_path: Path
    ) -> None:
        empty = database.dump()
        run = deploying("schema_tenants").run(self.playbook(tmp_path), succeed=False)
        assert "meatscentral.tenancy." in run.output
        assert database.dump() == empty

    def playbook(self, directory: Path) -> Path:
        task = {
            "name": "Migrate the tenants first",
            "meatscentral.tenancy.django_migrate_schemas": {
                "project": "{{ tenancy_project }}",
                "python": "{{ tenancy_python }}",
                "settings": "{{ tenancy_settings }}",
                "environment": "{{ tenancy_environment }}",
                "scope": "tenants",
            },
        }
        file = directory / "broken.yml"
        file.write_text(json.dumps([{"hosts": "tenancy", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
        return file


class TestHooks:
    NAMES = ("before", "after_shared", "after_public", "after_tenants", "after_migrate", "after")

    def test_run_between_the_steps_in_order(
        self, deployed: Callable[[str], tuple[Deployment, Database]], tmp_path: Path
    ) -> None:
        hooks: dict[str, list[str]] = {f"tenancy_{name}": [hook(tmp_path, name)] for name in self.NAMES}
        hooks["tenancy_before"].append(hook(tmp_path, "second"))
        hooks["tenancy_on_failure"] = [hook(tmp_path, "on_failure")]
        run = deployed("schema_tenants")[0].deploy(**hooks)
        assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["before", "second", *self.NAMES[1:]]
        order = [name for name in run.sections() if name in STEPS or name.startswith("Remember ")]
        remembered = [f"Remember {name}" for name in self.NAMES]
        pairs = zip(remembered, [STEPS[:1], STEPS[1:2], STEPS[2:3], STEPS[3:4], STEPS[4:], []], strict=True)
        assert [name for name in order if name != "Remember second"] == [
            name for first, steps in pairs for name in [first, *steps]
        ]

    def test_on_failure_learn_what_failed_and_the_role_fails_with_it(
        self, deploying: Callable[..., Deployment], tmp_path: Path
    ) -> None:
        # The rehearsal finds it before the first step writes.
        broken = [{"schema": "acme", "attributes": {"no_such_field": 1}}]
        run = deploying("schema_tenants").deploy(
            succeed=False,
            tenancy_tenants=broken,
            tenancy_after=[hook(tmp_path, "after")],
            tenancy_on_failure=[hook(tmp_path, "failed", ": {{ ansible_failed_result.msg }}")],
        )
        log = (tmp_path / "log").read_text(encoding="utf-8")
        assert log.startswith("failed: ")
        assert "no_such_field" in log
        assert list(run.tasks())[-1] == "Stop at what failed"
        assert f"{STEPS[0]}: " in run.output.rpartition("Stop at what failed")[2]
        assert "no_such_field" in run.output.rpartition("Stop at what failed")[2]

    def test_that_fail_themselves_do_not_hide_what_failed_first(
        self, deploying: Callable[..., Deployment], tmp_path: Path
    ) -> None:
        failing = tmp_path / "failing.yml"
        failing.write_text(json.dumps([{"ansible.builtin.fail": {"msg": "the hook too"}}]), encoding="utf-8")
        run = deploying("schema_tenants").deploy(
            succeed=False, tenancy_tenants=[{"schema": "pg_acme"}], tenancy_on_failure=[str(failing)]
        )
        assert "the hook too" in run.output
        assert f"{STEPS[0]}: " in run.output.rpartition("Stop at what failed")[2]

    def test_call_modules_that_know_the_project_already(
        self, deployed: Callable[[str], tuple[Deployment, Database]], tmp_path: Path
    ) -> None:
        file = tmp_path / "ask.yml"
        file.write_text(
            json.dumps([{"name": "Ask", "meatscentral.tenancy.django_tenant_info": {"schemas": ["acme"]}}]),
            encoding="utf-8",
        )
        assert deployed("schema_tenants")[0].deploy(tenancy_after=[str(file)]).tasks()["Ask"] == "ok"


class TestVerification:
    def test_names_each_table_that_is_not_there(self, deployed: Callable[[str], tuple[Deployment, Database]]) -> None:
        project, database = deployed("schema_tenants")
        database.execute("DROP TABLE acme.carriers_carrier CASCADE; DROP TABLE globex.contacts_contact CASCADE")
        # The audit finds them too, and first.
        project.variables["tenancy_audit"] = False
        run = project.deploy(succeed=False)
        assert run.tasks()[STEPS[5]] == "fatal"
        assert "acme.carriers_carrier" in run.output
        assert "globex.contacts_contact" in run.output
        assert "globex.carriers_carrier" not in run.output

        ignore = ["acme.carriers_carrier", "*.contacts_*"]
        assert project.deploy(tenancy_verify_ignore=ignore).changed == 0
        assert project.deploy(tenancy_verify=False).tasks()[STEPS[5]] == "skipping"

    def test_names_each_table_where_tenants_are_rows(
        self, deployed: Callable[[str], tuple[Deployment, Database]]
    ) -> None:
        project, database = deployed("row_tenants")
        database.execute("DROP TABLE plants_plant CASCADE")
        assert "public.plants_plant" in project.deploy(succeed=False).output


class TestStatus:
    def test_shows_tenants_domains_and_what_is_pending(
        self, deployed: Callable[[str], tuple[Deployment, Database]]
    ) -> None:
        project, database = deployed("schema_tenants")
        run = project.run("status")
        assert run.changed == 0
        for line in [
            ["public", "ok", "localhost"],
            ["acme", "ok", "acme.localhost"],
            ["globex", "ok", "globex.localhost"],
        ]:
            assert line in [words.strip(' ",').split() for words in run.output.splitlines()]

        project.sample.upgrade("2")
        database.execute(
            "DROP SCHEMA globex CASCADE; CREATE SCHEMA stray; CREATE TABLE stray.django_migrations (LIKE acme.django_migrations)"
        )
        before = database.dump()
        run = project.run("status")
        assert database.dump() == before
        for words in [
            "no schema",
            "problem: ",
            "pending in public acme",
            "carriers.0005_carrier_home_state",
            "schema without a tenant",
        ]:
            assert words in run.output

    def test_answers_on_an_empty_database(self, deploying: Callable[..., Deployment], database: Database) -> None:
        empty = database.dump()
        deploying("schema_tenants").run("status")
        assert database.dump() == empty

    def test_shows_tenants_that_are_rows(self, deployed: Callable[[str], tuple[Deployment, Database]]) -> None:
        project, _database = deployed("row_tenants")
        words = [line.strip(' ",').split() for line in project.run("status").output.splitlines()]
        assert ["globex", "ok", "globex.localhost"] in words


class TestRepair:
    def test_completes_a_tenant_whatever_is_missing(
        self, deployed: Callable[[str], tuple[Deployment, Database]]
    ) -> None:
        project, database = deployed("schema_tenants")
        tables = database.tables("acme")
        for harm in [
            "DROP SCHEMA acme CASCADE",
            "DELETE FROM tenants_domain WHERE domain = 'acme.localhost'",
            "DELETE FROM tenants_domain WHERE domain = 'acme.localhost'; DELETE FROM tenants_client WHERE schema_name = 'acme'",
        ]:
            database.execute(harm)
            other = database.query("SELECT * FROM globex.django_migrations ORDER BY id")
            assert project.run("repair", tenant="acme").changed > 0
            assert database.tables("acme") == tables
            assert domains(database)["acme.localhost"] == "acme"
            assert database.query("SELECT * FROM globex.django_migrations ORDER BY id") == other
        assert project.run("repair", tenant="acme").changed == 0

    def test_finishes_a_schema_that_is_half_migrated(
        self, deployed: Callable[[str], tuple[Deployment, Database]]
    ) -> None:
        project, database = deployed("schema_tenants")
        tables = database.tables("acme")
        project.sample.manage("migrate_schemas", "--schema=acme", "plants", "zero")
        project.sample.manage("migrate_schemas", "--schema=acme", "carriers", "0001")
        assert database.tables("acme") != tables
        assert project.run("repair", tenant="acme").changed > 0
        assert database.tables("acme") == tables
        assert project.deploy().changed == 0

    def test_shows_in_check_mode_what_it_would_do(self, deployed: Callable[[str], tuple[Deployment, Database]]) -> None:
        project, database = deployed("schema_tenants")
        database.execute("DROP SCHEMA acme CASCADE")
        before = database.dump()
        run = project.run("repair", "--check", "--diff", tenant="acme")
        assert run.changed > 0
        assert database.dump() == before

    def test_knows_tenants_that_only_the_database_has(
        self, deployed: Callable[[str], tuple[Deployment, Database]]
    ) -> None:
        project, database = deployed("schema_tenants")
        database.execute("DROP SCHEMA globex CASCADE")
        assert project.run("repair", tenant="globex", tenancy_tenants=[]).changed > 0
        assert set(BUSINESS_TABLES) < set(database.tables("globex"))

    def test_brings_the_public_tenant_back(self, deployed: Callable[[str], tuple[Deployment, Database]]) -> None:
        project, database = deployed("schema_tenants")
        database.execute(
            "DELETE FROM tenants_domain WHERE domain = 'localhost'; DELETE FROM tenants_client WHERE schema_name = 'public'"
        )
        project.run("repair", tenant="public")
        assert domains(database)["localhost"] == "public"

    def test_brings_a_row_and_its_domains_back(self, deployed: Callable[[str], tuple[Deployment, Database]]) -> None:
        project, database = deployed("row_tenants")
        database.execute(
            "DELETE FROM tenants_domain USING tenants_tenant t WHERE tenant_id = t.id AND slug = 'globex';"
            " DELETE FROM tenants_tenant WHERE slug = 'globex'"
        )
        assert project.run("repair", tenant="globex").changed > 0
        assert database.query(
            "SELECT domain FROM tenants_domain d JOIN tenants_tenant t ON t.id = tenant_id WHERE slug = 'globex'"
        ) == [("globex.localhost",)]
        assert project.run("repair", tenant="globex").changed == 0

    @pytest.mark.parametrize(
        ("variables", "sentence"),
        [({}, "Name the tenant to repair: -e tenant=NAME."), ({"tenant": "acmee"}, 'There is no tenant "acmee"')],
    )
    def test_refuses_a_tenant_that_is_not_named_or_not_known(
        self, deployed: Callable[[str], tuple[Deployment, Database]], variables: dict[str, str], sentence: str
    ) -> None:
        project, database = deployed("schema_tenants")
        before = database.dump()
        run = project.run("repair", succeed=False, **variables)
        assert sentence in run.output.replace('\\"', '"')
        assert "acme, globex, public" in run.output
        assert database.dump() == before


def test_every_role_variable_is_described_with_its_default() -> None:
    yaml = pytest.importorskip("yaml")
    role = checkout.ROOT / "roles" / "tenancy"
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    described = {name: option for spec in specs.values() for name, option in spec["options"].items()}
    assert {name: option["default"] for name, option in described.items() if not option.get("required")} == defaults
    assert all("description" in option for option in described.values())
