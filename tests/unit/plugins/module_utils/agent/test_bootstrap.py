# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib
import linecache
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """``load(name, **sources)``: a module of the agent's package, imported from these sources."""

    def forget() -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == bootstrap.PACKAGE]:
            del sys.modules[name]

    def load(name: str, **sources: str) -> Any:
        monkeypatch.setattr(sys, "meta_path", [bootstrap.MemoryImporter(sources), *sys.meta_path])
        return importlib.import_module(f"{bootstrap.PACKAGE}.{name}")

    forget()
    yield load
    forget()


def test_modules_import_each_other_by_relative_names(load: Callable[..., Any]) -> None:
    assert load("top", top="from .base import ANSWER", base="ANSWER = 42").ANSWER == 42


def test_modules_import_each_other_inside_functions_too(load: Callable[..., Any]) -> None:
    top = load("top", top="def answer():\n    from . import base\n    return base.ANSWER", base="ANSWER = 42")
    assert top.answer() == 42


def test_a_module_below_another_makes_that_a_package(load: Callable[..., Any]) -> None:
    sources = {"rules": "from .first import ANSWER", "rules.first": "from ..base import ANSWER", "base": "ANSWER = 42"}
    assert load("rules", **sources).ANSWER == 42


def test_a_module_that_was_not_sent_is_not_found(load: Callable[..., Any]) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{bootstrap.PACKAGE}.base'"):
        load("top", top="from .base import ANSWER")


def test_modules_of_others_are_none_of_its_business() -> None:
    importer = bootstrap.MemoryImporter({"json": "raise AssertionError"})
    assert importer.find_spec("json") is None
    assert importer.find_spec("json.decoder") is None


def test_a_traceback_shows_the_lines_of_a_module_that_lies_on_no_disk(load: Callable[..., Any]) -> None:
    top = load("top", top="def fail():\n    raise ValueError('of that line')\n")
    linecache.clearcache()
    with pytest.raises(ValueError, match="of that line") as caught:
        top.fail()
    shown = "".join(traceback.format_exception(caught.value))
    assert f"File \"{bootstrap.PACKAGE}/top.py\", line 2, in fail\n    raise ValueError('of that line')" in shown


def test_sources_are_compiled_as_their_own_and_not_as_the_bootstrap(load: Callable[..., Any]) -> None:
    top = load("top", top="def plain(x: int): pass")
    assert top.plain.__annotations__ == {"x": int}
