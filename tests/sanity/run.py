# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ``ansible-test sanity`` over a copy of the checkout, with what it would otherwise download or leave in ~.

ansible-test wants the tree below ansible_collections/, and not by a link. The copy has every file that git knows or
would take. Arguments go to ansible-test: ``make sanity`` or ``.venv/bin/python tests/sanity/run.py --test pep8``.
"""

from __future__ import annotations

import ast
import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import checkout

BUILD = ROOT / "build"
TREE = BUILD / "collection" / "ansible_collections" / "meatscentral" / "tenancy"
HOME = BUILD / "ansible-test"

# ansible-test 2.19 and 2.21 look for the get-pip script under these names before they download it.
GET_PIP = ("get_pip_24_2.py", "get_pip_25_2.py")


def make_tree() -> None:
    shutil.rmtree(TREE, ignore_errors=True)
    checkout.copy_to(TREE)
    # Without a repository of its own the copy would lie in one that ignores all of build/.
    subprocess.run(["git", "init", "--quiet", TREE], check=True)


def make_home() -> None:
    """A home directory of ansible-test's own: it passes no variable on to pip, but pip reads its file there."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP:
        shutil.copy(ROOT / "tests" / "sanity" / "get_pip.py", cache / name)
    pip_directory = HOME / ".config" / "pip"
    pip_directory.mkdir(parents=True, exist_ok=True)
    with (pip_directory / "pip.conf").open("w", encoding="utf-8") as file:
        pip_configuration().write(file)


def pip_configuration() -> configparser.RawConfigParser:
    """What this pip is told by files and environment, in one file."""
    configuration = configparser.RawConfigParser()
    configuration.add_section("global")
    configuration.set("global", "cache-dir", pip("cache", "dir").strip())
    configuration.set("global", "quiet", "2")
    for line in pip("config", "list").splitlines():
        key, _equals, value = line.partition("=")
        section, _dot, option = key.rpartition(".")
        section = "global" if section == ":env:" else section
        if not configuration.has_section(section):
            configuration.add_section(section)
        configuration.set(section, option, str(ast.literal_eval(value)))
    return configuration


def pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def search_path() -> str:
    """The tools of .venv first, and real interpreters for a version manager's shims, which may stand for none."""
    entries = os.environ["PATH"].split(os.pathsep)
    kept = [entry for entry in entries if Path(entry).name != "shims"]
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return os.pathsep.join([str(ROOT / ".venv" / "bin"), *kept, *map(str, sorted(managed.glob("3.*/bin")))])


def main() -> int:
    make_tree()
    make_home()
    return subprocess.call(
        ["ansible-test", "sanity", "--color", "no", *sys.argv[1:]],
        cwd=TREE,
        env={**os.environ, "HOME": str(HOME), "PATH": search_path()},
    )


if __name__ == "__main__":
    sys.exit(main())
