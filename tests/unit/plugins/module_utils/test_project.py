# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import OptionError
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import (
    PROJECT_ARGUMENTS,
    interpreter,
    project_from,
)

if TYPE_CHECKING:
    from pathlib import Path


def params(**options: Any) -> dict[str, Any]:
    """The parameters as Ansible makes them of a task's options."""
    result = ArgumentSpecValidator(PROJECT_ARGUMENTS).validate({"project": "/srv/app", "python": ["python"], **options})
    assert not result.error_messages
    return result.validated_parameters


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_path_of_an_interpreter_is_the_whole_command(python: Path) -> None:
    assert interpreter(str(python)) == [str(python)]


def test_variables_and_the_home_directory_in_the_path_are_expanded(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(python.parent))
    monkeypatch.setenv("VENV", str(python.parent))
    assert interpreter("~/python") == interpreter("$VENV/python") == [str(python)]


def test_a_list_is_a_command_prefix_and_its_words_are_taken_as_they_are() -> None:
    assert interpreter(["docker", "exec", "-i", 7, "~/python"]) == ["docker", "exec", "-i", "7", "~/python"]


@pytest.mark.parametrize("value", [[], [""], ()])
def test_an_empty_command_prefix_is_refused(value: object) -> None:
    with pytest.raises(OptionError, match="the command prefix is empty"):
        interpreter(value)


@pytest.mark.parametrize("value", ["python3", "venv/bin/python", "docker exec -i backend python", "", None])
def test_what_would_need_a_search_on_path_is_refused(value: object) -> None:
    with pytest.raises(OptionError, match="is not an absolute path"):
        interpreter(value)


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"there is no interpreter at {tmp_path}/none"):
        interpreter(f"{tmp_path}/none")


def test_a_directory_is_no_interpreter(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is not an executable file"):
        interpreter(str(tmp_path))


def test_a_file_that_can_not_be_executed_is_no_interpreter(python: Path) -> None:
    python.chmod(0o644)
    with pytest.raises(OptionError, match="is not an executable file"):
        interpreter(str(python))


def test_later_environment_files_win_and_the_environment_wins_over_all(tmp_path: Path) -> None:
    (tmp_path / "first").write_text("A=1\nB=1\nC=1\n")
    (tmp_path / "second").write_text("B=2\nC=2\n")
    files = [str(tmp_path / "first"), str(tmp_path / "second")]
    project = project_from(params(environment_file=files, environment={"C": 3}))
    assert project.environment == {"A": "1", "B": "2", "C": "3"}


def test_values_that_yaml_has_typed_reach_the_project_as_text() -> None:
    project = project_from(params(environment={"YES": True, "PORT": 5432, "NOTHING": None, 7: 1.5}))
    assert project.environment == {"YES": "True", "PORT": "5432", "NOTHING": "", "7": "1.5"}


@pytest.mark.parametrize("name", ["", "A=B", "A\0B"])
def test_a_name_that_no_environment_can_hold_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="can't be the name of a variable"):
        project_from(params(environment={name: "x"}))


def test_an_environment_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"environment_file: {tmp_path}/env can't be read: No such file"):
        project_from(params(environment_file=[f"{tmp_path}/env"]))


def test_an_environment_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(OptionError, match=f"{tmp_path}/env is not UTF-8 text"):
        project_from(params(environment_file=[f"{tmp_path}/env"]))


def test_a_negative_timeout_is_refused() -> None:
    with pytest.raises(OptionError, match="timeout: give a number of seconds"):
        project_from(params(timeout=-1))


def test_no_timeout_at_all_can_be_asked_for() -> None:
    assert project_from(params(timeout=0)).timeout == 0


def test_options_that_are_empty_count_as_not_given() -> None:
    project = project_from(params(settings="", database="", session_role="", tenant_model="", domain_model=""))
    assert project == project_from(params())
    assert project.settings is None


def test_a_request_tells_all_of_the_project_but_how_to_start_it() -> None:
    options = {
        "settings": "config.settings",
        "environment": {"A": "1"},
        "database": "tenants",
        "timeout": 60,
        "session_role": "owner",
        "tenant_model": "app.Tenant",
        "domain_model": "app.Domain",
    }
    request = project_from(params(**options)).as_request()
    assert request == {"directory": "/srv/app", **options}
    assert json.loads(json.dumps(request)) == request


def test_the_secrets_of_a_project_are_those_of_its_environment() -> None:
    assert project_from(params(environment={"SECRET_KEY": "hunter22", "DB_HOST": "localhost"})).secrets == {"hunter22"}
