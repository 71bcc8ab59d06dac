# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows a text is said to delete, and of which it can't be told."""

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.sql_rows import Deletion, deletions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DELETE FROM a", [Deletion("a")]),
        ('delete from only s."B";', [Deletion("B", "s")]),
        ("DELETE FROM a WHERE b <= -1 AND c = ';' RETURNING d", [Deletion("a", condition="b <= -1 AND c = ';'")]),
        ("DELETE FROM a WHERE b = 1 -- c", [Deletion("a", condition="b = 1")]),
        ("DELETE FROM a WHERE b = %s", [Deletion("a", condition=None)]),
        ("DELETE FROM a AS b WHERE b.c = 1", [Deletion("a", condition=None)]),
        ("DELETE FROM a USING b", [Deletion("a", condition=None)]),
        ("WITH x AS (SELECT 1) DELETE FROM a WHERE true", [Deletion("a", condition=None)]),
        ("TRUNCATE a, ONLY s.b CASCADE; SELECT 1", [Deletion("a"), Deletion("b", "s")]),
        ("TRUNCATE TABLE a RESTART IDENTITY", [Deletion("a")]),
        ("DO $x$ BEGIN IF true THEN DELETE FROM a; END IF; END $x$", [Deletion("a", condition=None, sure=False)]),
        ("CREATE FUNCTION f() RETURNS void AS $$ DELETE FROM a $$ LANGUAGE sql", []),
        ("CREATE TRIGGER t AFTER DELETE ON a EXECUTE FUNCTION f()", []),
        ("GRANT DELETE ON a TO b; SELECT 'DELETE FROM a'", []),
    ],
)
def test_a_text_deletes(text: str, expected: list[Deletion]) -> None:
    assert deletions(text) == expected


def test_a_name_that_is_filled_in_elsewhere_is_no_name() -> None:
    assert [found.table for found in deletions("DELETE FROM {table}")] == [""]
