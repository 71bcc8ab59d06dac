# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""django_tenant with state absent: the schema stays unless the task says twice that it goes."""

from __future__ import annotations

import pytest

ACME = {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["acme.localhost"]}
ABSENT = {"schema": "acme", "state": "absent"}
DROPPED = {**ABSENT, "drop_schema": True, "confirm": "acme"}
# As projects write it that want the schema gone with the row; and a backup of it before.
EAGER = """
def delete(self, *args, **kwargs):
    return super(Client, self).delete(force_drop=True)

def pre_drop(self):
    with open("backup", "a") as file:
        file.write(f"{self.pk} {self.domains.count()}\\n")

Client.auto_drop_schema, Client.delete, Client.pre_drop = True, delete, pre_drop
"""


@pytest.fixture
def project(schema_variant):
    return schema_variant().append("tenants/models.py", EAGER)


def test_the_schema_stays_whatever_the_model_says_and_goes_only_when_it_is_confirmed(project):
    project.ensure(ACME)
    refusal = project.refused({**ABSENT, "drop_schema": True})
    assert "the schema is dropped, with all its rows, only where confirm: is equal to its name" in refusal["msg"]
    assert "confirm: 'acme'" in refusal["hint"]
    assert project.refused({**ABSENT, "drop_schema": True, "confirm": "Acme"})

    result = project.ensure(ABSENT)
    assert result["tenants"][0]["actions"] == ["delete the row and 1 domain"]
    assert result["diff"][0]["after"] == {"row": None, "domains": [], "schema": "present"}
    assert "carriers_carrier" in project.database.tables("acme")
    assert list(project.domains()) == ["localhost"]
    assert not (project.sample.directory / "backup").exists()
    assert project.ensure(DROPPED)["tenants"][0]["actions"] == ["drop the schema acme"]
    assert project.database.schemas() == ["public"]

    project.ensure(ACME)
    assert project.ensure(DROPPED)["tenants"][0]["actions"] == ["delete the row and 1 domain", "drop the schema acme"]
    assert project.database.schemas() == ["public"]
    pk, domains = (project.sample.directory / "backup").read_text().split()
    assert int(pk) > 1
    assert domains == "1"


def test_the_public_tenant_and_what_is_postgresqls_own_stay(project):
    assert (
        "public is the public tenant: without it nothing routes"
        in project.refused({**ABSENT, "schema": "public"})["msg"]
    )
    for name in ("information_schema", "pg_catalog"):
        refusal = project.tenants({**DROPPED, "schema": name, "confirm": name})
        assert "the schema is PostgreSQL's own and can't be dropped" in refusal["msg"]


def test_other_rows_in_public_that_would_go_with_the_tenant_are_counted_first(project):
    project.append(
        "tenants/models.py",
        "\n\nclass Invoice(models.Model):\n    client = models.ForeignKey(Client, on_delete=models.CASCADE)\n",
    )
    project.execute(
        "CREATE TABLE tenants_invoice (id bigserial PRIMARY KEY, client_id bigint REFERENCES tenants_client)"
    )
    project.ensure(ACME)
    project.execute("INSERT INTO tenants_invoice (client_id) SELECT id FROM tenants_client WHERE schema_name = 'acme'")
    assert "acme: deleting the row would delete 1 tenants.Invoice with it." in project.refused(ABSENT)["msg"]
    project.ensure({**ABSENT, "confirm": "acme"})
    assert project.query("SELECT count(*) FROM tenants_invoice") == [(0,)]


def test_absent_and_present_in_one_call_hand_a_domain_on(project):
    project.ensure(ACME)
    heir = {**ACME, "schema": "globex", "domains": ["acme.localhost"], "move_domains": True}
    project.ensure(ABSENT, heir)
    assert project.domains() == {"localhost": ("public", True), "acme.localhost": ("globex", True)}
