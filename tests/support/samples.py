# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the sample projects, for a test to run, change and break."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import checkout

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """One project in a directory of the test's own, with the Python and the environment to run it."""

    name: str
    directory: Path
    python: str
    settings: str
    environment: dict[str, str]

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """``manage.py`` with these arguments: the stock way."""
        own = {**self.environment, "DJANGO_SETTINGS_MODULE": self.settings, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [self.python, "manage.py", *arguments],
            cwd=self.directory,
            env=checkout.environment(**own),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=checkout.RUN_SECONDS,
            check=False,
        )
        if check and done.returncode:
            command = " ".join(["manage.py", *arguments])
            raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def upgrade(self, release: str) -> None:
        """Lay the files of another release over this copy, as a deployment of new code does."""
        overlay = checkout.PROJECTS / "releases" / self.name / release
        if not overlay.is_dir():
            raise FileNotFoundError(f"The sample {self.name} has no release {release}: {overlay}")
        shutil.copytree(overlay, self.directory, dirs_exist_ok=True, ignore=_WRITTEN_BY_PYTHON)
        # A replaced file may have the size and the second of the old one: Python would take the old byte-code.
        for cache in list(self.directory.rglob("__pycache__")):
            shutil.rmtree(cache)

    def options(self) -> dict[str, object]:
        """What every module wants to know, ready for run_module."""
        return {
            "project": str(self.directory),
            "python": self.python,
            "settings": self.settings,
            "environment": self.environment,
        }


_WRITTEN_BY_PYTHON = shutil.ignore_patterns("__pycache__", "*.pyc", "*.sqlite3")


def copy_sample(
    name: str, directory: Path, *, release: str, stack: str, environment: str, database_url: str | None
) -> Sample:
    source = checkout.PROJECTS / name
    shutil.copytree(source, directory, ignore=_WRITTEN_BY_PYTHON)
    by_environment = (source / "config" / "settings" / f"{environment}.py").exists()
    variables = {"SECRET_KEY": "for tests only"}
    if database_url is not None:
        variables["DATABASE_URL"] = database_url
    sample = Sample(
        name=name,
        directory=directory,
        python=str(checkout.stack_python(stack)),
        settings=f"config.settings.{environment}" if by_environment else "config.settings",
        environment=variables,
    )
    if release != "1":
        sample.upgrade(release)
    return sample
