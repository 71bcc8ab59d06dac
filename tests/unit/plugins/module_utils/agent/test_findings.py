# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.findings import (
    ERROR,
    NOTICE,
    WARNING,
    Finding,
    in_order,
    is_ignored,
    schemas_in_words,
)


def found(severity: str = ERROR, place: str = "acme.plants_dock", rule: str = "phantoms") -> Finding:
    return Finding(severity, place, "It is not there.", "Make it.", rule=rule)


def test_the_worst_comes_first_then_rule_and_place() -> None:
    findings = [
        found(NOTICE),
        found(WARNING, rule="ghosts"),
        found(ERROR, "b", "z"),
        found(ERROR, "a", "z"),
        found(ERROR, rule="a"),
    ]
    assert [(item.severity, item.rule, item.place) for item in in_order(findings)] == [
        ("error", "a", "acme.plants_dock"),
        ("error", "z", "a"),
        ("error", "z", "b"),
        ("warning", "ghosts", "acme.plants_dock"),
        ("notice", "phantoms", "acme.plants_dock"),
    ]


@pytest.mark.parametrize(
    ("ignore", "ignored"),
    [
        ("phantoms", True),
        ("phantoms:acme.plants_dock", True),
        ("phantoms:*.plants_dock", True),
        ("phantoms:*", True),
        ("phantoms:globex.*", False),
        ("phantom", False),
        ("ghosts", False),
    ],
)
def test_what_is_ignored_goes_by_rule_and_place(ignore: str, ignored: bool) -> None:
    assert is_ignored(found(), [ignore]) is ignored


def test_a_place_with_a_line_can_be_ignored_as_it_is_shown() -> None:
    assert is_ignored(found(place="plants/models.py:12"), ["phantoms:plants/models.py:12"])


def test_few_schemas_are_all_named_and_of_many_the_first() -> None:
    assert schemas_in_words(["acme"]) == "acme"
    assert schemas_in_words(["acme", "globex", "initech"]) == "acme, globex, initech"
    assert schemas_in_words(["acme", "globex", "initech", "umbrella"]) == "acme, globex and 2 others"


def test_a_reply_names_twenty_schemas_and_counts_all() -> None:
    names = [f"tenant{number}" for number in range(30)]
    reply = Finding(ERROR, "tenant0", "It is not there.", "Make it.", names).as_reply()
    assert reply["schemas"] == names[:20]
    assert reply["count"] == 30
