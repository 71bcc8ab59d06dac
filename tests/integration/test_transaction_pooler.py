# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Behind a pooler that loses a session's search_path between transactions, every table still lands in its own schema."""

from __future__ import annotations

import pytest

from tests.support import pgbouncer

TENANTS = ["acme", "globex", "initech", "hooli", "umbrella"]


@pytest.fixture
def pooled(sample, database, run_module, tmp_path):
    if pgbouncer.program() is None:
        pytest.skip("there is no pgbouncer, and it can't be installed")
    with pgbouncer.transaction_pool(database, tmp_path) as url:
        project = sample("schema_tenants", database_url=url)

        def run(name, **options):
            return run_module(name, **project.options(), **options)

        run.project = project
        yield run


def declared(schema):
    return {
        "schema": schema,
        "defaults": {"name": schema, "paid_until": "2099-12-31"},
        "domains": [f"{schema}.localhost"],
    }


def deploy(pooled):
    for name, options in (
        ("django_migrate_schemas", {"scope": "shared"}),
        ("django_tenant", {"tenants": [declared(schema) for schema in ["public", *TENANTS]]}),
        ("django_migrate_schemas", {"scope": "tenants"}),
    ):
        result = pooled(name, **options)
        assert not result.get("failed"), result["msg"]


def test_a_deploy_and_a_release_reach_every_schema_and_no_other(pooled, database):
    deploy(pooled)
    tables = {schema: database.tables(schema) for schema in ["public", *TENANTS]}
    assert "carriers_carrier" not in tables["public"]
    pooled.project.upgrade("2")
    deploy(pooled)
    for schema in TENANTS:
        assert set(database.tables(schema)) - set(tables[schema]) == {"plants_dock"}
        assert database.query(
            "SELECT count(*) FROM information_schema.columns WHERE column_name = 'home_state'"
            f" AND table_schema = '{schema}'"
        ) == [(1,)]
    assert "plants_dock" not in database.tables("public")


def test_a_migration_that_is_not_atomic_is_refused_before_anything_is_written(pooled, database):
    deploy(pooled)
    (pooled.project.directory / "plants" / "migrations" / "0004_loose.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    atomic = False\n"
        '    dependencies = [("plants", "0003_plant_city_plant_plant_supplier_idx")]\n'
        "    operations = [migrations.RunPython(migrations.RunPython.noop)]\n"
    )
    before = database.dump()
    result = pooled("django_migrate_schemas", scope="tenants")
    assert result["failed"]
    assert "a pooler in transaction mode" in result["msg"]
    assert "plants.0004_loose is not atomic" in result["msg"]
    assert database.dump() == before
