# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.errors import TenancyProblem
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.loading import _does_not_load, _settings_module

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project's directory, which the agent has entered."""
    monkeypatch.chdir(tmp_path)
    # Set and taken out again, so that what a test leaves is undone after it.
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "")
    return tmp_path


def settings_of(project: Path, option: str | None = None) -> Any:
    return _settings_module({"directory": str(project), "settings": option})


@pytest.mark.parametrize(
    "line",
    [
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.prod')",
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")',
        'os.environ.setdefault(\n    "DJANGO_SETTINGS_MODULE",\n    "config.settings.prod",\n)',
        'os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.prod"',
    ],
)
def test_the_settings_are_those_that_manage_py_sets(project: Path, line: str) -> None:
    (project / "manage.py").write_text(f"import os\n{line}\n")
    assert settings_of(project) == "config.settings.prod"


def test_the_option_wins_over_the_environment_and_that_over_manage_py(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "manage.py").write_text("setdefault('DJANGO_SETTINGS_MODULE', 'from.manage')")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "from.environment")
    assert settings_of(project) == "from.environment"
    assert settings_of(project, "from.option") == "from.option"


def test_the_project_finds_in_its_environment_which_settings_it_runs_with(project: Path) -> None:
    settings_of(project, "from.option")
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "from.option"


@pytest.mark.parametrize(
    ("manage", "lacking"), [(None, "there is no manage.py"), ("import os", "manage.py names no settings module")]
)
def test_a_project_that_does_not_say_its_settings_is_told_what_is_lacking(
    project: Path, manage: str | None, lacking: str
) -> None:
    if manage is not None:
        (project / "manage.py").write_text(manage)
    with pytest.raises(TenancyProblem, match=lacking):
        settings_of(project)


def problem_of(source: str) -> TenancyProblem:
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        exec(compile(source, "settings.py", "exec"), {})  # noqa: S102
    return _does_not_load("settings: config can't be imported", caught.value)


def test_an_error_of_the_project_is_told_with_the_last_lines_of_its_own_traceback() -> None:
    problem = problem_of("def fail():\n    raise KeyError('SECRET_KEY')\nfail()")
    assert str(problem) == "settings: config can't be imported: KeyError: 'SECRET_KEY'"
    assert str(problem.details["traceback"]).splitlines()[-1] == "KeyError: 'SECRET_KEY'"
    assert 'File "settings.py", line 2, in fail' in str(problem.details["traceback"])


def test_a_syntax_error_is_told_with_its_file_and_line() -> None:
    message = str(problem_of("x = 1\ny = (\n"))
    assert message == "settings: config can't be imported: SyntaxError in settings.py, line 2: '(' was never closed"


def test_a_project_that_ends_the_process_is_told_so() -> None:
    assert "the project called sys.exit(3)" in str(problem_of("raise SystemExit(3)"))


def test_a_traceback_of_any_length_is_told_in_a_few_lines() -> None:
    calls = "".join(f"def f{number}(): f{number + 1}()\n" for number in range(50))
    nested = problem_of(calls + "def f50(): 1 / 0\nf0()")
    assert len(str(nested.details["traceback"]).splitlines()) == 12
