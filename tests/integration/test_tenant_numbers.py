# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hundreds of tenants in one call of django_tenant: what is right already costs next to nothing."""

from __future__ import annotations

import time

NUMBER = 200
DEFAULTS = {"name": "A tenant", "paid_until": "2099-12-31"}


def declared(number, **options):
    return {"schema": f"t{number}", "defaults": DEFAULTS, "domains": [f"t{number}.localhost"], **options}


def seconds(project, *tenants):
    started = time.monotonic()
    result = project.tenants(*tenants, check=True)
    assert not result.get("failed"), result
    assert not result["changed"], result["msg"]
    return time.monotonic() - started


def test_two_hundred_tenants_that_are_as_declared_take_no_longer_than_a_few(schema_variant):
    project = schema_variant()
    project.tenants(declared(1))
    # The others have what is looked at: a row, a domain, a schema with a recorder.
    project.execute(
        f"""
DO $$ BEGIN
    FOR n IN 2..{NUMBER} LOOP
        EXECUTE format('CREATE SCHEMA t%s', n);
        EXECUTE format('CREATE TABLE t%s.django_migrations AS SELECT * FROM t1.django_migrations', n);
        INSERT INTO tenants_client (schema_name, name, paid_until, on_trial, created_on)
            VALUES ('t' || n, 'A tenant', '2099-12-31', true, now());
        INSERT INTO tenants_domain (domain, is_primary, tenant_id)
            VALUES ('t' || n || '.localhost', true, currval('tenants_client_id_seq'));
    END LOOP;
END $$"""
    )
    alone = seconds(project, declared(1))
    role = project.database.postgres.user
    all_of_them = seconds(project, *(declared(number, grant_to=[role]) for number in range(1, NUMBER + 1)))
    assert all_of_them < alone + 5, (alone, all_of_them)


def test_two_hundred_rows_likewise_with_an_owner_looked_up(row_variant):
    row_variant.append(
        "tenants/models.py",
        '\nTenant.add_to_class("owner", models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT))\n',
    )
    row_variant.execute("ALTER TABLE tenants_tenant ADD COLUMN owner_id integer")
    tenants = [
        {
            "key": {"slug": f"t{number}"},
            "attributes": {"owner": {"username": "ops", "create": {"email": "ops@acme.example"}}},
            "defaults": {"name": "T", "contact_email": "t@t.example"},
            "domains": [f"t{number}.example"],
        }
        for number in range(NUMBER)
    ]
    result = row_variant.tenants(*tenants)
    assert result["summary"]["created"] == NUMBER
    assert result["msg"] == f"{NUMBER} of {NUMBER} tenants: {NUMBER} created."
    assert row_variant.query("SELECT count(*) FROM auth_user") == [(1,)]
    assert seconds(row_variant, *tenants) < seconds(row_variant, tenants[0]) + 5
