# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkout as tests use it: its tools, its modules, its playbooks, run as a user would run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venv" / "bin"
COLLECTIONS = ROOT / ".venv" / "collections"
PROJECTS = ROOT / "tests" / "projects"
COLLECTION = "meatscentral.tenancy"
# A program that hangs fails its test, not the whole run.
RUN_SECONDS = 1200

# What could make a program of ours see another project, database or configuration than the test's.
_FOREIGN = (
    "ANSIBLE_",
    "DATABASE_URL",
    "DJANGO_",
    "FORCE_COLOR",
    "MOLECULE_",
    "PG",
    "PYTHONPATH",
    "SECRET_KEY",
    "TENANCY_",
)


def stack_python(stack: str) -> Path:
    """The interpreter of one of tests/stacks/*.txt."""
    python = ROOT / "build" / "stacks" / stack / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python} is missing: run `make setup`")
    return python


def files() -> list[str]:
    """Every file of the checkout that git knows or would take, so also what is not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_to(directory: Path) -> None:
    """Lay the checkout's files into a directory, as a fresh clone would have them."""
    for name in files():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)


def environment(**changes: str) -> dict[str, str]:
    """The environment of a program under test: ours, without what is foreign to the test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    path = os.pathsep.join([str(TOOLS), inherited.get("PATH", os.defpath)])
    return {**inherited, "PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **changes}


def run_module(name: str, /, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
    """What the real module answers to these options, in a process of its own."""
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff}
    done = subprocess.run(
        [sys.executable, "-m", f"ansible_collections.{COLLECTION}.plugins.modules.{name}"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        encoding="utf-8",
        env=environment(PYTHONPATH=str(COLLECTIONS)),
        timeout=RUN_SECONDS,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        message = (
            f"{name} did not answer in JSON (code {done.returncode})\nstdout: {done.stdout}\nstderr: {done.stderr}"
        )
        raise AssertionError(message) from None
    return answer


def ansible(
    program: str, *arguments: str | os.PathLike[str], env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One of Ansible's programs, run from the checkout with the checkout's configuration."""
    return subprocess.run(
        [TOOLS / program, *arguments],
        cwd=ROOT,
        env=environment(ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"), **(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
    )


def ansible_playbook(
    *arguments: str | os.PathLike[str], env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return ansible("ansible-playbook", *arguments, env=env)
