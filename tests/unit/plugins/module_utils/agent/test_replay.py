# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From compiled migrations to the statements for one schema."""

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.capture import Unit
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.replay import (
    batches,
    local_limits,
    record,
    script,
)

CONSTRAINTS = ["SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]


def unit(name, *sql, because=None):
    key = ("things", name)
    return Unit(key, True, (key,), list(sql), because)


def test_what_is_replayed_goes_together_and_what_django_runs_alone():
    one, two, three, four = unit("1"), unit("2"), unit("3", because="it is not atomic"), unit("4", because="x")
    assert batches([one, two, three, four, one]) == [[one, two], [three], [four], [one]]
    assert batches([]) == []


def test_a_script_ends_with_the_records_and_what_comes_after_them():
    lines = script("a b", [unit("1", "ALTER TABLE x"), unit("2")], ["after"], ["before"])
    assert lines == ["before", "ALTER TABLE x", record("a b", [("things", "1"), ("things", "2")]), "after"]


def test_constraints_are_checked_after_a_migration_that_writes_rows():
    for sql in ("UPDATE a SET b = 1", "/* x */ delete from a", "ALTER TABLE a; INSERT INTO a VALUES (1)"):
        assert script("t1", [unit("1", sql)])[1:3] == CONSTRAINTS
    assert CONSTRAINTS[0] not in script("t1", [unit("1", 'ALTER TABLE "updated_at"')])


def test_records_are_made_in_the_schemas_own_recorder():
    assert record("it's %", [("a", "o'1")]) == (
        "INSERT INTO \"it's %\".django_migrations (app, name, applied) VALUES ('a', 'o''1', now())"
    )


def test_limits_are_milliseconds_and_none_is_the_servers_own():
    assert local_limits(1.5, 0) == ["SET LOCAL lock_timeout = 1500"]
    assert local_limits(0, 2) == ["SET LOCAL statement_timeout = 2000"]
