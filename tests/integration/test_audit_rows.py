# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's rules on tenants that are rows: each finds its fault, and its hint clears it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from tests.support.variants import Variant

ROWS = ("tenant-key-nullable", "tenant-key-index", "neighbour-without-tenant")
STAMP = """

class Stamp(models.Model):
    name = models.CharField(max_length=20)
"""
SITE = """

class Depot(models.Model):
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE)


class Site(models.Model):
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE)
    carriers = models.ManyToManyField(Carrier)


class Hall(Site):
    pass
"""


def carrier(variant: Variant, tenant: str = "NULL") -> None:
    variant.execute(f"INSERT INTO carriers_carrier (name, mc_number, tenant_id) VALUES ('A', '1', {tenant})")


def sql_in(hint: str) -> list[str]:
    """The statements that a hint says to run."""
    return [text.strip() for text in re.findall(r"(?:UPDATE|ALTER TABLE|CREATE INDEX)[^;]*;", hint)]


def ignored_in(hint: str) -> str:
    return re.findall(r"ignore: \['([^']+)'\]", hint)[0]


def make_migrations(variant: Variant) -> None:
    # The sample's views import models of apps that the variant lacks.
    variant.sample.manage("makemigrations", "--skip-checks", "--noinput")


def deploy(variant: Variant) -> None:
    answer = variant.module("django_migrate_schemas")
    assert answer["changed"], answer


class TestAColumnThatMayBeNull:
    def test_is_found_where_a_stock_deploy_left_it_so(self, row_variant: Variant) -> None:
        found = only(audit(row_variant, *ROWS))
        assert (found["severity"], found["place"]) == ("warning", "main.carriers_carrier.tenant_id")
        assert "though the model carriers.Carrier does not" in found["message"]
        assert "and 0 rows have none" in found["message"]

        nullable, required = (
            "migrations.AlterField('carrier', 'tenant', models.ForeignKey("
            f"'tenants.Tenant', models.CASCADE, related_name='carriers'{more}))"
            for more in (", null=True", "")
        )
        row_variant.migration("carriers", "0005_tenant", "0004_alter_carrier_tenant", f"{nullable}, {required}")
        assert audit(row_variant, *ROWS) == [], "a pending migration ends it"
        deploy(row_variant)
        assert audit(row_variant, *ROWS) == []

    def test_is_found_with_the_rows_that_nobody_owns(self, postgres_rows: Variant) -> None:
        postgres_rows.execute("ALTER TABLE carriers_carrier ALTER tenant_id DROP NOT NULL")
        carrier(postgres_rows)
        found = only(audit(postgres_rows, *ROWS))
        assert (found["severity"], found["place"]) == ("warning", "public.carriers_carrier.tenant_id")
        assert "and 1 row has none" in found["message"]
        fill, alter = sql_in(found["hint"])
        postgres_rows.execute(fill.replace("(the tenant's key)", "(SELECT id FROM tenants_tenant)"))
        postgres_rows.execute(alter)
        assert audit(postgres_rows, *ROWS) == []

    def test_is_a_notice_where_the_model_says_so(self, postgres_rows: Variant) -> None:
        postgres_rows.replace("carriers/models.py", "on_delete=models.CASCADE, rel", "models.CASCADE, null=True, rel")
        make_migrations(postgres_rows)
        assert audit(postgres_rows, *ROWS) == [], "it is not so yet"
        deploy(postgres_rows)
        found = only(audit(postgres_rows, *ROWS))
        assert (found["severity"], found["place"]) == ("notice", "public.carriers_carrier.tenant_id")
        assert audit(postgres_rows, *ROWS, ignore=[ignored_in(found["hint"])]) == []

        assert "take null=True from carriers.Carrier.tenant, run makemigrations, and deploy" in found["hint"]
        postgres_rows.replace("carriers/models.py", " null=True,", "")
        make_migrations(postgres_rows)
        deploy(postgres_rows)
        assert audit(postgres_rows, *ROWS) == []


class TestAColumnWithoutAnIndex:
    def test_is_found_where_the_model_has_none(self, postgres_rows: Variant) -> None:
        postgres_rows.replace("carriers/models.py", "models.CASCADE, rel", "models.CASCADE, db_index=False, rel")
        make_migrations(postgres_rows)
        deploy(postgres_rows)
        found = only(audit(postgres_rows, *ROWS))
        assert (found["severity"], found["place"]) == ("notice", "public.carriers_carrier.tenant_id")
        for _number in range(10):
            carrier(postgres_rows, "(SELECT id FROM tenants_tenant)")
        postgres_rows.execute(
            "INSERT INTO carriers_carrier (name, mc_number, tenant_id)"
            " SELECT 'A', '1', tenant_id FROM carriers_carrier, generate_series(1, 200)"
        )
        found = only(audit(postgres_rows, *ROWS))
        assert (found["severity"], found["place"]) == ("warning", "public.carriers_carrier.tenant_id")
        assert "(2,010 rows)" in found["message"]

        assert found["hint"].startswith("Give carriers.Carrier.tenant db_index=True, run makemigrations, and deploy;")
        postgres_rows.replace("carriers/models.py", "db_index=False", "db_index=True")
        make_migrations(postgres_rows)
        assert audit(postgres_rows, *ROWS) == []
        deploy(postgres_rows)
        assert audit(postgres_rows, *ROWS) == []

    def test_is_found_where_the_database_has_lost_it(self, postgres_rows: Variant) -> None:
        (name,) = postgres_rows.query(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'carriers_carrier'::regclass AND NOT indisprimary"
        )[0]
        postgres_rows.execute(f'DROP INDEX "{name}"')
        found = only(audit(postgres_rows, *ROWS))
        assert "it was lost in this database" in found["hint"]
        (create,) = sql_in(found["hint"])
        # One that holds some rows only, or leads with another column, does not count.
        postgres_rows.execute("CREATE INDEX few ON carriers_carrier (tenant_id) WHERE name = 'A'")
        postgres_rows.execute("CREATE INDEX other ON carriers_carrier (name, tenant_id)")
        assert only(audit(postgres_rows, *ROWS)) == found
        postgres_rows.execute(create)
        assert audit(postgres_rows, *ROWS) == []

    def test_is_not_found_where_a_unique_constraint_leads_with_it(self, row_variant: Variant) -> None:
        ((name,),) = row_variant.query(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'carriers_carrier'"
        )
        row_variant.execute(f'DROP INDEX "{name}"')
        assert len(audit(row_variant, "tenant-key-index")) == 1
        row_variant.execute("CREATE UNIQUE INDEX one ON carriers_carrier (tenant_id, name)")
        assert audit(row_variant, "tenant-key-index") == []


class TestATableWithoutATenant:
    def test_is_found_beside_one_that_has_one(self, postgres_rows: Variant) -> None:
        postgres_rows.append("carriers/models.py", SITE + STAMP)
        found = only(audit(postgres_rows, *ROWS))
        assert (found["severity"], found["place"]) == ("notice", "public.carriers_stamp")
        assert "Carrier, Depot of the same app have one" in found["message"]
        assert audit(postgres_rows, *ROWS, ignore=[ignored_in(found["hint"])]) == []

        assert "give it a foreign key to tenants.Tenant, run makemigrations, and deploy" in found["hint"]
        postgres_rows.append("carriers/models.py", "    tenant = models.ForeignKey('tenants.Tenant', models.CASCADE)\n")
        assert audit(postgres_rows, *ROWS) == []
        make_migrations(postgres_rows)
        deploy(postgres_rows)
        assert audit(postgres_rows, *ROWS) == []

    def test_is_not_found_where_a_tenant_refers_to_it(self, postgres_rows: Variant) -> None:
        postgres_rows.append("tenants/models.py", STAMP)
        assert only(audit(postgres_rows, *ROWS))["place"] == "public.tenants_stamp"
        postgres_rows.replace(
            "tenants/models.py",
            "    is_active =",
            "    stamp = models.ForeignKey('Stamp', models.PROTECT, null=True)\n    is_active =",
        )
        assert audit(postgres_rows, *ROWS) == []
