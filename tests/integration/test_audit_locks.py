# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's rule on locks of large tables: what it names, what it passes over, and that its hints clear it."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import psycopg
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.heavy import rewrites

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Database
    from tests.support.variants import Variant

RULE = "locks-large-table"
LAST = "0004_alter_carrier_slug"
IMPORTS = (
    "from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint\n"
)
INDEX = "models.Index(fields=['name'], name='by_name')"
STORED = "models.GeneratedField(expression=models.F('id'), output_field=models.BigIntegerField(), db_persist=True)"
CHECK = "models.CheckConstraint(condition=models.Q(name__gt=''), name='named')"

TWO = "ALTER TABLE carriers_carrier ALTER COLUMN name SET NOT NULL, ADD CONSTRAINT c CHECK (id > 0)"

# What takes time with the rows, with a word of what is said of it.
HEAVY = {
    "migrations.AlterField('carrier', 'slug', models.CharField(max_length=20))": "from varchar(200) to varchar(20)",
    "migrations.AlterField('carrier', 'mc_number', models.IntegerField())": "to integer",
    "migrations.AddField('carrier', 'count', models.PositiveIntegerField(default=0))": "to check count",
    "migrations.AddField('carrier', 'code', models.CharField(max_length=9, null=True, unique=True))": "builds a unique index on code",
    "migrations.AddField('carrier', 'day', models.DateField(null=True, db_index=True))": "builds an index on day",
    "migrations.AddField('carrier', 'key', models.UUIDField(db_default=RandomUUID()))": "since every row gets a value of its own in key",
    f"migrations.AddField('carrier', 'size', {STORED})": "store the generated column size",
    f"migrations.AddIndex('carrier', {INDEX})": "builds the index by_name",
    f"migrations.AddConstraint('carrier', {CHECK})": "the check constraint named",
    "migrations.AddConstraint('carrier', models.UniqueConstraint(fields=['slug', 'id'], name='one'))": "builds the unique index one",
    "migrations.AlterUniqueTogether('carrier', {('name', 'id')})": "builds a unique index on name, id",
    f"migrations.RunSQL('{TWO}')": "(CHECK)",
    "migrations.RunSQL('CREATE INDEX x ON carriers_carrier (name)')": "builds an index: ",
}
LIGHT = [
    "migrations.AlterField('carrier', 'slug', models.SlugField(max_length=300, unique=True))",
    "migrations.AlterField('carrier', 'slug', models.TextField(unique=True))",
    "migrations.AddField('carrier', 'note', models.TextField(default='none'))",
    "migrations.AddField('carrier', 'made', models.DateTimeField(db_default=Now()))",
    "migrations.AddField('carrier', 'maybe', models.IntegerField(null=True))",
    "migrations.RemoveField('carrier', 'mc_number')",
    "migrations.RunSQL('ALTER TABLE carriers_carrier ADD CONSTRAINT c CHECK (id > 0) NOT VALID')",
    "migrations.CreateModel('Stamp', [('id', models.AutoField(primary_key=True)), ('day', models.DateField())])",
    "migrations.AddIndex('stamp', models.Index(fields=['day'], name='by_day'))",
    "migrations.RenameModel('Carrier', 'Haulier')",
]


def large(variant: Variant) -> Variant:
    """Acme with many carriers, globex with few."""
    rows = "SELECT 'n', 's' || i, '', now() FROM generate_series(1, {}) AS i; ANALYZE {}.carriers_carrier"
    for schema, count in {"acme": 3000, "globex": 20}.items():
        into = f"INSERT INTO {schema}.carriers_carrier (name, slug, mc_number, created_at) "
        variant.execute(into + rows.format(count, schema))
    return variant


def pending(variant: Variant, name: str, after: str, *operations: str, body: str = "") -> Variant:
    variant.migration("carriers", name, after, ",\n        ".join(operations), body)
    file = f"carriers/migrations/{name}.py"
    imports = "from django.contrib.postgres.functions import RandomUUID\nfrom django.db.models.functions import Now\n"
    return variant.replace(file, "from django.db import", f"{IMPORTS}{imports}from django.db import")


def look(variant: Variant) -> list[dict[str, object]]:
    return audit(variant, RULE, large_table=1000)


def test_what_takes_time_with_the_rows_of_a_large_table_is_named_and_can_be_meant(
    schema_variant: Callable[..., Variant], fleet_migrated: str
) -> None:
    variant = pending(large(schema_variant(template=fleet_migrated)), "0005_heavy", LAST, *HEAVY)
    found = audit(variant, RULE, large_table=1000)
    messages = "\n".join(finding["message"] for finding in found)
    for words in HEAVY.values():
        assert messages.count(words) == 1, f"{words}:\n{messages}"
        finding = only([finding for finding in found if words in finding["message"]])
        assert (finding["severity"], finding["place"]) == ("warning", "acme.carriers_carrier")
        assert finding["schemas"] == ["acme"]
        assert re.search(
            r"has about 3,\d{3} rows \(\d+ kB\), and until it has ended the lock is (ACCESS EXCLUSIVE|SHARE)",
            finding["message"],
        )
    (meant,) = {item for finding in found for item in re.findall(r"ignore: \['([^']+)'\]", finding["hint"])}
    assert audit(variant, RULE, large_table=1000, ignore=[meant]) == []
    # One of the statements does two such things, and no operation is named without cause.
    assert len(found) == len(HEAVY) + 1
    assert audit(variant, RULE) == [], "by default a table is large with 100,000 rows"


def test_what_is_done_in_a_moment_is_not_named(schema_variant: Callable[..., Variant], fleet_migrated: str) -> None:
    assert look(pending(large(schema_variant(template=fleet_migrated)), "0005_light", LAST, *LIGHT)) == []


def test_the_ways_that_the_hints_name_take_no_such_lock(
    schema_variant: Callable[..., Variant], fleet_migrated: str
) -> None:
    variant = large(schema_variant(template=fleet_migrated))
    pending(variant, "0005_index", LAST, f"AddIndexConcurrently('carrier', {INDEX})", body="atomic = False")
    pending(variant, "0006_check", "0005_index", f"AddConstraintNotValid('carrier', {CHECK})")
    pending(variant, "0007_check", "0006_check", "ValidateConstraint('carrier', 'named')")
    assert look(variant) == []


def test_not_null_after_a_validated_constraint_reads_nothing(
    schema_variant: Callable[..., Variant], fleet_migrated: str
) -> None:
    variant = large(schema_variant(template=fleet_migrated))
    for schema in ("acme", "globex"):
        variant.execute(f"ALTER TABLE {schema}.carriers_carrier ALTER name DROP NOT NULL")
    variant.migration(
        "carriers",
        "0005_null",
        LAST,
        "migrations.AlterField('carrier', 'name', models.CharField(max_length=200, null=True))",
    )
    assert look(variant) == []
    answer = variant.module("django_migrate_schemas")
    assert not answer.get("failed"), answer
    variant.migration(
        "carriers",
        "0006_name",
        "0005_null",
        "migrations.AlterField('carrier', 'name', models.CharField(max_length=200))",
    )
    (finding,) = look(variant)
    assert "reads every row to set name to NOT NULL" in str(finding["message"])
    (condition,) = re.findall(r"ADD CONSTRAINT … (CHECK \(.*?\) NOT VALID)", str(finding["hint"]))
    for schema in ("acme", "globex"):
        table = f"ALTER TABLE {schema}.carriers_carrier"
        variant.execute(f"{table} ADD CONSTRAINT named {condition}")
    assert len(look(variant)) == 1, "it is not validated yet"
    for schema in ("acme", "globex"):
        variant.execute(f"ALTER TABLE {schema}.carriers_carrier VALIDATE CONSTRAINT named")
    assert look(variant) == []


def test_a_type_is_said_to_be_rewritten_where_postgresql_does_so(database: Database) -> None:
    types = [
        "varchar(5)",
        "varchar(9)",
        "varchar",
        "text",
        "integer",
        "bigint",
        "numeric(5, 2)",
        "numeric(9, 2)",
        "numeric(9, 3)",
        "boolean",
    ]
    tried = 0
    with database.connect() as connection:
        for old, new in itertools.permutations(types, 2):
            connection.execute(f"DROP TABLE IF EXISTS tried; CREATE TABLE tried (value {old})")
            before = connection.execute("SELECT pg_relation_filenode('tried')").fetchone()
            try:
                # As Django says it.
                connection.execute(f"ALTER TABLE tried ALTER value TYPE {new} USING value::{new}")
            except psycopg.errors.CannotCoerce:
                continue
            after = connection.execute("SELECT pg_relation_filenode('tried')").fetchone()
            assert rewrites(old, new) == (before != after), f"{old} to {new}"
            tried += 1
    assert tried > 60
