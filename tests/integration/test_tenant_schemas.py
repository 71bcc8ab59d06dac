# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""django_tenant and a tenant's schema: made whole or not at all, completed where it was half made, never lost."""

from __future__ import annotations

import pytest

TENANT = {"defaults": {"name": "A tenant", "paid_until": "2099-12-31"}}


def tenant(schema, **options):
    return {"schema": schema, **TENANT, "domains": [f"{schema}.localhost"], **options}


ACME, GLOBEX, INITECH = tenant("acme"), tenant("globex"), tenant("initech")
NOTED = """
from django.dispatch import receiver
from django_tenants.signals import post_schema_sync

@receiver(post_schema_sync)
def note(sender, tenant, **kwargs):
    with open("told", "a") as file:
        file.write(f"{tenant.schema_name}\\n")
"""


def told(project):
    file = project.sample.directory / "told"
    # Tenants may be made side by side, in any order.
    return sorted(file.read_text().split()) if file.exists() else []


@pytest.fixture
def project(schema_variant):
    return schema_variant()


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_half_made_tenants_are_completed_and_receivers_are_told_of_each_schema_once(schema_variant, stack):
    project = schema_variant(stack).append("tenants/models.py", NOTED)
    assert project.tenants(ACME, GLOBEX, INITECH, tenant("hooli"))["summary"]["created"] == 4
    assert told(project) == ["acme", "globex", "hooli", "initech"]
    (project.sample.directory / "told").unlink()
    # A row without a schema; a schema without a row, with rows of its own; one half migrated; one made and left empty.
    project.execute("DROP SCHEMA acme CASCADE")
    project.execute(
        "INSERT INTO globex.carriers_carrier (name, slug, mc_number, created_at) VALUES ('C', 'c', '', now())"
    )
    project.execute("DELETE FROM tenants_domain WHERE domain = 'globex.localhost'")
    project.execute("DELETE FROM tenants_client WHERE schema_name = 'globex'")
    project.execute("ALTER TABLE initech.carriers_carrier DROP COLUMN slug")
    project.execute("DELETE FROM initech.django_migrations WHERE app = 'carriers' AND name > '0002'")
    project.execute("DELETE FROM initech.django_migrations WHERE name = '0002_carrier_slug'")
    project.execute("DROP SCHEMA hooli CASCADE; CREATE SCHEMA hooli")

    lines = project.ensure(ACME, GLOBEX, INITECH, tenant("hooli"))["tenants"]
    assert lines[0]["actions"] == ["create the schema acme", "apply 20 migrations"]
    assert lines[1]["actions"] == ["create the row", "add the domain globex.localhost"]
    assert lines[2]["actions"] == ["apply 3 migrations"]
    assert lines[3]["actions"] == ["apply 20 migrations"]
    assert project.query("SELECT name FROM globex.carriers_carrier") == [("C",)]
    assert told(project) == ["acme", "globex", "hooli"]
    tables = project.database.tables("acme")
    assert all(project.database.tables(schema) == tables for schema in ("globex", "initech", "hooli"))
    assert "carriers_carrier" in tables


def test_a_failing_migration_leaves_nothing_of_its_tenant_and_the_others_go_on(project):
    project.ensure(ACME)
    # Fails where there is nothing in the tenant's table yet, so for the new tenants only.
    project.migration(
        "carriers",
        "0005_picky",
        "0004_alter_carrier_slug",
        "migrations.RunSQL('SELECT 1 / count(*) FROM carriers_carrier')",
    )
    project.execute(
        "INSERT INTO acme.carriers_carrier (name, slug, mc_number, created_at) VALUES ('C', 'c', '', now())"
    )
    project.execute("CREATE SCHEMA globex CREATE TABLE kept (id int)")
    without_sequences = project.database.dump("--exclude-table-data=*_seq", "--schema=public", "--schema=globex")
    result = project.tenants(INITECH, ACME, GLOBEX)
    assert result["failed"]
    assert [line["state"] for line in result["tenants"]] == ["failed", "updated", "failed"]
    assert result["summary"]["failed"] == 2
    error = result["tenants"][0]["error"]
    assert error["migration"] == "carriers.0005_picky"
    assert error["sqlstate"] == "22012"
    assert "division by zero" in error["message"]
    assert "count(*)" in error["statement"]
    for name in ("initech", "globex"):
        assert name in result["msg"]
    assert project.database.schemas() == ["acme", "globex", "public"]
    assert project.database.tables("globex") == ["kept"]
    assert list(project.domains()) == ["localhost", "acme.localhost"]
    assert without_sequences.count("\n") == project.database.dump(
        "--exclude-table-data=*_seq", "--schema=public", "--schema=globex"
    ).count("\n")


def test_with_a_migration_that_is_not_atomic_the_next_call_completes_and_what_was_there_stays(project):
    project.append("tenants/models.py", NOTED)
    project.migration(
        "carriers",
        "0005_in_steps",
        "0004_alter_carrier_slug",
        "migrations.RunSQL('CREATE TABLE step (id int)'), migrations.RunSQL('SELECT 1 / count(*) FROM public.gate')",
        body="atomic = False",
    )
    project.execute("CREATE TABLE gate (id int)")
    project.execute("CREATE SCHEMA globex CREATE TABLE kept (id int)")
    result = project.tenants(ACME, GLOBEX)
    assert [line["state"] for line in result["tenants"]] == ["failed", "failed"]
    assert "once it is mended, the same task completes" in result["tenants"][0]["error"]["hint"]
    assert project.database.schemas() == ["acme", "globex", "public"]
    assert "kept" in project.database.tables("globex")
    assert told(project) == []

    project.execute("INSERT INTO gate VALUES (1); DROP TABLE acme.step; DROP TABLE globex.step")
    lines = project.ensure(ACME, GLOBEX)["tenants"]
    assert lines[0]["actions"] == [
        "apply 3 migrations",
        "add the domain acme.localhost",
        "make acme.localhost the primary domain",
    ]
    assert told(project) == ["acme", "globex"]
    assert "kept" in project.database.tables("globex")


def test_whatever_the_models_save_and_create_schema_do_the_schema_is_made_once(project):
    project.append(
        "tenants/models.py",
        NOTED
        + """
def create_schema(self, *args, **kwargs):
    with open("created", "a") as file:
        file.write(self.schema_name + "\\n")
    if self.schema_name != "initech":
        return TenantMixin.create_schema(self, *args, **kwargs)

def save(self, *args, **kwargs):
    if self.schema_name == "hooli":
        self.auto_create_schema = False
    if self.schema_name == "globex":
        # Past django-tenants altogether.
        return models.Model.save(self, *args, **kwargs)
    try:
        return super(Client, self).save(*args, **kwargs)
    except Exception:
        if self.schema_name != "swallows":
            raise

Client.create_schema, Client.save = create_schema, save
""",
    )
    names = ["acme", "globex", "initech", "hooli"]
    project.ensure(*(tenant(name) for name in names))
    assert all("carriers_carrier" in project.database.tables(name) for name in names)
    assert told(project) == sorted(names)
    assert sorted((project.sample.directory / "created").read_text().split()) == ["acme", "initech"]

    project.migration("carriers", "0005_never", "0004_alter_carrier_slug", "migrations.RunSQL('SELECT 1 / 0')")
    result = project.tenants(tenant("swallows"))
    assert result["tenants"][0]["error"]["migration"] == "carriers.0005_never"
    assert "swallows" not in project.database.schemas()


def test_a_template_schema_of_the_settings_is_not_cloned(project):
    project.ensure(ACME)
    project.execute("CREATE TABLE acme.stale (id int)")
    project.settings('TENANT_CREATION_FAKES_MIGRATIONS = True\nTENANT_BASE_SCHEMA = "acme"')
    project.ensure(GLOBEX)
    assert "stale" not in project.database.tables("globex")
    assert "carriers_carrier" in project.database.tables("globex")


def test_a_history_that_django_refuses_fails_its_tenant_alone_in_check_mode_too(project):
    project.ensure(ACME)
    project.execute("DELETE FROM acme.django_migrations WHERE name = '0002_carrier_slug'")
    for check in (True, False):
        result = project.tenants(ACME, GLOBEX, check=check)
        assert [line["state"] for line in result["tenants"]] == ["failed", "created"]
        assert "carriers.0002_carrier_slug" in result["msg"]
        project.execute("DELETE FROM tenants_domain WHERE domain = 'globex.localhost'")


def test_migrate_false_leaves_a_schema_that_is_there_to_the_other_module(project):
    project.ensure(ACME)
    project.migration("carriers", "0005_more", "0004_alter_carrier_slug", "migrations.RunSQL('SELECT 1')")
    assert not project.tenants({**ACME, "migrate": False})["changed"]
    result = project.ensure({**GLOBEX, "migrate": False})
    assert "carriers.0005_more" in result["tenants"][0]["migrations"]
    assert project.ensure(ACME)["tenants"][0]["migrations"] == ["carriers.0005_more"]
