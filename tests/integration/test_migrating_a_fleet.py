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
    assert result["summary"] == {
        "schemas": 9,
        "migrated": 9,
        "replayed": 0,
        "pending": 0,
        "failed": 0,
        "up_to_date": 0,
        "signalled": 0,
    }
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


CONDITIONAL = """
from django.db import migrations


def widen(apps, schema_editor):
    if schema_editor.connection.schema_name == "tenant3":
        schema_editor.execute("ALTER TABLE plants_plant ADD COLUMN extra integer")


class Migration(migrations.Migration):
    dependencies = [("plants", "0003_plant_city_plant_plant_supplier_idx")]
    operations = [migrations.RunPython(widen)]
"""

AFTERWARDS = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plants", "0004_conditional")]
    operations = [migrations.AddField("plant", "note", models.CharField(max_length=9, default=""))]
"""


def test_sql_is_not_replayed_where_python_has_left_another_structure(module, project, database):
    module("django_migrate_schemas", scope="shared")
    module("django_tenant", tenants=[declared(schema) for schema in ["public", *TENANTS]])
    migrations = project.directory / "plants" / "migrations"
    (migrations / "0004_conditional.py").write_text(CONDITIONAL)
    (migrations / "0005_afterwards.py").write_text(AFTERWARDS)
    result = module("django_migrate_schemas", scope="tenants")
    reasons = [reason for reason in result["through_django"] if "has left another structure than in tenant0" in reason]
    assert [result["through_django"][reason] for reason in reasons] == [1]
    for schema in TENANTS:
        columns = database.query(
            f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name = 'plants_plant'"
        )
        assert ("note",) in columns
        assert (("extra",) in columns) == (schema == "tenant3")
