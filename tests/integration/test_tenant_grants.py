# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""django_tenant and the rights of roles: who may make schemas, and who gets the use of them."""

from __future__ import annotations

import os

import pytest

ACME = {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["acme.localhost"]}
ROLE = f"app {os.getpid()}"
USES = (
    "SELECT has_table_privilege(r, 'acme.carriers_carrier', 'INSERT'), has_sequence_privilege(r, 'acme.carriers_carrier_id_seq', 'USAGE'),"
    " has_table_privilege(r, 'acme.later', 'UPDATE'), has_table_privilege(r, 'public.tenants_client', 'SELECT') FROM (VALUES ('{0}')) AS v(r)"
)


@pytest.fixture
def role(postgres, shared_migrated):
    postgres.execute(shared_migrated, f'CREATE ROLE "{ROLE}"')
    yield ROLE
    postgres.execute(shared_migrated, f'DROP ROLE "{ROLE}"')


@pytest.fixture
def project(role, schema_variant):
    project = schema_variant()
    yield project
    project.execute(f'DROP OWNED BY "{ROLE}"')


def test_roles_get_the_use_of_what_is_made_and_of_what_will_be(project, role):
    assert "there is no role 'nobody'" in project.refused({**ACME, "grant_to": [role, "nobody"]})["msg"]
    result = project.ensure({**ACME, "grant_to": [role]})
    assert f"grant the use of the schema to {role}" in result["tenants"][0]["actions"]
    project.migration(
        "carriers", "0005_later", "0004_alter_carrier_slug", "migrations.RunSQL('CREATE TABLE later (id int)')"
    )
    project.ensure({**ACME, "grant_to": [role]})
    assert project.query(USES.format(role)) == [(True, True, True, False)]

    project.execute(f'REVOKE INSERT ON acme.carriers_carrier FROM "{role}"')
    assert project.ensure({**ACME, "grant_to": [role, project.database.postgres.user]})["tenants"][0]["actions"] == [
        f"grant the use of the schema to {role}"
    ]
    # One of several that was there before without grants, and one that is still to be made.
    project.ensure({**ACME, "schema": "globex", "domains": []})
    lines = project.ensure(
        *({"schema": name, "defaults": ACME["defaults"], "grant_to": [role]} for name in ("acme", "globex", "hooli"))
    )["tenants"]
    assert [f"grant the use of the schema to {role}" in line["actions"] for line in lines] == [False, True, True]


def test_a_role_that_may_not_create_schemas_is_told_so_before_anything_is_written(project, role):
    project.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"; GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}"')
    result = project.refused(ACME, session_role=role)
    assert f"The role '{role}' may not create schemas in the database" in result["msg"]
    assert "GRANT CREATE ON DATABASE" in result["hint"]
    project.execute(
        f'GRANT CREATE ON DATABASE "{project.database.name}" TO "{role}"; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{role}"'
    )
    project.ensure(ACME, session_role=role)
    assert project.query("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'acme'") == [(role,)]
