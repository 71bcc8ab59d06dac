# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's rules on what is recorded and what is there: each finds its fault, and its hint, followed to the letter, clears it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.audits import audit, follow, only
from tests.support.variants import Variant, few_apps

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Database, Postgres
    from tests.support.samples import Sample

RECORDS = ("ghosts", "history-out-of-order", "app-moved", "phantoms")
TENANTS = ["acme", "globex"]


def deploy(variant: Variant) -> dict[str, object]:
    answer = variant.module("django_migrate_schemas", rehearse="none")
    assert not answer.get("failed"), (answer["msg"], answer.get("failed_schemas"))
    return answer


def record(variant: Variant, app: str, name: str, *schemas: str) -> None:
    for schema in schemas:
        table = f'"{schema}".django_migrations' if variant.database else "django_migrations"
        variant.execute(f"INSERT INTO {table} (app, name, applied) VALUES ('{app}', '{name}', CURRENT_TIMESTAMP)")


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_ghosts_stop_no_deploy_and_are_forgotten_by_their_hints(deployed: Callable[..., Variant], stack: str) -> None:
    variant = deployed(stack)
    assert audit(variant, *RECORDS) == []
    record(variant, "carriers", "0005_gone", *TENANTS)
    record(variant, "legacy", "0001_initial", "acme")
    found = audit(variant, *RECORDS)
    assert [(item["rule"], item["severity"], item["place"], item["schemas"]) for item in found] == [
        ("ghosts", "warning", "acme.django_migrations.carriers", TENANTS),
        ("ghosts", "notice", "acme.django_migrations.legacy", ["acme"]),
    ]
    assert found[0]["message"] == "carriers.0005_gone is recorded in acme, globex, but not on disk."
    assert not deploy(variant)["changed"]
    for finding in found:
        follow(variant, finding)
    assert audit(variant, *RECORDS) == []


def test_ghosts_of_rows_in_sqlite(row_variant: Variant) -> None:
    record(row_variant, "carriers", "0005_gone", "main")
    record(row_variant, "legacy", "0001_initial", "main")
    found = audit(row_variant, *RECORDS)
    assert [item["severity"] for item in found] == ["warning", "notice"]
    for finding in found:
        follow(row_variant, finding)
    assert audit(row_variant, *RECORDS) == []


def test_what_a_squashed_migration_replaces_is_no_ghost(deployed: Callable[..., Variant]) -> None:
    variant = deployed()
    parts = ["0001_initial", "0002_carrier_slug", "0003_fill_carrier_slug", "0004_alter_carrier_slug"]
    for name in parts:
        (variant.sample.directory / f"carriers/migrations/{name}.py").unlink()
    variant.write(
        "carriers/migrations/0001_squashed.py",
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    replaces = {[('carriers', name) for name in parts]}\n    initial = True\n"
        "    operations = [migrations.CreateModel('Carrier', [('id', models.BigAutoField(primary_key=True)),"
        " ('name', models.CharField(max_length=200)), ('slug', models.SlugField(max_length=200, unique=True)),"
        " ('mc_number', models.CharField(max_length=20)), ('created_at', models.DateTimeField())])]\n",
    )
    assert audit(variant, *RECORDS) == []


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_history_that_lacks_what_is_there_is_mended_by_recording_it(
    deployed: Callable[..., Variant], stack: str
) -> None:
    variant = deployed(stack)
    variant.execute("DELETE FROM acme.django_migrations WHERE app = 'carriers' AND name LIKE '0002%'")
    finding = only(audit(variant, *RECORDS))
    assert (finding["rule"], finding["severity"]) == ("history-out-of-order", "error")
    assert "carriers.0003_fill_carrier_slug is recorded in acme, but carriers.0002_carrier_slug" in finding["message"]
    assert "history-out-of-order" in variant.module("django_migrate_schemas", rehearse="none")["msg"]
    follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    assert not deploy(variant)["changed"]


def test_a_migration_put_in_before_recorded_ones_is_run_before_they_are_recorded_again(
    deployed: Callable[..., Variant],
) -> None:
    variant = deployed()
    operation = "migrations.AddField('carrier', 'weight', models.IntegerField(null=True))"
    variant.migration("carriers", "0002_weight", "0002_carrier_slug", operation)
    file = "carriers/migrations/0003_fill_carrier_slug.py"
    variant.replace(file, '"0002_carrier_slug"', '"0002_weight"')
    variant.append("carriers/models.py", "\n    weight = models.IntegerField(null=True)\n")
    found = audit(variant, *RECORDS)
    assert {(item["rule"], *item["schemas"]) for item in found} == {
        ("history-out-of-order", "public"),
        ("history-out-of-order", *TENANTS),
    }
    for finding in found:
        follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    assert not deploy(variant)["changed"]
    for schema in TENANTS:
        variant.query(f"SELECT weight FROM {schema}.carriers_carrier")


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_recorded_table_that_is_not_there_is_made_after_its_records_are_taken_back(
    deployed: Callable[..., Variant], stack: str
) -> None:
    variant = deployed(stack)
    for schema in TENANTS:
        variant.execute(f"DROP TABLE {schema}.carriers_carrier")
    record(variant, "carriers", "0001_first", *TENANTS)
    found = audit(variant, "phantoms", "app-moved")
    finding = only(found)
    assert (finding["rule"], finding["severity"], finding["place"]) == (
        "phantoms",
        "error",
        "acme.carriers_carrier",
    )
    assert "is not there in acme, globex" in finding["message"]
    assert "carriers.0001_first, recorded as well and not on disk, may have been renamed" in finding["message"]
    follow(variant, finding)
    assert audit(variant, "phantoms", "app-moved") == []
    deploy(variant)
    assert variant.query("SELECT count(*) FROM globex.carriers_carrier") == [(0,)]


def test_a_recorded_table_of_rows_that_is_not_there(row_variant: Variant) -> None:
    row_variant.execute("DROP TABLE carriers_carrier")
    finding = only(audit(row_variant, *RECORDS))
    assert (finding["rule"], finding["place"]) == ("phantoms", "main.carriers_carrier")
    follow(row_variant, finding)
    assert audit(row_variant, *RECORDS) == []
    deploy(row_variant)
    assert row_variant.query("SELECT count(*) FROM carriers_carrier") == [(0,)]


def test_a_migration_edited_after_it_was_recorded_goes_back_and_gets_a_successor(
    deployed: Callable[..., Variant],
) -> None:
    variant = deployed()
    file = variant.sample.directory / "carriers/migrations/0001_initial.py"
    before = file.read_text("utf-8")
    field = '("mc_number", models.CharField(blank=True, max_length=20)),'
    weight = '\n                ("weight", models.IntegerField(null=True)),'
    variant.replace("carriers/migrations/0001_initial.py", field, field + weight)
    variant.append("carriers/models.py", "\n    weight = models.IntegerField(null=True)\n")
    finding = only(audit(variant, *RECORDS))
    assert (finding["rule"], finding["place"]) == ("phantoms", "acme.carriers_carrier.weight")
    assert "carriers.0001_initial made something else when it ran" in finding["hint"]
    file.write_text(before, "utf-8")
    follow(variant, {**finding, "schemas": [""]})
    assert audit(variant, *RECORDS) == []
    deploy(variant)
    variant.query("SELECT weight FROM globex.carriers_carrier")


def test_a_name_that_is_used_again_for_another_migration(deployed: Callable[..., Variant]) -> None:
    variant = deployed()
    record(variant, "carriers", "0005_box", *TENANTS)
    box = "migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])"
    variant.migration("carriers", "0005_box", "0004_alter_carrier_slug", box)
    finding = only(audit(variant, *RECORDS))
    assert (finding["rule"], finding["place"]) == ("phantoms", "acme.carriers_box")
    follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    deploy(variant)
    assert variant.query("SELECT count(*) FROM globex.carriers_box") == [(0,)]


def test_what_builds_on_a_phantom_is_recorded_again_and_keeps_its_rows(deployed: Callable[..., Variant]) -> None:
    variant = deployed()
    box = "migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])"
    variant.migration("carriers", "0005_box", "0004_alter_carrier_slug", box)
    note = "migrations.AddField('carrier', 'note', models.TextField(default=''))"
    variant.migration("carriers", "0006_note", "0005_box", note)
    deploy(variant)
    variant.execute(
        "DROP TABLE acme.carriers_box;"
        "INSERT INTO acme.carriers_carrier (name, slug, mc_number, created_at, note) VALUES ('A', 'a', '', now(), 'kept')"
    )
    finding = only(audit(variant, *RECORDS))
    assert finding["schemas"] == ["acme"]
    follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    assert not deploy(variant)["changed"]
    assert variant.query("SELECT note FROM acme.carriers_carrier") == [("kept",)]
    assert variant.query("SELECT count(*) FROM acme.carriers_box") == [(0,)]


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_an_app_that_moved_from_the_shared_apps_to_the_tenants(deployed: Callable[..., Variant], stack: str) -> None:
    variant = deployed(stack)
    variant.settings(
        'SHARED_APPS.remove("django.contrib.auth")\nTENANT_APPS.append("django.contrib.auth")\n',
    )
    variant.execute("INSERT INTO auth_group (name) VALUES ('kept')")
    finding = only(audit(variant, *RECORDS))
    assert (finding["rule"], finding["severity"], finding["schemas"]) == ("app-moved", "error", TENANTS)
    assert "The app auth has moved from SHARED_APPS to TENANT_APPS" in finding["message"]
    follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    deploy(variant)
    assert variant.query("SELECT count(*) FROM globex.auth_group") == [(0,)]
    assert variant.query("SELECT name FROM public.auth_group") == [("kept",)]


def test_an_app_that_moved_from_the_tenants_to_the_shared_apps(deployed: Callable[..., Variant]) -> None:
    variant = deployed()
    variant.settings('TENANT_APPS.remove("carriers")\nSHARED_APPS.append("carriers")\n')
    finding = only(audit(variant, *RECORDS))
    assert (finding["rule"], finding["schemas"]) == ("app-moved", ["public"])
    assert "The app carriers has moved from TENANT_APPS to SHARED_APPS" in finding["message"]
    follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    deploy(variant)
    assert variant.query("SELECT count(*) FROM public.carriers_carrier") == [(0,)]
    assert variant.query("SELECT count(*) FROM acme.carriers_carrier") == [(0,)]


ZOO = '''

class Ground(models.Model):
    area = models.IntegerField(db_column="how Large", null=True)
    content_type = models.ForeignKey("contenttypes.ContentType", models.CASCADE, null=True)
    object_id = models.IntegerField(null=True)
    what = GenericForeignKey()
    tags = ArrayField(models.CharField(max_length=10), default=list)
    neighbours = models.ManyToManyField("self")
    carriers = models.ManyToManyField(Carrier, through="Lease", related_name="grounds")
    others = models.ManyToManyField(Carrier, db_table="ground_others")
    double = models.GeneratedField(expression=models.F("area") * 2, output_field=models.IntegerField(), db_persist=True)


class Field(Ground):
    crop = models.CharField(max_length=10)

    class Meta:
        db_table = "Field Of Crops"
        order_with_respect_to = "content_type"


class Lease(models.Model):
    carrier = models.ForeignKey(Carrier, models.CASCADE)
    ground = models.ForeignKey(Ground, models.CASCADE, db_column="land")


class Near(Ground):
    class Meta:
        proxy = True


class View(models.Model):
    class Meta:
        managed = False


class Carrier2(models.Model):
    """With a name and a column far longer than PostgreSQL keeps."""

    class Meta:
        db_table = "a_table_with_a_name_that_goes_on_and_on_until_it_is_longer_than_postgresql_keeps"
'''


def test_models_of_every_make_are_all_there(deployed: Callable[..., Variant]) -> None:
    variant = deployed()
    head = "from django.contrib.contenttypes.fields import GenericForeignKey\nfrom django.contrib.postgres.fields import ArrayField\n"
    variant.replace("carriers/models.py", "from django.db import models\n", f"{head}from django.db import models\n")
    variant.append("carriers/models.py", ZOO)
    variant.sample.manage("makemigrations", "carriers", "--name", "zoo")
    # A column that SQL makes and only the state knows of; a model under another name than its many-to-many table was made with.
    variant.migration(
        "carriers",
        "0006_by_hand",
        "0005_zoo",
        "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL('ALTER TABLE carriers_carrier ADD COLUMN by_hand int')],"
        " state_operations=[migrations.AddField('carrier', 'by_hand', models.IntegerField(null=True))]),"
        "migrations.RenameField('carrier', 'mc_number', 'number'), migrations.RenameModel('Carrier', 'Haulier'),"
        "migrations.AlterModelTable('Lease', 'leases')",
    )
    deploy(variant)
    assert audit(variant, *RECORDS) == []


THERE = "unrecorded-tables"
BOX = "migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True)), ('name', models.TextField())])"


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_what_is_there_and_not_recorded_is_recorded_after_what_comes_before_it_has_run(
    deployed: Callable[..., Variant], stack: str
) -> None:
    variant = deployed(stack)
    variant.migration("carriers", "0005_box", "0004_alter_carrier_slug", BOX)
    note = "migrations.AddField('carrier', 'note', models.TextField(default=''))"
    variant.migration("carriers", "0006_note", "0005_box", note)
    deploy(variant)
    assert audit(variant, THERE) == []
    for schema in ("public", *TENANTS):
        variant.execute(f"DELETE FROM {schema}.django_migrations WHERE name IN ('0005_box', '0006_note')")
    # As a release does that renames one migration and puts another before it.
    record(variant, "carriers", "0005_case", *TENANTS)
    weight = "migrations.AddField('carrier', 'weight', models.IntegerField(null=True))"
    variant.migration("carriers", "0004_weight", "0004_alter_carrier_slug", weight)
    variant.replace("carriers/migrations/0005_box.py", "0004_alter_carrier_slug", "0004_weight")
    finding = only(audit(variant, THERE))
    assert (finding["severity"], finding["place"], finding["schemas"]) == ("error", "acme.carriers_box", TENANTS)
    assert "carriers.0005_case, recorded and not on disk, may have made them" in finding["message"]
    assert "already exists" in variant.module("django_migrate_schemas", rehearse="none", check=False)["msg"]
    follow(variant, finding)
    assert audit(variant, THERE, "phantoms") == []
    deploy(variant)
    variant.query("SELECT weight FROM globex.carriers_carrier")


def test_something_else_under_the_name_of_a_new_table_is_moved_out_of_the_way(
    deployed: Callable[..., Variant],
) -> None:
    variant = deployed()
    variant.execute(
        "CREATE TABLE acme.carriers_box (what text); INSERT INTO acme.carriers_box VALUES ('kept');"
        "ALTER TABLE acme.carriers_carrier ADD COLUMN weight text"
    )
    weight = "migrations.AddField('carrier', 'weight', models.IntegerField(null=True))"
    height = "migrations.AddField('carrier', 'height', models.IntegerField(null=True))"
    variant.migration("carriers", "0005_box", "0004_alter_carrier_slug", BOX)
    variant.migration("carriers", "0006_size", "0005_box", f"{height}, {weight}")
    finding = only(audit(variant, THERE))
    assert finding["schemas"] == ["acme"]
    follow(variant, finding)
    assert audit(variant, THERE) == []
    deploy(variant)
    assert variant.query("SELECT what FROM acme_old.carriers_box") == [("kept",)]
    assert variant.query("SELECT weight, weight_old FROM acme.carriers_carrier") == []


def test_initial_tables_are_no_finding_where_the_deploy_takes_them_as_made(row_variant: Variant) -> None:
    row_variant.execute("DELETE FROM django_migrations WHERE app = 'carriers'")
    finding = only(audit(row_variant, THERE))
    assert finding["message"].startswith("carriers_carrier and carriers_carrier.tenant_id are there in main")
    faked = only(audit(row_variant, THERE, fake_initial=True))
    assert faked["message"].startswith("carriers_carrier.tenant_id is there in main")
    follow(row_variant, finding)
    assert audit(row_variant, THERE) == []
    deploy(row_variant)


OWNER = "not-the-owner"


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_role_that_may_not_do_what_is_pending(
    deployed: Callable[..., Variant], postgres: Postgres, stack: str
) -> None:
    variant = deployed(stack)
    assert variant.database is not None
    role, owner = (f"{name}_{os.getpid()}_{stack}" for name in ("deployer", "owner"))
    schemas = "acme, globex, public"
    variant.execute(
        f"CREATE ROLE {owner}; CREATE ROLE {role} LOGIN PASSWORD 'w3ak-but-secret'; GRANT USAGE ON SCHEMA {schemas} TO {role};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA {schemas} TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA {schemas} TO {role}"
    )
    try:
        for schema in TENANTS:
            variant.execute(
                f"ALTER TABLE {schema}.carriers_carrier OWNER TO {owner}; GRANT USAGE ON SCHEMA {schema} TO {owner}"
            )
        variant.sample.environment["DATABASE_URL"] = postgres.url(
            variant.database.name, user=role, password="w3ak-but-secret"
        )
        name = "migrations.AlterField('carrier', 'name', models.CharField(max_length=200, help_text='Or the firm'))"
        variant.migration("carriers", "0005_name", "0004_alter_carrier_slug", name)
        # A help text does not reach the database; in public a deploy wants to be able to make tables.
        assert only(audit(variant, OWNER))["place"] == "public"
        weight = "migrations.AddField('carrier', 'weight', models.IntegerField(null=True))"
        variant.migration("carriers", "0006_weight", "0005_name", f"{BOX}, {weight}")
        found = audit(variant, OWNER, planned=["acme", "hooli"])
        assert {(item["severity"], item["place"], *item["schemas"]) for item in found} == {
            ("error", "acme.carriers_carrier", *TENANTS),
            ("error", "acme", *TENANTS),
            ("error", "public", "public"),
            ("error", variant.database.name, "hooli"),
        }
        message = next(item["message"] for item in found if item["place"] == "acme.carriers_carrier")
        assert message == (
            f"Pending migrations change carriers_carrier in acme, globex, which belongs to {owner}, "
            f"and the role {role} is no member of that: PostgreSQL would say 'must be owner of table'."
        )
        failed = variant.module("django_migrate_schemas", rehearse="none")
        assert failed.get("failed"), failed
        for finding in found:
            # One statement for all schemas.
            follow(variant, {**finding, "schemas": finding["schemas"][:1]})
        assert audit(variant, OWNER, planned=["acme", "hooli"]) == []
        deploy(variant)
    finally:
        variant.execute(f"REASSIGN OWNED BY {role}, {owner} TO CURRENT_USER; DROP OWNED BY {role}, {owner}")
        variant.execute(f"DROP ROLE {role}; DROP ROLE {owner}")


def test_what_a_role_may_do_is_no_matter_in_sqlite(row_variant: Variant) -> None:
    operation = "migrations.AddField('carrier', 'weight', models.IntegerField(null=True))"
    row_variant.migration("carriers", "0005_weight", "0004_alter_carrier_tenant", operation)
    assert audit(row_variant, OWNER) == []


def test_a_database_of_schemas_meets_a_release_of_rows_and_the_other_way_round(
    deployed: Callable[..., Variant], sample: Callable[..., Sample], new_database: Callable[..., Database]
) -> None:
    schemas = deployed()
    assert schemas.database is not None
    rows = Variant(few_apps(sample("row_tenants", database_url=schemas.database.url)), schemas.database)
    found = {item["rule"]: item for item in audit(rows, *RECORDS, THERE)}
    assert found["phantoms"]["severity"] == "error"
    assert "although carriers.0001_initial and tenants.0001_initial are recorded" in found["phantoms"]["message"]

    database = new_database()
    rows = Variant(few_apps(sample("row_tenants", database_url=database.url)), database)
    assert not rows.module("django_migrate_schemas", rehearse="none").get("failed")
    back = Variant(few_apps(sample("schema_tenants", database_url=database.url)), database)
    found = {item["rule"]: item for item in audit(back, *RECORDS, THERE)}
    assert found["phantoms"]["place"] == "public.tenants_client"
    assert "tenants_client is not there in public" in found["phantoms"]["message"]


def test_a_squashed_migration_is_recorded_and_taken_back_with_all_that_it_replaces(
    deployed: Callable[..., Variant],
) -> None:
    variant = deployed()
    variant.migration("carriers", "0005_box", "0004_alter_carrier_slug", BOX)
    variant.migration("carriers", "0006_crate", "0005_box", BOX.replace("Box", "Crate"))
    note = "migrations.AddField('carrier', 'note', models.TextField(default=''))"
    variant.migration("carriers", "0007_note", "0005_squashed", note)
    replaces = "replaces = [('carriers', '0005_box'), ('carriers', '0006_crate')]"
    both = f"{BOX}, {BOX.replace('Box', 'Crate')}"
    variant.migration("carriers", "0005_squashed", "0004_alter_carrier_slug", both, body=replaces)
    deploy(variant)
    variant.execute("DELETE FROM acme.django_migrations WHERE name IN ('0005_box', '0006_crate', '0005_squashed')")
    finding = only(audit(variant, *RECORDS))
    assert "carriers.0007_note is recorded in acme, but carriers.0005_squashed" in finding["message"]
    follow(variant, finding)
    variant.execute("DROP TABLE globex.carriers_box, globex.carriers_crate")
    finding = only(audit(variant, *RECORDS))
    assert (finding["rule"], finding["place"]) == ("phantoms", "globex.carriers_box")
    follow(variant, finding)
    assert audit(variant, *RECORDS) == []
    assert not deploy(variant)["changed"]
