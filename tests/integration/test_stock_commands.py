# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the commands that Django and django-tenants bring leave behind, seen on the real thing.

This is why the collection exists. If one of these tests fails with a new release of either, what the collection does
about it may have become superfluous, and its documentation wrong.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Database
    from tests.support.samples import Sample

pytestmark = pytest.mark.parametrize("stack", ["current", "oldest"])

SCHEMA_LEAVES = {
    "1": {"plants": "0003_plant_city_plant_plant_supplier_idx", "tenants": "0002_client_on_trial_client_paid_until"},
    "2": {"plants": "0004_dock", "tenants": "0003_client_plan"},
}
BUSINESS_TABLES = [
    "carriers_carrier",
    "contacts_contact",
    "customers_customer",
    "plants_plant",
    "suppliers_supplier",
]


def make_client(project: Sample, schema: str) -> None:
    """A tenant and its schema, made the way that django-tenants documents."""
    project.manage(
        "shell",
        "-c",
        "from tenants.models import Client\n"
        f"Client.objects.create(schema_name={schema!r}, name={schema!r}, paid_until='2099-12-31', on_trial=False)",
    )


def make_row_tenant(project: Sample) -> None:
    project.manage(
        "shell",
        "-c",
        "from tenants.models import Tenant\n"
        "Tenant.objects.create(name='Acme', slug='acme', contact_email='ops@example.com')",
    )


def answer(project: Sample, host: str) -> str:
    """The status and the text with which the project answers a request to this host name."""
    done = project.manage(
        "shell",
        "-c",
        "from django.test import Client\n"
        f"response = Client(raise_request_exception=False).get('/', HTTP_HOST={host!r})\n"
        "print(response.status_code, response.content.decode() if response.status_code == 200 else '')",
    )
    return done.stdout.strip().splitlines()[-1]


def recorded(database: Database, schema: str, app: str) -> list[str]:
    """The migrations of an app that a schema has recorded, in the order of their names."""
    rows = database.query(f'SELECT name FROM "{schema}".django_migrations WHERE app = %s ORDER BY name', [app])
    return [name for (name,) in rows]


def nullable_tenants(database: Database) -> list[str]:
    """The business tables whose tenant_id may be null."""
    rows = database.query(
        "SELECT table_name FROM information_schema.columns"
        " WHERE column_name = 'tenant_id' AND is_nullable = 'YES' AND table_schema = 'public' ORDER BY 1"
    )
    return [name for (name,) in rows]


class TestSchemaTenants:
    @pytest.fixture
    def project(self, sample: Callable[..., Sample], stack: str) -> Sample:
        return sample("schema_tenants", stack=stack)

    @pytest.fixture
    def migrated(self, project: Sample) -> Sample:
        """The project after the two commands that its documentation names; both end with 0."""
        project.manage("migrate_schemas", "--shared")
        project.manage("migrate_schemas")
        return project

    def test_an_empty_database_ends_without_public_tenant_domain_or_any_tenants_schema(
        self, migrated: Sample, database: Database
    ) -> None:
        assert database.query("SELECT count(*) FROM tenants_client") == [(0,)]
        assert database.query("SELECT count(*) FROM tenants_domain") == [(0,)]
        assert database.schemas() == ["public"]

    def test_an_empty_database_ends_with_business_migrations_recorded_where_their_tables_are_not(
        self, migrated: Sample, database: Database
    ) -> None:
        assert recorded(database, "public", "plants")[-1] == SCHEMA_LEAVES["1"]["plants"]
        assert set(database.tables()).isdisjoint(BUSINESS_TABLES)

    def test_an_empty_database_ends_with_a_site_that_routes_nothing_and_the_error_everybody_knows(
        self, migrated: Sample
    ) -> None:
        assert answer(migrated, "localhost") == "404"
        done = migrated.manage(
            "shell", "-c", "from carriers.models import Carrier\nprint(Carrier.objects.count())", check=False
        )
        assert done.returncode
        assert 'relation "carriers_carrier" does not exist' in done.stderr

    def test_a_tenant_row_without_its_schema_aborts_the_run_for_all_and_is_not_named(
        self, migrated: Sample, database: Database
    ) -> None:
        database.execute(
            "INSERT INTO tenants_client (schema_name, name, paid_until, on_trial, created_on)"
            " VALUES ('forsaken', 'Forsaken', '2099-12-31', false, '2026-01-01')"
        )
        make_client(migrated, "acme")
        migrated.upgrade("2")

        done = migrated.manage("migrate_schemas", check=False)

        assert done.returncode
        assert "Unable to create the django_migrations table" in done.stderr
        assert "forsaken" not in done.stdout + done.stderr
        assert recorded(database, "public", "plants")[-1] == SCHEMA_LEAVES["2"]["plants"]
        assert recorded(database, "acme", "plants")[-1] == SCHEMA_LEAVES["1"]["plants"]

    def test_the_sample_itself_is_sound_and_takes_its_next_release(self, migrated: Sample, database: Database) -> None:
        """So what is wrong above is the commands' doing, not the project's."""
        make_client(migrated, "acme")
        for release, leaves in SCHEMA_LEAVES.items():
            if release != "1":
                migrated.upgrade(release)
                migrated.manage("migrate_schemas")
            migrated.manage("makemigrations", "--check", "--dry-run")
            assert {app: recorded(database, "acme", app)[-1] for app in leaves} == leaves
            assert set(BUSINESS_TABLES) <= set(database.tables("acme"))


class TestRowTenants:
    @pytest.fixture
    def project(self, sample: Callable[..., Sample], stack: str) -> Sample:
        return sample("row_tenants", stack=stack)

    def test_an_empty_database_ends_in_the_migration_that_dies_for_want_of_a_tenant(
        self, project: Sample, database: Database
    ) -> None:
        done = project.manage("migrate", check=False)

        assert done.returncode
        assert "LookupError: No tenant exists" in done.stderr
        assert recorded(database, "public", "suppliers") == ["0001_initial", "0002_supplier_tenant"]
        assert "plants_plant" not in database.tables()

    def test_business_rows_without_a_tenant_end_in_a_migration_that_counts_them(
        self, project: Sample, database: Database
    ) -> None:
        project.manage("migrate", "customers", "0001")
        database.execute("INSERT INTO customers_customer (name, city) VALUES ('Butcher', ''), ('Grill', '')")

        done = project.manage("migrate", "customers", check=False)

        assert done.returncode
        assert "RuntimeError: No tenant exists, and 2 customers need one." in done.stderr

    def test_without_the_app_that_dies_all_is_said_to_be_well_and_tenant_id_is_left_nullable(
        self, project: Sample, database: Database
    ) -> None:
        done = project.manage("migrate", "carriers")

        assert "Applying carriers.0004_alter_carrier_tenant... OK" in done.stdout
        assert nullable_tenants(database) == ["carriers_carrier"]

    def test_a_tenant_made_after_the_failure_does_not_mend_what_was_left_nullable(
        self, project: Sample, database: Database
    ) -> None:
        project.manage("migrate", check=False)
        project.manage("migrate", "tenants")
        make_row_tenant(project)

        project.manage("migrate")

        project.manage("migrate", "--check")
        project.manage("makemigrations", "--check", "--dry-run")
        assert nullable_tenants(database) == ["carriers_carrier"]

    def test_on_sqlite_too_the_run_dies_and_leaves_tenant_id_nullable(
        self, sample: Callable[..., Sample], stack: str
    ) -> None:
        project = sample("row_tenants", stack=stack, database_url=None)

        done = project.manage("migrate", check=False)

        assert done.returncode
        assert "LookupError: No tenant exists" in done.stderr
        with sqlite3.connect(project.directory / "db.sqlite3") as connection:
            columns = connection.execute("SELECT name, \"notnull\" FROM pragma_table_info('carriers_carrier')")
            assert dict(columns)["tenant_id"] == 0

    @pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
    def test_the_sample_itself_is_sound_when_a_tenant_comes_before_the_rest_and_takes_its_next_release(
        self, sample: Callable[..., Sample], stack: str, kind: str, request: pytest.FixtureRequest
    ) -> None:
        """So what is wrong above is the order, not the project."""
        own_url = {"database_url": None} if kind == "sqlite" else {}
        project = sample("row_tenants", stack=stack, **own_url)
        project.manage("migrate", "tenants")
        make_row_tenant(project)
        for release in ("1", "2"):
            if release != "1":
                project.upgrade(release)
            project.manage("migrate")
            project.manage("makemigrations", "--check", "--dry-run")
        if kind == "postgresql":
            assert nullable_tenants(request.getfixturevalue("database")) == []
        else:
            with sqlite3.connect(project.directory / "db.sqlite3") as connection:
                columns = connection.execute("SELECT name, \"notnull\" FROM pragma_table_info('carriers_carrier')")
                assert dict(columns)["tenant_id"] == 1
