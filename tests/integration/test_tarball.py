# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users get: the built collection, installed where nothing else is, deploys a project by its playbook's name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import checkout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.samples import Sample

# Beside the directories below, nothing but papers.
CARRIED_WHOLE = ("LICENSES/", "docs/", "meta/", "playbooks/", "plugins/", "roles/")
PAPERS = {"CHANGELOG.rst", "LICENSE", "README.md", "changelogs/changelog.yaml", "changelogs/config.yaml"}
ADDED_BY_GALAXY = {"FILES.json", "MANIFEST.json"}


@dataclass(frozen=True)
class EmptyPlace:
    """A directory with the installed collection and nothing of the checkout, and its Ansible."""

    directory: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [checkout.TOOLS / program, *arguments],
            cwd=self.directory,
            env=checkout.environment(
                HOME=str(self.directory),
                ANSIBLE_HOME=str(self.directory / ".ansible"),
                ANSIBLE_COLLECTIONS_PATH=str(self.directory / "collections"),
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=checkout.RUN_SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout as it is, with all that tools and runs have left in it."""
    directory = tmp_path_factory.mktemp("tarball")
    done = checkout.ansible("ansible-galaxy", "collection", "build", "--output-path", directory)
    assert done.returncode == 0, done.stderr
    (file,) = directory.glob("meatscentral-tenancy-*.tar.gz")
    return file


@pytest.fixture(scope="module")
def place(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> EmptyPlace:
    place = EmptyPlace(tmp_path_factory.mktemp("empty"))
    done = place.run("ansible-galaxy", "collection", "install", "--offline", "-p", "collections", str(tarball))
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A managed node's Python: without Django, a driver, or anything else."""
    directory = tmp_path_factory.mktemp("node")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    return directory / "bin" / "python"


def test_it_carries_what_is_used_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        carried = {member.name for member in archive.getmembers() if not member.isdir()}
    used = {name for name in checkout.files() if name.startswith(CARRIED_WHOLE) or name in PAPERS}
    assert carried == used | ADDED_BY_GALAXY


def test_its_manifest_names_licence_and_no_dependency(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        manifest = archive.extractfile("MANIFEST.json")
        assert manifest is not None
        information = json.load(manifest)["collection_info"]
    assert information["dependencies"] == {}
    assert information["license"] == ["GPL-3.0-or-later", "BSD-2-Clause"]


def test_every_plugin_documents_itself_there(place: EmptyPlace) -> None:
    done = place.run("ansible-doc", "--list", "--json", "meatscentral.tenancy")
    assert done.returncode == 0, done.stderr
    names = {path.stem for path in (checkout.ROOT / "plugins" / "modules").glob("*.py")}
    assert set(json.loads(done.stdout)) == {f"meatscentral.tenancy.{name}" for name in names}


def test_it_deploys_the_sample_by_name(
    place: EmptyPlace, bare_python: Path, sample: Callable[..., Sample], database: Database
) -> None:
    project = sample("schema_tenants")
    inventory = place.directory / "inventory.json"
    inventory.write_text(json.dumps(inventory_of(project, bare_python)), encoding="utf-8")

    first = place.run("ansible-playbook", "-i", inventory.name, "meatscentral.tenancy.deploy")
    assert first.returncode == 0, first.stdout + first.stderr
    assert database.schemas() == ["acme", "public"]
    assert "tenants_client" in database.tables("public")
    assert {"carriers_carrier", "plants_plant"} <= set(database.tables("acme"))
    assert str(checkout.ROOT / "plugins") not in first.stdout + first.stderr

    second = place.run("ansible-playbook", "-i", inventory.name, "meatscentral.tenancy.deploy")
    assert second.returncode == 0, second.stdout + second.stderr
    assert re.search(r"\bchanged=0\b", second.stdout), second.stdout


def inventory_of(project: Sample, node_python: Path) -> dict[str, Any]:
    paid = {"paid_until": "2099-12-31", "on_trial": False}
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(node_python),
        "tenancy_project": str(project.directory),
        "tenancy_python": project.python,
        "tenancy_settings": project.settings,
        "tenancy_environment": project.environment,
        "tenancy_domain": "localhost",
        "tenancy_public": {"defaults": {"name": "Public", **paid}},
        "tenancy_tenants": [
            {"schema": "acme", "defaults": {"name": "Acme Meats", **paid}, "domains": ["acme.localhost"]}
        ],
    }
    return {"tenancy": {"hosts": {"node": variables}}}
