# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the parts of the collection may run decides what they may import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
AGENT_PACKAGE = PLUGINS / "module_utils" / "agent"
AGENT = sorted(AGENT_PACKAGE.rglob("*.py"))
MODULE_SIDE = sorted((PLUGINS / "module_utils").glob("_*.py"))
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
PROJECTS_OWN = {"django", "django_tenants", "psycopg", "psycopg2"}
COLLECTION = "ansible_collections.meatscentral.tenancy"


def imports(tree: ast.AST, always: bool = True) -> Iterator[tuple[str, bool]]:
    """The top-level packages that a source imports, and whether it does so whenever it is imported itself.

    Relative imports are left out: they stay in the package.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], always
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0], always
        lazy = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or (
            isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        )
        yield from imports(node, always and not lazy)


def foreign(path: Path) -> set[tuple[str, bool]]:
    return {
        (package, always)
        for package, always in imports(ast.parse(path.read_text("utf-8"), str(path)))
        if package not in sys.stdlib_module_names
    }


def name(path: Path) -> str:
    return path.stem


def dotted(path: Path) -> str:
    """A module's name below the agent's package."""
    parts = path.relative_to(AGENT_PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def test_imports_are_told_apart_by_when_they_happen() -> None:
    source = """
import os.path, yaml
from . import sibling
if TYPE_CHECKING:
    from django.db import models
class Here:
    import requests
    def method(self):
        from psycopg import sql
try:
    import django
except ImportError:
    pass
"""
    assert list(imports(ast.parse(source))) == [
        ("os", True),
        ("yaml", True),
        ("django", False),
        ("requests", True),
        ("psycopg", False),
        ("django", True),
    ]


@pytest.mark.parametrize("path", AGENT, ids=name)
def test_the_agent_imports_nothing_but_the_standard_library_django_and_the_driver(path: Path) -> None:
    assert {package for package, _always in foreign(path)} <= PROJECTS_OWN


@pytest.mark.parametrize("path", AGENT, ids=name)
def test_the_agent_imports_what_is_the_projects_inside_functions_only(path: Path) -> None:
    assert [package for package, always in foreign(path) if always] == []


@pytest.mark.parametrize("path", AGENT, ids=name)
def test_the_agent_imports_nothing_from_outside_its_package(path: Path) -> None:
    """It travels alone: what lies beside its package on the module's side is not there where it runs."""
    levels = [node.level for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
    assert max(levels, default=0) <= len(path.relative_to(AGENT_PACKAGE).parts)


@pytest.mark.parametrize("path", MODULE_SIDE, ids=name)
def test_what_the_modules_share_imports_neither_ansible_nor_django(path: Path) -> None:
    assert foreign(path) == set()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_imports_ansible_and_the_collection_only(path: Path) -> None:
    assert {package for package, _always in foreign(path)} == {"ansible", "ansible_collections"}


def test_every_plugin_imports_where_there_is_neither_django_nor_a_driver() -> None:
    names = [
        f"{COLLECTION}.{'.'.join(path.relative_to(PLUGINS.parent).with_suffix('').parts)}"
        for path in sorted(PLUGINS.rglob("*.py"))
        if path.stem != "__init__"
    ]
    program = f"""
import importlib, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {PROJECTS_OWN!r}:
            raise ModuleNotFoundError("blocked: " + name, name=name)
sys.meta_path.insert(0, Absent())
sys.path[:] = {sys.path!r}
for name in {names!r}:
    importlib.import_module(name)
print(len({names!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert done.stderr == ""
    assert int(done.stdout) == len(names) > len(AGENT)


def test_the_agent_imports_on_a_python_with_nothing_but_the_standard_library() -> None:
    """As it travels: from its sources as text, on an interpreter that sees no installed package."""
    sources = {dotted(path): path.read_text("utf-8") for path in AGENT if path != AGENT_PACKAGE / "__init__.py"}
    program = """
import importlib, json, sys
sources = json.load(sys.stdin)
bootstrap = type(sys)("bootstrap")
exec(sources["bootstrap"], bootstrap.__dict__)
sys.meta_path.insert(0, bootstrap.MemoryImporter(sources))
for name in sources:
    importlib.import_module("tenancy_agent." + name)
print(sorted(name for name in sys.modules if name.startswith("tenancy_agent.")))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        input=json.dumps(sources),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr == ""
    assert ast.literal_eval(done.stdout) == sorted(f"tenancy_agent.{name}" for name in sources)
