# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which statements of a text are said to take time with the rows of a table, and which are not."""

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.heavy_sql import heavy_statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE UNIQUE INDEX i ON s.a (b)", [("a", "builds an index")]),
        ("CREATE INDEX ON ONLY a (b)", [("a", "builds an index")]),
        ("VACUUM FULL a; CLUSTER a USING i", [("a", "runs VACUUM"), ("a", "runs CLUSTER")]),
        (
            "ALTER TABLE ONLY a ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES d (e)",
            [("a", "adds a constraint (FOREIGN) …")],
        ),
        ("ALTER TABLE a ADD CHECK (b IN (1, 2)), ADD x int", [("a", "adds a constraint (CHECK) …")]),
        ('ALTER TABLE IF EXISTS "A" ALTER b SET DATA TYPE int', [("A", "changes the type of b, …")]),
        ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", [("a", "reads every row to set b to NOT NULL")]),
        ("CREATE INDEX CONCURRENTLY i ON a (b)", []),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT c", []),
        ("ALTER TABLE a ADD CONSTRAINT c UNIQUE USING INDEX i", []),
        ("ALTER TABLE a ALTER b DROP NOT NULL, ALTER b SET DEFAULT 1, DROP c", []),
        ("CREATE TABLE a (b int CHECK (b > 0)); VACUUM a; UPDATE a SET b = 1", []),
    ],
)
def test_a_text_is_heavy_on(text: str, expected: list[tuple[str, str]]) -> None:
    found = [(statement.table, statement.does) for statement in heavy_statements(text)]
    assert [table for table, _does in found] == [table for table, _does in expected]
    for (_table, does), (_named, words) in zip(found, expected, strict=True):
        assert does.startswith(words.rstrip("…"))


def test_writers_alone_wait_for_an_index_and_the_column_of_not_null_is_told() -> None:
    assert [item.writes_only for item in heavy_statements("CREATE INDEX i ON a (b); CLUSTER a")] == [True, False]
    assert heavy_statements('ALTER TABLE a ALTER "B" SET NOT NULL')[0].not_null == "B"
