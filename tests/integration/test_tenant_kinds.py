# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""django_tenant on tenant models of other make, on rows in PostgreSQL, and between two releases."""

from __future__ import annotations

import pytest

from tests.support.variants import PUBLIC, Variant, few_apps

ROWS = (
    {
        "key": {"slug": "acme"},
        "defaults": {"name": "Acme", "contact_email": "a@b.example"},
        "domains": ["a.example", "b.example"],
    },
    {
        "key": {"slug": "globex"},
        "defaults": {"name": "Globex", "contact_email": "a@b.example"},
        "domains": ["g.example"],
    },
)


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_tenants_as_rows_in_postgresql(sample, database, stack):
    project = Variant(few_apps(sample("row_tenants", stack=stack)), database)
    assert not project.module("django_migrate_schemas", scope="shared").get("failed")
    result = project.ensure(*ROWS)
    assert result["planned"] == ["acme", "globex"]
    assert not project.module("django_migrate_schemas", scope="tenants").get("failed")
    by_two = {"key": {"name": "Acme", "slug": "acme"}, "attributes": {"is_active": False}, "domains": ["b.example"]}
    assert project.ensure(by_two)["tenants"][0]["actions"] == [
        "set is_active: True → False",
        "make b.example the primary domain",
    ]
    assert project.domains()["a.example"] == ("acme", False)
    refused = project.refused({"key": {"contact_email": "a@b.example"}})
    assert "key: more than one tenants.Tenant has" in refused["msg"]
    # One bad one does not stop the others: a trigger that no validation foresees.
    project.execute(
        "CREATE RULE no_hooli AS ON INSERT TO tenants_domain WHERE NEW.domain = 'hooli.example' DO INSTEAD NOTHING"
    )
    project.execute("ALTER TABLE tenants_tenant ADD CHECK (slug <> 'initech')")
    new = {"defaults": ROWS[0]["defaults"]}
    result = project.tenants({"key": {"slug": "initech"}, **new}, {"key": {"slug": "umbrella"}, **new})
    assert [line["state"] for line in result["tenants"]] == ["failed", "created"]
    assert result["tenants"][0]["error"]["sqlstate"] == "23514"
    assert "Nothing of this tenant was written." in result["msg"]


def test_a_tenant_model_that_extends_another_table(schema_variant):
    project = schema_variant()
    project.append("tenants/models.py", "\n\nclass Shop(Client):\n    street = models.CharField(max_length=100)\n")
    project.replace("config/settings/base.py", '"tenants.Client"', '"tenants.Shop"')
    project.migration(
        "tenants",
        "0003_shop",
        "0002_client_on_trial_client_paid_until",
        "migrations.CreateModel('Shop', [('client_ptr', models.OneToOneField('tenants.Client', models.CASCADE, parent_link=True,"
        " primary_key=True, auto_created=True, serialize=False)), ('street', models.CharField(max_length=100))], bases=('tenants.client',)),"
        "migrations.AlterField('domain', 'tenant', models.ForeignKey('tenants.Shop', models.CASCADE, related_name='domains'))",
    )
    project.execute("DELETE FROM tenants_domain")
    assert not project.module("django_migrate_schemas", scope="shared").get("failed")
    acme = {
        "schema": "acme",
        "attributes": {"name": "Acme", "street": "Main Street"},
        "defaults": {"paid_until": "2099-12-31"},
        "domains": ["acme.localhost"],
    }
    result = project.ensure(acme)
    assert result["tenancy"]["tenant_model"] == "tenants.Shop"
    project.execute("UPDATE tenants_client SET name = 'Other' WHERE schema_name = 'acme'")
    project.execute("UPDATE tenants_shop SET street = 'Side Street'")
    assert project.ensure(acme)["tenants"][0]["actions"] == [
        "set name: Other → Acme",
        "set street: Side Street → Main Street",
    ]
    project.ensure({"schema": "acme", "state": "absent"})


def test_a_release_with_a_column_still_to_come_is_answered_in_check_mode_and_refused_in_earnest(schema_variant):
    project = schema_variant()
    acme = {
        "schema": "acme",
        "attributes": {"name": "Acme"},
        "defaults": {"paid_until": "2099-12-31"},
        "domains": ["acme.localhost"],
    }
    project.ensure(acme)
    project.sample.upgrade("2")
    before = project.dump()
    gold = {**acme, "attributes": {"name": "New", "plan": "gold"}, "domains": ["acme.localhost", "new.localhost"]}
    line = project.tenants(gold, check=True)["tenants"][0]
    assert line["actions"][:2] == ["set name: Acme → New", "set plan: None → gold"]
    assert line["actions"][-1] == "add the domain new.localhost"
    assert "carriers.0005_carrier_home_state" in line["migrations"]
    result = project.tenants(gold)
    assert "tenants.Client is ahead of the database: public.tenants_client lacks plan." in result["msg"]
    assert result["hint"] == "Run this task first: meatscentral.tenancy.django_migrate_schemas: {scope: shared}"
    assert project.dump() == before
    project.module("django_migrate_schemas", scope="shared")
    assert project.ensure(gold)["tenants"][0]["state"] == "updated"


def test_constraints_put_off_and_tables_altered_share_one_transaction(schema_variant):
    """A row with a deferred foreign key, then ALTER TABLE: "pending trigger events" but for checks made in between."""
    project = schema_variant()
    project.migration(
        "carriers",
        "0005_branch",
        "0004_alter_carrier_slug",
        "migrations.CreateModel('Branch', [('id', models.BigAutoField(primary_key=True)), ('carrier', models.ForeignKey('carriers.Carrier', models.CASCADE))])",
    )
    project.migration(
        "carriers",
        "0006_fill",
        "0005_branch",
        "migrations.RunSQL(\"INSERT INTO carriers_carrier (name, slug, mc_number, created_at) VALUES ('C', 'c', '', now());"
        ' INSERT INTO carriers_branch (carrier_id) SELECT id FROM carriers_carrier")',
    )
    project.migration(
        "carriers",
        "0007_name",
        "0006_fill",
        "migrations.AddField('Branch', 'name', models.CharField(max_length=9, default='x'))",
    )
    project.ensure({"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}})
    assert project.query("SELECT name FROM acme.carriers_branch") == [("x",)]


def test_a_tenant_model_that_needs_an_owner_before_the_first_tenant_is_there(schema_variant):
    project = schema_variant(template=None)
    project.replace(
        "tenants/models.py",
        "from django.db import models",
        "from django.conf import settings\nfrom django.db import models",
    )
    project.replace(
        "tenants/models.py",
        "    on_trial =",
        "    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)\n    on_trial =",
    )
    project.migration(
        "tenants",
        "0003_owner",
        "0002_client_on_trial_client_paid_until",
        "migrations.AddField('client', 'owner', models.ForeignKey('auth.User', models.PROTECT, null=True))",
        body="dependencies += [('auth', '0012_alter_user_first_name_max_length')]",
    )
    owner = {"username": "ops", "create": {"email": "ops@acme.example"}}
    public = {**PUBLIC, "attributes": {"owner": owner}}
    acme = {"schema": "acme", "attributes": {"name": "Acme", "owner": owner}, "defaults": {"paid_until": "2099-12-31"}}
    before = project.dump()
    foretold = project.tenants(public, acme, check=True)
    assert foretold["summary"]["created"] == 2
    assert project.dump() == before
    assert not project.module("django_migrate_schemas", scope="shared").get("failed")
    assert "owner: is required, and has no value." in project.refused({**acme, "attributes": {"name": "Acme"}})["msg"]
    result = project.ensure(public, acme)
    assert [line["actions"] for line in result["tenants"]] == [line["actions"] for line in foretold["tenants"]]
    assert project.query("SELECT count(*) FROM public.auth_user") == [(1,)]
    assert "auth_user" not in project.database.tables("acme")
