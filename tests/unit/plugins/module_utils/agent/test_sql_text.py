# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a text of SQL says of tables and columns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.sql_text import Change, changes, statements


def use(table: str, **more: Any) -> Change:
    return Change("use_table", table, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE Big (id int)", [Change("create_table", "big", columns=("id",))]),
        (
            'create unlogged table if not exists "A b"."C""d" ("X" int, y numeric(3, 2) DEFAULT (1), CONSTRAINT c CHECK (y > 0), PRIMARY KEY ("X"))',
            [Change("create_table", 'C"d', "A b", columns=("X", "y"), lenient=True)],
        ),
        ("CREATE TABLE a AS SELECT 1", [Change("create_table", "a")]),
        ("CREATE TABLE a (LIKE b INCLUDING ALL)", [Change("create_table", "a")]),
        ("CREATE TABLE a (x int) INHERITS (b)", [Change("create_table", "a")]),
        ("CREATE TABLE a PARTITION OF b FOR VALUES IN (1)", [Change("create_table", "a")]),
        ("CREATE TEMP TABLE a (x int); CREATE TEMPORARY TABLE b (x int)", []),
        (
            "DROP TABLE IF EXISTS a, public.b CASCADE",
            [Change("drop_table", "a", lenient=True), Change("drop_table", "b", "public", lenient=True)],
        ),
        (
            "ALTER TABLE ONLY a ADD COLUMN IF NOT EXISTS x int DEFAULT f(1, 2), DROP y CASCADE, ADD CONSTRAINT u UNIQUE (x)",
            [use("a"), Change("add_column", "a", column="x", lenient=True), Change("drop_column", "a", column="y")],
        ),
        (
            "ALTER TABLE IF EXISTS a RENAME TO b",
            [use("a", lenient=True), Change("rename_table", "a", new="b", lenient=True)],
        ),
        ("ALTER TABLE a RENAME x TO y", [use("a"), Change("rename_column", "a", column="x", new="y")]),
        ("ALTER TABLE a RENAME CONSTRAINT x TO y", [use("a")]),
        ("ALTER TABLE a ENABLE ROW LEVEL SECURITY", [use("a")]),
        ("ALTER TABLE a ALTER COLUMN x DROP NOT NULL, ALTER y DROP DEFAULT", [use("a")]),
        ("CREATE POLICY p ON a USING (true)", [use("a")]),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON s.a (x)", [use("a", schema="s")]),
        ("INSERT INTO a VALUES ('; DROP TABLE b'); UPDATE b SET x = 1; DELETE FROM c", [use("a"), use("b"), use("c")]),
        ("TRUNCATE TABLE a, b", [use("a"), use("b")]),
        ("-- DROP TABLE a;\n/* DROP TABLE b; */ SELECT 1", []),
        ("CREATE FUNCTION f() RETURNS void AS $x$ BEGIN DROP TABLE a; END $x$ LANGUAGE plpgsql", []),
        (
            "DO $$ BEGIN IF true THEN CREATE TABLE a (x int); END IF; EXECUTE 'DROP TABLE b'; END $$;",
            [Change("create_table", "a", columns=("x",), sure=False), Change("drop_table", "b", sure=False)],
        ),
        ("DROP TABLE %s", [Change("drop_table", "")]),
        ("DROP TABLE ", [Change("drop_table", "")]),
        ("ALTER TABLE {} ADD COLUMN x int", [use(""), Change("add_column", "", column="x")]),
        ("SELECT 'it''s', E'a\\'b'", []),
    ],
)
def test_what_a_text_says_of_tables(text: str, expected: list[Change]) -> None:
    assert changes(text) == expected


def test_a_text_is_split_at_its_semicolons_only() -> None:
    found = statements("a ';' \";\" $$;$$ $t$;$t$ -- ;\n; b;;")
    assert [[token.raw for token in statement] for statement in found] == [
        ["a", "';'", '";"', "$$;$$", "$t$;$t$"],
        ["b"],
    ]
