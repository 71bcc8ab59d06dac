# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation says of options and results is what the code takes and gives, where ansible-test does not look."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.meatscentral.tenancy.plugins.doc_fragments.project import ModuleDocFragment
from ansible_collections.meatscentral.tenancy.plugins.module_utils import _result
from ansible_collections.meatscentral.tenancy.plugins.module_utils._audit_result import audit_result
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import PROJECT_ARGUMENTS
from ansible_collections.meatscentral.tenancy.plugins.modules import django_tenant

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "ansible_collections.meatscentral.tenancy.plugins.modules"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# What Ansible takes where documentation or specification does not say it.
DEFAULTS = {"type": "str", "required": False, "default": None, "choices": None, "elements": None}


def specification(module: str) -> dict[str, Any]:
    """What a module hands to Ansible as its specification."""
    code = importlib.import_module(f"{COLLECTION}.{module}")
    with mock.patch.object(code, "AnsibleModule", side_effect=StopIteration) as ansible, pytest.raises(StopIteration):
        code.main()
    return ansible.call_args.kwargs


def own_arguments(module: str) -> dict[str, Any]:
    """The options of a module besides those that all share."""
    arguments = specification(module)["argument_spec"]
    return {name: option for name, option in arguments.items() if name not in PROJECT_ARGUMENTS}


def documented(module: str) -> dict[str, Any]:
    return dict(yaml.safe_load(importlib.import_module(f"{COLLECTION}.{module}").DOCUMENTATION)["options"])


def said(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Of every option what documentation and specification both say."""
    return {
        name: {word: option.get(word, default) for word, default in DEFAULTS.items()}
        for name, option in options.items()
    }


def test_the_fragment_documents_the_options_that_all_modules_share() -> None:
    assert said(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]) == said(PROJECT_ARGUMENTS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_documents_the_options_that_it_takes(module: str) -> None:
    assert said(documented(module)) == said(own_arguments(module))


@pytest.mark.parametrize("module", MODULES)
def test_every_module_takes_the_shared_options_as_they_are(module: str) -> None:
    arguments = specification(module)["argument_spec"]
    assert {name: arguments[name] for name in PROJECT_ARGUMENTS} == PROJECT_ARGUMENTS


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_check_mode(module: str) -> None:
    assert specification(module)["supports_check_mode"] is True


def test_a_tenant_in_the_list_is_described_as_a_single_one_is() -> None:
    options = documented("django_tenant")
    suboptions = options.pop("tenants")["suboptions"]
    # What concerns the run, not a tenant.
    for name in ("lock_wait", "progress"):
        options.pop(name, None)
    assert said(suboptions) == said(options) == said(django_tenant.TENANT_ARGUMENTS)
    assert {name: option["description"] for name, option in suboptions.items()} == {
        name: f"As O({name})." for name in options
    }


def examples() -> list[Any]:
    return [
        pytest.param(module, task[f"meatscentral.tenancy.{module}"], id=f"{module}: {task['name']}")
        for module in MODULES
        for task in yaml.safe_load(importlib.import_module(f"{COLLECTION}.{module}").EXAMPLES)
        if f"meatscentral.tenancy.{module}" in task
    ]


@pytest.mark.parametrize(("module", "options"), examples())
def test_an_example_gives_options_that_the_module_takes(module: str, options: dict[str, Any]) -> None:
    rules = {rule: value for rule, value in specification(module).items() if rule != "supports_check_mode"}
    result = ArgumentSpecValidator(**rules).validate(options)
    assert result.error_messages == []


def test_every_module_has_examples() -> None:
    assert {parameter.values[0] for parameter in examples()} == set(MODULES)


RESULTS = {
    "django_tenant": _result.tenant_result(
        {"tenancy": {}, "tenants": [], "planned": [], "warnings": []}, check=False, diff=False
    ),
    "django_migrate_schemas": _result.migration_result(
        {
            "tenancy": {},
            "pending": [],
            "migrated": [],
            "failed": [],
            "through_django": [],
            "rehearsal": {"method": "scratch"},
            "counts": dict.fromkeys(["schemas", "migrated", "pending", "failed", "up_to_date"], 0),
        },
        check=False,
        diff=False,
    ),
    "django_tenant_info": _result.info_result(
        dict.fromkeys(["tenants", "schemas", "pending", "problems", "missing", "orphans"], ())
    ),
    "django_tenancy_check": audit_result(
        {
            "tenancy": None,
            "findings": [],
            "counts": dict.fromkeys(["error", "warning", "notice"], 0),
            "ignored": 0,
            "rules": {},
            "reading": {},
            "not_run": {},
        },
        "error",
    ),
}


@pytest.mark.parametrize("module", MODULES)
def test_every_value_that_a_module_returns_is_documented(module: str) -> None:
    described = yaml.safe_load(importlib.import_module(f"{COLLECTION}.{module}").RETURN)
    # Ansible documents these itself, as common to all modules.
    assert set(RESULTS[module]) - {"changed", "failed", "diff"} <= set(described)


@pytest.mark.parametrize("module", MODULES)
def test_no_value_that_a_module_returns_has_a_name_that_ansible_takes_for_something_else(module: str) -> None:
    assert not set(RESULTS[module]) & {"skipped", "unreachable", "rc", "exception", "items", "keys", "values", "get"}


# The counts of django_migrate_schemas are the agent's own.
@pytest.mark.parametrize("module", ["django_tenant", "django_tenant_info", "django_tenancy_check"])
def test_a_summary_is_documented_with_all_that_it_counts(module: str) -> None:
    described = yaml.safe_load(importlib.import_module(f"{COLLECTION}.{module}").RETURN)
    assert set(RESULTS[module]["summary"]) == set(described["summary"]["sample"])


def test_every_module_is_in_the_action_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text("utf-8"))
    assert sorted(name.rpartition(".")[2] for name in runtime["action_groups"]["tenancy"]) == MODULES
