# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of the commands that bring records in line with what is there."""

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.mending import (
    record_sql,
    steps,
    unrecord_sql,
)

ORDER = [("a", "1"), ("a", "2"), ("b", "1"), ("a", "3"), ("b", "2")]


def test_nothing_to_run_and_nothing_to_record_takes_no_command() -> None:
    assert steps(ORDER, (), ()) == []


def test_one_command_goes_as_far_as_it_can() -> None:
    assert steps(ORDER, {("a", "1"), ("a", "2")}, ()) == [("a", "2")]
    assert steps(ORDER, (), {("a", "1"), ("a", "2")}) == [("--fake", "a", "2")]


def test_what_is_run_and_what_is_recorded_take_turns_as_the_graph_has_them() -> None:
    assert steps(ORDER, {("a", "1"), ("b", "1")}, {("a", "2"), ("a", "3"), ("b", "2")}) == [
        ("a", "1"),
        ("--fake", "a", "2"),
        ("b", "1"),
        ("--fake", "a", "3"),
        ("--fake", "b", "2"),
    ]


def test_names_are_quoted_in_statements() -> None:
    assert record_sql('o"dd', [("a", "it's")]) == (
        "INSERT INTO \"o\"\"dd\".\"django_migrations\" (app, name, applied) VALUES ('a', 'it''s', CURRENT_TIMESTAMP);"
    )
    assert unrecord_sql("s", [("a", "1"), ("b", "2")]) == (
        "DELETE FROM \"s\".\"django_migrations\" WHERE (app, name) IN (VALUES ('a', '1'), ('b', '2'));"
    )
