# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many schemas at once: compiled in one, replayed in the others, and the same as if Django had done each."""

from __future__ import annotations

import pytest

TENANTS = [f"tenant{number}" for number in range(8)]


@pytest.fixture(params=["current", "oldest"])
def project(request, sample):
    return sample("schema_tenants", stack=request.param)


@pytest.fixture
def module(project, run_module):
    def run(name, **options):
        result = run_module(name, **project.options(), **options)
        assert not result.get("failed"), str(result.get("failures") or result)[:3000]
        return result

    return run


def declared(schema):
    return {
        "schema": schema,
        "defaults": {"name": schema, "paid_until": "2099-12-31"},
        "domains": [f"{schema}.localhost"],
    }


def test_a_release_reaches_every_schema_and_leaves_what_django_would(module, project, database):
    module("django_migrate_schemas", scope="shared")
    module("django_tenant", tenants=[declared(schema) for schema in ["public", *TENANTS]])
    for number, schema in enumerate(TENANTS):
        database.execute(
            f"INSERT INTO {schema}.customers_customer (name, city, credit_limit) VALUES ('C{number}', 'X', 1)"
        )
    project.upgrade("2")
    result = module("django_migrate_schemas", scope="all")
    assert result["summary"] == {"schemas": 9, "migrated": 9, "replayed": 0, "pending": 0, "failed": 0, "up_to_date": 0}
    structures = set()
    for schema in TENANTS:
        assert database.query(f"SELECT code FROM {schema}.customers_customer") != [("",)]
        columns = database.query(
            f"SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = '{schema}' ORDER BY 1, 2"
        )
        kinds = database.query(
            f"SELECT c.app_label, c.model, p.codename FROM {schema}.auth_permission p"
            f" JOIN {schema}.django_content_type c ON c.id = p.content_type_id ORDER BY 1, 2, 3"
        )
        assert ("plants", "dock", "add_dock") in kinds
        recorded = database.query(f"SELECT app, name FROM {schema}.django_migrations ORDER BY 1, 2")
        structures.add((tuple(columns), tuple(kinds), tuple(recorded)))
    assert len(structures) == 1
    assert not module("django_migrate_schemas")["changed"]
