# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's audit: it stops a deploy before the first write, and stands by itself as a playbook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import checkout
from tests.support.deployment import deployment
from tests.support.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.deployment import Deployment, Run
    from tests.support.samples import Sample

LOOK = "Look for what would make the deploy fail"
SHOW = "Show what was found"
STOP = "Stop at what would make the deploy fail"
FIRST_WRITE = "Migrate what the tenants share"


@pytest.fixture
def broken(sample: Callable[..., Sample], tmp_path: Path) -> Deployment:
    """The schema sample with two leaf migrations in an app, to be deployed to an empty database."""
    project = sample("schema_tenants", environment="dev")
    for name in ("0005_weight", "0005_height"):
        operation = f"migrations.AddField('carrier', {name[5:]!r}, models.IntegerField(null=True))"
        Variant(project, None).migration("carriers", name, "0004_alter_carrier_slug", operation)
    return deployment(project, "dev", tmp_path)


def lines(run: Run) -> list[str]:
    """What was shown of the findings, a line each."""
    return [line.strip().rstrip(",").strip('"') for line in run.sections()[SHOW].splitlines()]


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_deploy_stops_before_the_first_write_and_says_what_to_do(
    broken: Deployment, database: Database, arguments: list[str]
) -> None:
    empty = database.dump()
    run = broken.deploy(*arguments, succeed=False)
    assert database.dump() == empty
    assert run.tasks()[STOP] == "fatal"
    assert FIRST_WRITE not in run.tasks()
    assert f"{STOP}: 1 error, " in run.sections()["Stop at what failed"]
    assert "makemigrations --merge" in run.sections()["Stop at what failed"]


def test_the_audit_alone_shows_each_finding_within_80_columns(broken: Deployment, database: Database) -> None:
    empty = database.dump()
    run = broken.run("audit", succeed=False)
    assert database.dump() == empty
    assert "error    several-leaf-nodes: carriers/migrations/0005_weight.py:4" in lines(run)
    assert any(line.startswith("  hint: Run 'manage.py makemigrations --merge'") for line in lines(run))
    assert max(map(len, run.sections()[SHOW].splitlines())) <= 80
    assert run.tasks()[STOP] == "fatal"


def test_the_audit_fails_on_what_is_not_known_and_meant(broken: Deployment) -> None:
    run = broken.run("audit", tenancy_audit_fail_on="never")
    assert run.tasks() == {**run.tasks(), LOOK: "ok", SHOW: "ok", STOP: "ok"}
    run = broken.run("audit", tenancy_audit_ignore=["several-leaf-nodes:carriers/*"])
    assert run.tasks() == {**run.tasks(), LOOK: "ok", SHOW: "skipping", STOP: "ok"}


def test_a_deploy_without_the_audit_is_refused_by_the_migrations_themselves(broken: Deployment) -> None:
    run = broken.deploy(succeed=False, tenancy_audit=False)
    assert run.tasks()[LOOK] == "skipping"
    assert "more than one leaf migration" in run.sections()["Stop at what failed"]


@pytest.mark.parametrize("name", ["schema_tenants", "row_tenants"])
def test_the_audit_alone_finds_nothing_where_the_deploy_will_do(
    sample: Callable[..., Sample], tmp_path: Path, name: str
) -> None:
    run = deployment(sample(name, environment="dev"), "dev", tmp_path).run("audit")
    assert run.tasks()[SHOW] == "skipping"
    assert "No errors, no warnings, no notices." in run.sections()[STOP]


def test_the_environments_of_a_play_are_compared_and_one_that_does_not_load_hides_nothing(
    sample: Callable[..., Sample], tmp_path: Path
) -> None:
    project = sample("schema_tenants", environment="dev")
    Variant(project, None).write(
        "config/settings/fewer.py",
        "from config.settings.dev import *\nTENANT_APPS = [app for app in TENANT_APPS if app != 'plants']\n"
        "INSTALLED_APPS = [app for app in INSTALLED_APPS if app != 'plants']\n",
    ).write("config/settings/broken.py", "from config.settings.dev import NOTHING\n")
    settings = {"dev": project.settings, "uat": "config.settings.fewer", "prod": "config.settings.broken"}
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(checkout.TOOLS / "python"),
        "tenancy_project": str(project.directory),
        "tenancy_python": project.python,
        "tenancy_environment": project.environment,
    }
    hosts = {"hosts": {host: {"tenancy_settings": module} for host, module in settings.items()}, "vars": common}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(json.dumps({"tenancy": hosts}), encoding="utf-8")
    done = checkout.ansible_playbook("-i", str(inventory), "playbooks/audit.yml")
    assert done.returncode != 0
    assert "environments-differ" in done.stdout
    assert "project-loads: config/settings/broken.py:1" in done.stdout
    told = " ".join(done.stdout.replace('",', "").replace('"', "").split())
    assert "TENANT_APPS has plants in config.settings.dev, and not in uat" in told, told
