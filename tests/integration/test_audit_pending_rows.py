# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's rule on rows that pending migrations would lose, on real fleets: how many, where, and how to say that it is meant."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.variants import Variant

RULE = "drops-rows"
LAST = "0004_alter_carrier_slug"


@pytest.fixture
def two_tenants(schema_variant: Callable[..., Variant], fleet_migrated: str) -> Variant:
    """Acme with three carriers, and globex with one."""
    variant = schema_variant(template=fleet_migrated)
    for schema, slugs in {"acme": "abc", "globex": "a"}.items():
        rows = ", ".join(f"('{slug}', '{slug}', '', now())" for slug in slugs)
        variant.execute(f"INSERT INTO {schema}.carriers_carrier (name, slug, mc_number, created_at) VALUES {rows}")
    return variant


def pending(variant: Variant, *operations: str, after: str = LAST, name: str = "0005_clean") -> Variant:
    return variant.migration("carriers", name, after, ", ".join(operations))


def ignored_in(hint: str) -> list[str]:
    return re.findall(r"ignore: \['([^']+)'\]", hint)


def test_a_table_that_holds_rows_is_named_with_how_many_and_where_most_are(two_tenants: Variant) -> None:
    found = only(audit(pending(two_tenants, "migrations.DeleteModel('Carrier')"), RULE))
    assert (found["severity"], found["place"]) == ("error", "acme.carriers_carrier")
    assert found["message"] == (
        "carriers.0005_clean (carriers/migrations/0005_clean.py:7) drops the table carriers_carrier,"
        " which has 4 rows of 2 schemas, 3 of them in acme."
    )
    assert found["schemas"] == ["acme", "globex"]
    assert ignored_in(found["hint"]) == ["drops-rows:*.carriers_carrier"]
    assert audit(two_tenants, RULE, ignore=ignored_in(found["hint"])) == []


def test_what_is_empty_or_made_by_the_plan_itself_is_no_loss(two_tenants: Variant) -> None:
    two_tenants.execute("DELETE FROM acme.carriers_carrier; DELETE FROM globex.carriers_carrier")
    audited = pending(
        two_tenants,
        "migrations.CreateModel('Stamp', [('id', models.AutoField(primary_key=True))])",
        "migrations.DeleteModel('Carrier')",
        "migrations.DeleteModel('Stamp')",
        "migrations.CreateModel('Carrier', [('id', models.AutoField(primary_key=True))])",
        "migrations.RunSQL('DELETE FROM carriers_carrier')",
    )
    assert audit(audited, RULE) == []


def test_a_table_and_a_column_are_followed_through_new_names(two_tenants: Variant) -> None:
    pending(
        two_tenants,
        "migrations.RenameField('carrier', 'slug', 'code')",
        "migrations.RenameModel('Carrier', 'Haulier')",
        "migrations.RemoveField('haulier', 'code')",
        "migrations.RunSQL('ALTER TABLE carriers_haulier RENAME TO old; DROP TABLE old', state_operations=[])",
    )
    column, table = audit(two_tenants, RULE)[::-1]
    assert (column["place"], table["place"]) == ("acme.carriers_carrier.slug", "acme.carriers_carrier")
    assert "drops the column carriers_carrier.slug, which has values in 4 rows" in column["message"]


def test_a_column_counts_where_a_row_has_more_than_the_default_in_it(two_tenants: Variant) -> None:
    pending(two_tenants, "migrations.RemoveField('carrier', 'mc_number')")
    assert audit(two_tenants, RULE) == [], "all are blank"
    two_tenants.execute("UPDATE globex.carriers_carrier SET mc_number = '12'")
    found = only(audit(two_tenants, RULE))
    assert (found["place"], found["schemas"]) == ("globex.carriers_carrier.mc_number", ["globex"])
    assert "which has values in 1 row of globex" in found["message"]


def test_code_that_may_copy_the_rows_before_is_named(two_tenants: Variant) -> None:
    copy = "migrations.RunSQL('CREATE TABLE kept AS SELECT * FROM carriers_carrier')"
    found = only(audit(pending(two_tenants, copy, "migrations.DeleteModel('Carrier')"), RULE))
    assert found["severity"] == "error"
    assert "carriers.0005_clean runs before it and may copy them" in found["message"]
    assert audit(two_tenants, RULE, ignore=ignored_in(found["hint"])) == []


STATEMENTS = [
    ("TRUNCATE TABLE carriers_carrier CASCADE", "error", "deletes from the table carriers_carrier 4 rows"),
    ("DELETE FROM carriers_carrier", "error", "deletes from the table carriers_carrier 4 rows"),
    ("DELETE FROM carriers_carrier WHERE slug >= 'b' -- old ones", "error", "2 rows of acme"),
    ("DELETE FROM carriers_carrier c USING carriers_carrier d WHERE c.id > d.id", "warning", "may delete"),
    ("DO $$ BEGIN DELETE FROM carriers_carrier; END $$", "warning", "may delete"),
    ("ALTER TABLE carriers_carrier DROP COLUMN slug", "error", "drops the column carriers_carrier.slug"),
    ("DROP TABLE IF EXISTS carriers_carrier", "error", "drops the table carriers_carrier"),
]
HARMLESS = [
    "DELETE FROM carriers_carrier WHERE slug = 'z' AND 'a%' <> 'b'",
    "CREATE POLICY p ON carriers_carrier FOR DELETE USING (true)",
    "DELETE FROM django_content_type WHERE app_label = 'old'",
]


def test_statements_that_lose_rows(two_tenants: Variant) -> None:
    texts = [*HARMLESS, *(statement for statement, _severity, _words in STATEMENTS)]
    operations = ",\n".join(f"migrations.RunSQL({text!r})" for text in texts)
    found = audit(pending(two_tenants, operations), RULE)
    by_line = {int(re.findall(r"0005_clean.py:(\d+)", finding["message"])[0]): finding for finding in found}
    assert len(by_line) == len(found)
    for (_statement, severity, words), line in itertools.zip_longest(STATEMENTS, sorted(by_line)):
        assert by_line[line]["severity"] == severity, by_line[line]
        assert words in by_line[line]["message"]
    assert audit(two_tenants, RULE, ignore=[item for finding in found for item in ignored_in(finding["hint"])]) == []


def test_a_statement_that_reaches_a_table_of_the_public_schema_from_a_tenant(two_tenants: Variant) -> None:
    two_tenants.execute("CREATE TABLE legacy AS SELECT generate_series(1, 20000) AS id")
    found = only(audit(pending(two_tenants, "migrations.RunSQL('DROP TABLE IF EXISTS legacy')"), RULE))
    assert found["place"] == "public.legacy"
    assert re.search(r"which has about (1\d|2\d),\d{3} rows of public", found["message"])


def test_rows_that_a_policy_hides_are_estimated(two_tenants: Variant) -> None:
    two_tenants.execute(
        "CREATE ROLE hidden_deployer; GRANT ALL ON SCHEMA acme, globex, public TO hidden_deployer;"
        "GRANT ALL ON ALL TABLES IN SCHEMA acme, globex, public TO hidden_deployer;"
        "ALTER TABLE acme.carriers_carrier ENABLE ROW LEVEL SECURITY"
    )
    try:
        audited = pending(two_tenants, "migrations.DeleteModel('Carrier')")
        found = only(audit(audited, RULE, session_role="hidden_deployer"))
        assert sorted(found["schemas"]) == ["acme", "globex"]
        assert re.search("which has about . rows of 2 schemas", found["message"])
    finally:
        two_tenants.execute("DROP OWNED BY hidden_deployer; DROP ROLE hidden_deployer")


def test_rows_of_tenants_in_one_file(row_variant: Variant) -> None:
    pending(row_variant, "migrations.DeleteModel('Carrier')", after="0004_alter_carrier_tenant")
    assert audit(row_variant, RULE) == []
    row_variant.execute("INSERT INTO carriers_carrier (name, mc_number) VALUES ('A', '1')")
    found = only(audit(row_variant, RULE))
    assert (found["severity"], found["place"]) == ("error", "main.carriers_carrier")
    assert audit(row_variant, RULE, ignore=ignored_in(found["hint"])) == []
