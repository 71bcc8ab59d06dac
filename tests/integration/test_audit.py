# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit as a whole: what it returns, when it fails the task, and that it writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.audits import audit, only
from tests.support.refusals import require_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.variants import Variant

PLANNED = {"planned_public": True}


def two_leaves(variant: Variant) -> Variant:
    for name in ("0005_weight", "0005_height"):
        operation = f"migrations.AddField('carrier', {name[5:]!r}, models.IntegerField(null=True))"
        variant.migration("carriers", name, "0004_alter_carrier_slug", operation)
    return variant


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_healthy_project_has_no_finding_on_an_empty_database(
    schema_variant: Callable[..., Variant], stack: str
) -> None:
    assert audit(schema_variant(stack=stack, template=None), **PLANNED) == []


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_healthy_project_has_no_finding_once_it_is_deployed(
    schema_variant: Callable[..., Variant], stack: str
) -> None:
    variant = schema_variant(stack=stack)
    variant.tenants(
        {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["a.example"]}
    )
    assert audit(variant) == []


def test_healthy_rows_of_one_schema_have_no_finding(postgres_rows: Variant) -> None:
    assert audit(postgres_rows) == []


def test_errors_fail_the_task_and_the_message_says_what_to_do(schema_variant: Callable[..., Variant]) -> None:
    answer = two_leaves(schema_variant()).module("django_tenancy_check")
    message = require_refusal(answer, "1 error", "several-leaf-nodes", "makemigrations --merge")
    assert "carriers/migrations/0005_weight.py:4" in message
    assert answer["summary"] == {"error": 1, "ignored": 0, "notice": 0, "warning": 0}


def test_what_is_ignored_is_counted_and_fails_nothing(schema_variant: Callable[..., Variant]) -> None:
    variant = two_leaves(schema_variant())
    answer = variant.module("django_tenancy_check", ignore=["several-leaf-nodes:carriers/*"])
    assert not answer.get("failed"), answer
    assert answer["summary"]["ignored"] == 1


def test_rules_that_can_not_look_say_why(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant().append("carriers/models.py", "import nowhere_to_be_found\n")
    answer = variant.module("django_tenancy_check", fail_on="never")
    finding = only([item for item in answer["findings"] if item["severity"] == "error"])
    assert finding["rule"] == "project-loads"
    assert finding["place"].startswith("carriers/models.py:")
    assert answer["not_run"]["several-leaf-nodes"] == "The project does not load."


def test_an_unknown_rule_is_refused_with_the_names_of_those_there_are(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    require_refusal(variant.module("django_tenancy_check", rules=["leaf-nodes"]), "'leaf-nodes'")
    require_refusal(variant.module("django_tenancy_check", ignore=["leaf-nodes:*"]), "ignore:", "'leaf-nodes'")
