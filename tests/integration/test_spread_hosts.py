# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploys over several real hosts, each with its own network and sshd, that share one database, or have two."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import checkout, nodes, postgres, samples
from tests.support.databases import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.nodes import Nodes

NODES = ["node1", "node2", "node3"]
TENANTS = [f"tenant{number}" for number in range(8)]
SECONDS = 120


@pytest.fixture(scope="module")
def hosts() -> Iterator[Nodes]:
    try:
        with nodes.running_nodes(NODES) as running:
            yield running
    except nodes.NodesError as error:
        pytest.skip(str(error))


def prepare(server: Postgres, name: str, directory: Path) -> None:
    """A database with the first release and some tenants, made without Ansible."""
    server.create_database(name)
    project = samples.copy_sample(
        "schema_tenants",
        directory,
        release="1",
        stack="current",
        environment="dev",
        database_url=server.url(name),
    )
    tenants = [{"schema": schema, "defaults": {"name": schema, "paid_until": "2099-12-31"}} for schema in TENANTS]
    for module, options in {
        "django_migrate_schemas": {"scope": "shared"},
        "django_tenant": {"tenants": tenants},
    }.items():
        result = checkout.run_module(module, **project.options(), **options)
        assert not result.get("failed"), result


@pytest.fixture(scope="module")
def template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    name = f"template_{os.getpid()}_spread"
    prepare(postgres, name, tmp_path_factory.mktemp("template") / "project")
    yield name
    postgres.drop_database(name)


@pytest.fixture
def fleet(new_database: Callable[..., Database], template: str) -> Database:
    return new_database(template)


class Deploy:
    """ansible-playbook with the deploy over an inventory of these hosts."""

    def __init__(self, directory: Path, variables: dict[str, dict[str, Any]], **common: Any) -> None:
        self.directory = directory
        domain = {
            "tenancy_domain": "localhost",
            "tenancy_public": {"defaults": {"name": "P", "paid_until": "2099-12-31"}},
        }
        common = {"ansible_python_interpreter": str(checkout.TOOLS / "python"), **domain, **common}
        self.inventory = directory / "hosts.yml"
        self.inventory.write_text(json.dumps({"tenancy": {"hosts": variables, "vars": common}}), encoding="utf-8")

    def start(self, *arguments: str) -> Deploy:
        self.output = self.directory / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [checkout.TOOLS / "ansible-playbook", "-i", self.inventory, "playbooks/deploy.yml", *arguments],
                cwd=checkout.ROOT,
                env=checkout.environment(
                    ANSIBLE_CONFIG=str(checkout.ROOT / "ansible.cfg"), PYTHONUNBUFFERED="1", ANSIBLE_PIPELINING="1"
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not re.search(pattern, self.text(), re.MULTILINE):
            assert time.monotonic() < deadline, self.text()
            assert self.process.poll() is None, self.text()
            time.sleep(0.1)

    def end(self, succeed: bool = True) -> str:
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                pytest.fail(self.text())
            time.sleep(0.1)
        assert (self.process.returncode == 0) == succeed, self.text()
        return self.text()

    def section(self, task: str) -> str:
        found = re.search(
            rf"^TASK \[.*: {re.escape(task)}\] \**\n(.*?)(\n\n|\Z)", self.text(), re.MULTILINE | re.DOTALL
        )
        assert found, self.text()
        return found[1]


@pytest.fixture
def deploying(hosts: Nodes, sample: Callable[..., Any], tmp_path: Path) -> Callable[..., Deploy]:
    """A function that prepares a deploy of the second release, each host with the database that is given for it."""

    def prepared(databases: dict[str, str]) -> Deploy:
        project = sample("schema_tenants", release="2", database_url=None)
        variables = {}
        for host, url in databases.items():
            environment = {**project.environment, "DATABASE_URL": url}
            variables[host] = {**hosts.host_variables(host), "tenancy_environment": environment}
        return Deploy(
            tmp_path,
            variables,
            tenancy_project=str(project.directory),
            tenancy_python=project.python,
            tenancy_settings=project.settings,
            tenancy_report=f"{tmp_path}/{{{{ inventory_hostname }}}}.json",
        )

    return prepared


def released(database: Database | tuple[Postgres, str]) -> set[str]:
    """The tenants' schemas that have the second release, each migration of it recorded once."""
    server, name = (database.postgres, database.name) if not isinstance(database, tuple) else database
    found = set()
    for schema in TENANTS:
        ((count,),) = server.query(
            name, f"SELECT count(*) FROM {schema}.django_migrations WHERE app = 'plants' AND name = '0004_dock'"
        )
        assert count in {0, 1}
        if count:
            found.add(schema)
    return found


def share(directory: Path, host: str) -> set[str]:
    """What a host has migrated, as its report says."""
    entries = json.loads((directory / f"{host}.json").read_text(encoding="utf-8"))["schemas"]
    return {entry["schema"] for entry in entries if entry["state"] == "migrated"}


def test_a_host_that_goes_down_holds_up_nobody_and_the_next_run_does_its_share(
    hosts, deploying, postgres, fleet, run_module, tmp_path
):
    blocker = fleet.connect()
    blocker.autocommit = False
    blocker.execute("LOCK TABLE tenant0.carriers_carrier IN ACCESS SHARE MODE")
    with nodes.door(hosts.gateway, postgres.port) as port:
        url = fleet.url.replace(f"@{postgres.host}:{postgres.port}/", f"@{hosts.gateway}:{port}/")
        deploy = deploying(dict.fromkeys(NODES, url)).start("-v")
        # The host that has this tenant waits, and the two others have done their shares.
        deploy.wait_for(r"^\[node\d\] .*tenant0 running for")
        deploy.wait_for(r"(?s)Migrate every tenant\] .*^changed: .*^changed: ")
        (held,) = re.findall(r"^\[(node\d)\] .*tenant0 running for", deploy.text(), re.MULTILINE)[-1:]
        other = sorted(set(NODES) - {held})
        # Still nobody else may deploy.
        options = samples.copy_sample(
            "schema_tenants",
            tmp_path / "other",
            release="2",
            stack="current",
            environment="dev",
            database_url=fleet.url,
        ).options()
        refused = run_module("django_migrate_schemas", lock_wait=0.1, **options)
        assert "Another run holds the deploy lock of this database" in refused["msg"]
        hosts.cut_off(held)
        output = deploy.end(succeed=False)
        message = output.partition("See that every host of the database has migrated its share")[2]
        assert re.search(rf"{held} has not migrated its share, \d of 3", message), output
        assert all(f"fatal: [{host}]" in message for host in other)
        assert released(fleet) == share(tmp_path, other[0]) | share(tmp_path, other[1]) < {*TENANTS}
        blocker.rollback()
        output = deploy.start().end()
        assert released(fleet) == {*TENANTS}
        migrated = deploy.section("Migrate every tenant")
        assert [host for host in NODES if f"changed: [{host}]" in migrated] == [held]
        assert "skipping: [node2]" in deploy.section("Migrate what the tenants share")


@pytest.fixture(scope="module")
def second_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = postgres.Server(tmp_path_factory.mktemp("second") / "postgres")
    try:
        yield Postgres(server.start())
    finally:
        server.remove()


def test_two_databases_are_deployed_side_by_side_each_by_its_own_hosts(
    hosts, deploying, postgres, second_server, fleet, tmp_path
):
    prepare(second_server, fleet.name, tmp_path / "second")
    with nodes.door(hosts.gateway, postgres.port) as one, nodes.door(hosts.gateway, second_server.port) as two:
        urls = [
            f"postgres://{server.user}:{server.password}@{hosts.gateway}:{port}/{fleet.name}"
            for server, port in [(postgres, one), (second_server, two)]
        ]
        deploy = deploying({"node1": urls[0], "node2": urls[1], "node3": urls[0]}).start()
        deploy.end()
    assert released(fleet) == released((second_server, fleet.name)) == {*TENANTS}
    # What is done once was done by the first host of each; the tenants of the database that two hosts have are shared out.
    shared = deploy.section("Migrate what the tenants share")
    assert [host for host in NODES if f"changed: [{host}]" in shared] == ["node1", "node2"]
    assert share(tmp_path, "node1") | share(tmp_path, "node3") == share(tmp_path, "node2") == {*TENANTS}
    assert not share(tmp_path, "node1") & share(tmp_path, "node3")
    assert len(re.findall("9 tenant.s., 9 schema.s.: every table is there, nothing is pending", deploy.text())) == 3
