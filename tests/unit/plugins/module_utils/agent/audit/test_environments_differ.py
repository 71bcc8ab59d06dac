# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What environments disagree on, in a sentence each."""

from __future__ import annotations

from typing import Any

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.audit.environments_differ import differences


def said(**environments: dict[str, Any]) -> list[str]:
    return [sentence for _fact, sentence in differences(environments)]


def test_environments_that_agree_have_no_difference() -> None:
    facts = {"ENGINE": "a", "SHARED_APPS": ["x", "y"], "TENANT_MODEL": None}
    assert said(dev=facts, prod={**facts, "SHARED_APPS": ["y", "x"]}) == []


def test_all_environments_with_one_value_are_named_together() -> None:
    assert said(dev={"ENGINE": "a"}, uat={"ENGINE": "a"}, prod={"ENGINE": "b"}) == [
        "ENGINE is a in dev and uat and b in prod."
    ]


def test_a_setting_that_is_not_there_is_said_to_be_not_set() -> None:
    assert said(dev={"TENANT_MODEL": None}, prod={"TENANT_MODEL": "a.B"}) == [
        "TENANT_MODEL is not set in dev and a.B in prod."
    ]


def test_of_lists_each_item_that_one_lacks_is_named() -> None:
    assert said(dev={"SHARED_APPS": ["x", "y"]}, prod={"SHARED_APPS": ["x"]}) == [
        "SHARED_APPS has y in dev, and not in prod."
    ]


def test_what_an_environment_does_not_tell_is_not_compared_with_it() -> None:
    assert said(dev={"ENGINE": "a", "Django": "5"}, prod={"ENGINE": "a"}) == []
