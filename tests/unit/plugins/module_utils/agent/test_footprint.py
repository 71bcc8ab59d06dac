# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.footprint import footprint

OWNERS = {
    "item": "item",
    "line": "line",
    "item_name_idx": "item",
    'odd"name': 'odd"name',
    "item_seq": "item_seq",
    "Mixed": "Mixed",
}


def relations(*statements: str, looked_at: tuple[str, ...] = ()) -> set[str] | None:
    found = footprint(statements, looked_at, OWNERS, ["item"])
    return set(found.relations) if found else None


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ('ALTER TABLE "item" ADD COLUMN "rank" integer NULL', {"item"}),
        ('ALTER TABLE "line" ADD CONSTRAINT "fk" FOREIGN KEY ("item_id") REFERENCES "item" ("id")', {"item", "line"}),
        ("alter table LINE add x integer", {"line"}),
        ('ALTER TABLE "odd""name" ADD x integer', {'odd"name'}),
        ('CREATE TABLE "new" ("id" bigint)', set()),
        ('DROP INDEX IF EXISTS "item_name_idx"', {"item"}),
        ("ALTER TABLE line ALTER id SET DEFAULT nextval('\"item_seq\"'::regclass)", {"line", "item_seq"}),
        ('ALTER TABLE "line" ADD COLUMN "x" text DEFAULT \'it\'\'s "Mixed"\' NOT NULL', {"line", "Mixed"}),
        ('CREATE UNIQUE INDEX "x" ON "line" ("id") WHERE "id" > 0', {"line"}),
    ],
)
def test_what_a_statement_names_is_what_it_has_to_do_with(statement: str, named: set[str]) -> None:
    assert relations(statement) == named


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item SET x = 1",
        "DROP SCHEMA x CASCADE",
        "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b",
        "GRANT SELECT ON ALL TABLES IN SCHEMA x TO y",
        "ALTER TABLE item ADD x integer; DROP TABLE line",
        "ALTER TABLE item ADD x integer -- and more",
        "ALTER TABLE item /* and more */ ADD x integer",
        "ALTER TABLE item ADD x text DEFAULT $$line$$",
        "ALTER TABLE item ADD x text DEFAULT E'\\x41'",
        'ALTER TABLE U&"\\0069tem" ADD x text',
        "CREATE VIEW x AS SELECT 1",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_of_any_other_statement_it_can_not_be_said(statement: str) -> None:
    assert relations('ALTER TABLE "line" ADD x integer', statement) is None


def test_what_was_looked_for_in_the_catalog_counts_as_well() -> None:
    assert relations('ALTER TABLE "line" ADD x integer', looked_at=("item", "public")) == {"item", "line"}
    assert relations(looked_at=("item_name_idx",)) == {"item"}
