# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several hosts of one database wait for, and what they foresee; this machine is all of the hosts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import checkout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database

HOSTS = ["one", "two"]
TENANTS = ["acme", "globex", "hooli"]


@pytest.fixture
def deploy(sample: Callable[..., Any], tmp_path: Path) -> Callable[..., str]:
    """A function that runs the deploy on two hosts, and gives what was said."""
    project = sample("schema_tenants")
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(checkout.TOOLS / "python"),
        "tenancy_project": str(project.directory),
        "tenancy_python": project.python,
        "tenancy_settings": project.settings,
        "tenancy_environment": project.environment,
        "tenancy_domain": "localhost",
        "tenancy_public": {"defaults": {"name": "Public", "paid_until": "2099-12-31"}},
        "tenancy_tenants": [
            {"schema": schema, "defaults": {"name": schema, "paid_until": "2099-12-31"}} for schema in TENANTS
        ],
    }

    def run(*arguments: str, succeed: bool = True, **variables: Any) -> str:
        inventory = tmp_path / "hosts.yml"
        hosts = {"hosts": {host: {} for host in HOSTS}, "vars": {**common, **variables}}
        inventory.write_text(json.dumps({"tenancy": hosts}), encoding="utf-8")
        done = checkout.ansible_playbook("-i", str(inventory), "playbooks/deploy.yml", *arguments)
        output = done.stdout + done.stderr
        assert (done.returncode == 0) == succeed, output
        return output

    return run


def test_nobody_begins_before_the_first_host_has_prepared_the_database(deploy, database: Database, tmp_path):
    hook = tmp_path / "backup.yml"
    hook.write_text(
        json.dumps([{"name": "Back up", "ansible.builtin.fail": {"msg": "no space left for the backup"}}]),
        encoding="utf-8",
    )
    output = deploy(tenancy_before=[str(hook)], succeed=False)
    assert "fatal: [one]" in output
    assert "fatal: [two]" in output
    assert "one has not migrated its share, 1 of 2: it failed before, or can not be reached." in output
    assert "two has not migrated its share, 2 of 2: one has not prepared the database." in output
    assert database.tables() == []


def test_several_hosts_foresee_what_one_would_and_write_nothing(deploy, database: Database):
    output = deploy("--check")
    assert database.tables() == []
    assert len(re.findall("every table is there, or a pending migration makes it", output)) == len(HOSTS)


def test_without_spreading_every_host_does_the_whole_deploy(deploy, database: Database):
    output = deploy(tenancy_spread="none")
    assert "See which database each host works on" not in output
    assert {"acme", "globex", "hooli", "public"} <= set(database.schemas())
    recap = re.findall(r"^(one|two) .* changed=(\d+) .* failed=0", output, re.MULTILINE)
    assert len(recap) == len(HOSTS)
