# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README's own inventories, playbooks and commands, run in the README's order, with the output that it shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support import checkout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database, Postgres
    from tests.support.samples import Sample

README = (checkout.ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What stands in the README for lines, or for a part of one, that it leaves out.
LEFT_OUT = "…"
PROGRESS = re.compile(r"\[\S+\] \d+ done, ")


def blocks(heading: str, language: str) -> list[str]:
    """The fenced blocks of a language in the section under a heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"The README has no section {heading!r}"
    return [text for name, text in FENCE.findall(found[1]) if name == language]


def steps(heading: str) -> list[tuple[str, str]]:
    """The section's commands, each with the output that is shown for it."""
    sessions = "".join(blocks(heading, "console"))
    return list(re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", sessions, re.MULTILINE))


class Terminal:
    """A shell in one directory; what it sets stays set."""

    def __init__(self, directory: Path, database: Database, **variables: str) -> None:
        self.directory = directory
        self.database = database
        self.variables = variables
        self.settings: list[str] = []

    def follow(self, heading: str) -> None:
        for command, shown in steps(heading):
            if command.startswith("export DATABASE_URL="):
                continue  # the test's own database stands for the demo's
            if command.startswith((". ", "project=")):
                self.settings.append(command)
                continue
            before = self.database.dump() if "--check" in command else None
            output = self.run(command)
            assert resembles(output, shown), f"$ {command}\n{output}\nis not what the README shows:\n{shown}"
            assert before in (None, self.database.dump()), f"{command} has written"

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", "\n".join([*self.settings, command])],
            cwd=self.directory,
            env=checkout.environment(**self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=checkout.RUN_SECONDS,
            check=False,
        )
        return done.stdout


def resembles(output: str, shown: str) -> bool:
    """Whether the output is the one shown, but for what is left out, ends of lines, and lines after the last."""
    parts = [re.escape(part) for part in stripped(shown).strip("\n").split(LEFT_OUT)]
    return re.search(".*?".join(parts), stripped(output), re.DOTALL) is not None


def stripped(text: str) -> str:
    """Without what depends on the machine: blanks at ends of lines, and how far a task is at some moment."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if not PROGRESS.match(line))


@pytest.fixture
def operator(
    tmp_path: Path, sample: Callable[..., Sample], database: Database, postgres: Postgres
) -> tuple[Terminal, Sample]:
    """A directory with the README's inventories and playbook, this machine in the place of their node."""
    project, rows = sample("schema_tenants", environment="prod"), sample("row_tenants", database_url=None)
    secrets = tmp_path / "environment"
    secrets.write_text("".join(f"{name}={value}\n" for name, value in project.environment.items()), encoding="utf-8")
    here = {
        "/srv/app/current": str(project.directory),
        "/srv/rows/current": str(rows.directory),
        "/srv/app/venv/bin/python": project.python,
        "/etc/app/environment": str(secrets),
    }
    directory = tmp_path / "operator"
    for heading in ["A first deploy", "Tenants as rows of one schema"]:
        for text in blocks(heading, "yaml"):
            name = re.match(r"# (\S+\.yml)\n", text)
            if name:
                file = directory / name[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(
                    re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], text), encoding="utf-8"
                )
    for inventory in (directory / "inventories").iterdir():
        shown = directory / "inventories" / "prod" / "hosts.yml"
        if inventory != shown.parent:
            (inventory / "hosts.yml").write_bytes(shown.read_bytes())
        (inventory / "host_vars").mkdir()
        (inventory / "host_vars" / "app1.example.com.yml").write_text(
            f"ansible_connection: local\nansible_python_interpreter: {checkout.TOOLS / 'python'}\n", encoding="utf-8"
        )
    terminal = Terminal(
        directory, database, ANSIBLE_COLLECTIONS_PATH=str(checkout.COLLECTIONS), DATABASE_URL=database.url
    )
    terminal.settings.append(f"PATH={shlex.quote(str(postgres.bin))}:$PATH")
    return terminal, project


def test_a_first_deploy_the_next_release_a_repair_and_an_error(operator: tuple[Terminal, Sample]) -> None:
    terminal, project = operator
    terminal.follow("A first deploy")
    project.upgrade("2")
    terminal.follow("The next release")
    terminal.follow("Break a tenant, and repair it")
    terminal.follow("What an error looks like")


def test_one_module_at_a_time(database: Database) -> None:
    demo = Terminal(checkout.ROOT, database, DATABASE_URL=database.url)
    made = demo.run("ansible-playbook -i inventories/dev playbooks/deploy.yml")
    assert "failed=0" in made, made
    heading = "One module at a time"
    demo.follow(heading)
    called = re.findall(r"-m meatscentral\.tenancy\.(\w+)", "".join(blocks(heading, "console")))
    assert set(called) == {path.stem for path in (checkout.ROOT / "plugins" / "modules").glob("django_*.py")}


def test_tenants_as_rows(operator: tuple[Terminal, Sample]) -> None:
    terminal, _project = operator
    del terminal.variables["DATABASE_URL"]
    done = terminal.run("ansible-playbook -i inventories/rows deploy.yml")
    assert "1 tenant(s), 1 schema(s): every table is there, nothing is pending" in done, done


@pytest.mark.parametrize("text", blocks("Projects in containers, or of another user", "yaml"))
def test_command_prefixes(
    text: str, tmp_path: Path, sample: Callable[..., Sample], run_module: Callable[..., dict[str, object]]
) -> None:
    """With docker and sudo as programs that drop the words before the interpreter."""
    project = sample("row_tenants", database_url=None)
    prefix = yaml.safe_load(text)["tenancy_python"]
    stand_in = tmp_path / prefix[0]
    stand_in.write_text(f'#!/bin/sh\nshift {len(prefix) - 2}\nshift\nexec {shlex.quote(project.python)} "$@"\n')
    stand_in.chmod(0o755)
    options = {**project.options(), "python": [str(stand_in), *prefix[1:]]}
    assert run_module("django_tenant_info", **options)["tenancy"]["kind"] == "row"
