# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schemas that somebody changed by hand are never replayed into: each ends as Django would leave it."""

from __future__ import annotations

import pytest

from tests.differential.fleet import executed

CHANGES = {
    "an index renamed": (
        "ALTER INDEX t3.things_part_item_id_2e5bd7b5 RENAME TO by_hand",
        "migrations.AlterField('Part', 'item', models.ForeignKey('things.Item', models.CASCADE, db_index=False))",
    ),
    "a column of another type": (
        "ALTER TABLE t3.things_item ALTER amount TYPE numeric(9,2)",
        "migrations.AlterField('Item', 'amount', models.BigIntegerField(default=0))",
    ),
    "a constraint dropped": (
        "ALTER TABLE t3.things_part DROP CONSTRAINT {unique}",
        "migrations.AlterUniqueTogether('Part', set())",
    ),
    "a constraint renamed": (
        "ALTER TABLE t3.things_part RENAME CONSTRAINT {unique} TO by_hand",
        "migrations.AlterUniqueTogether('Part', set())",
    ),
    "a second foreign key": (
        "ALTER TABLE t3.things_part ADD CONSTRAINT by_hand FOREIGN KEY (item_id) REFERENCES t3.things_item",
        "migrations.AlterField('Item', 'id', models.AutoField(primary_key=True))",
    ),
    "a trigger": (
        """CREATE FUNCTION t3.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note = NEW.note || 1; RETURN NEW; END';
        CREATE TRIGGER by_hand BEFORE UPDATE ON t3.things_item FOR EACH ROW EXECUTE FUNCTION t3.f()""",
        "migrations.RunSQL('UPDATE things_item SET amount = amount + 1')",
    ),
    "a view on the column": (
        "CREATE VIEW t3.by_hand AS SELECT amount FROM t3.things_item",
        "migrations.AlterField('Item', 'amount', models.BigIntegerField(default=0))",
    ),
    "a policy on the column": (
        "CREATE POLICY by_hand ON t3.things_item USING (amount > 0); ALTER TABLE t3.things_item ENABLE ROW LEVEL SECURITY",
        "migrations.RemoveField('Item', 'amount')",
    ),
    "a column more": (
        "ALTER TABLE t3.things_item ADD by_hand integer",
        "migrations.AddField('Item', 'by_hand', models.IntegerField(null=True))",
    ),
    "a default": (
        "ALTER TABLE t3.things_item ALTER amount SET DEFAULT 5",
        "migrations.AlterField('Item', 'amount', models.BigIntegerField(default=0))",
    ),
    "a table that refers to it": (
        "CREATE TABLE t3.by_hand (item_id bigint REFERENCES t3.things_item)",
        "migrations.AlterField('Item', 'amount', models.BigIntegerField(default=0))",
    ),
    "a table that inherits from it": (
        "CREATE TABLE t3.by_hand () INHERITS (t3.things_item)",
        "migrations.AddField('Item', 'more', models.IntegerField(null=True))",
    ),
    "a rule": (
        "CREATE RULE by_hand AS ON DELETE TO t3.things_item DO INSTEAD NOTHING",
        "migrations.AddField('Item', 'more', models.IntegerField(null=True))",
    ),
    "a permission of another model": (
        """UPDATE t3.auth_permission SET content_type_id = (SELECT id FROM t3.django_content_type WHERE model = 'item')
        WHERE codename = 'view_tag'""",
        "migrations.AddField('Tag', 'more', models.IntegerField(null=True))",
    ),
    "a permission removed": (
        "DELETE FROM t3.auth_permission WHERE codename = 'view_tag'",
        "migrations.AddField('Tag', 'more', models.IntegerField(null=True))",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_is_left_to_django(pair, change):
    by_hand, operation = CHANGES[change]
    (unique,) = pair.ours.query(
        "SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = 't3.things_part'::regclass"
    )[0]
    (index,) = pair.ours.query(
        "SELECT c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE NOT indisunique"
        " AND indrelid = 't3.things_part'::regclass AND c.relname LIKE '%item_id%'"
    )[0]
    pair.execute(by_hand.format(unique=unique).replace("things_part_item_id_2e5bd7b5", index))
    pair.release(operation)
    reply = pair.same()
    assert executed(reply) == {"t1": "django", "t2": "replayed", "t3": "django", "t4": "replayed", "t5": "replayed"}


def test_what_the_plan_has_nothing_to_do_with_may_differ(pair):
    pair.execute("ALTER TABLE t3.things_part ADD by_hand integer")
    pair.execute("CREATE TABLE t4.by_hand (id integer PRIMARY KEY)")
    pair.release("migrations.AddField('Tag', 'more', models.IntegerField(null=True, db_index=True))")
    assert executed(pair.same()) == {"t1": "django", **dict.fromkeys(["t2", "t3", "t4", "t5"], "replayed")}


def test_what_django_looked_for_in_vain_in_the_first_schema_is_done_where_it_is_there(pair):
    (name,) = pair.ours.query(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 't1.things_part'::regclass"
    )[0]
    pair.execute(f"ALTER TABLE t1.things_part DROP CONSTRAINT {name}")
    pair.release(
        "migrations.AlterField('Part', 'item', models.ForeignKey('things.Item', models.CASCADE, db_constraint=False))"
    )
    reply = pair.same()
    assert reply["failed"] == []
    assert pair.ours.query("SELECT count(*) FROM pg_constraint WHERE conname = %s", [name]) == [(0,)]


def test_a_large_group_that_differs_is_a_cohort_of_its_own(pair):
    for schema in ("t3", "t4", "t5"):
        pair.execute(f"ALTER TABLE {schema}.things_item ADD by_hand integer")
    pair.release("migrations.AddField('Item', 'more', models.IntegerField(null=True))")
    reply = pair.same()
    assert executed(reply) == {"t1": "django", "t2": "replayed", "t3": "django", "t4": "replayed", "t5": "replayed"}


def test_a_table_that_is_recorded_and_absent_is_refused_in_its_schema_alone(pair):
    pair.ours.execute("DROP TABLE t4.things_part")
    pair.release("migrations.AddField('Part', 'more', models.IntegerField(null=True))")
    reply = pair.migrate()
    assert [failure["schema"] for failure in reply["failed"]] == ["t4"]
    assert "t4.things_part does not exist" in reply["failed"][0]["message"]
    assert executed(reply)["t5"] == "replayed"
    assert pair.ours.query("SELECT count(*) FROM t4.django_migrations WHERE name = '0002_more'") == [(0,)]


def test_fake_initial_is_left_to_django(pair):
    pair.execute("DELETE FROM t2.django_migrations WHERE app = 'things'")
    reply = pair.migrate(fake_initial=True)
    assert reply["failed"] == []
    assert pair.ours.query("SELECT count(*) FROM t2.django_migrations WHERE app = 'things'") == [(1,)]


# Migrations of a special kind


def test_a_squashed_migration_is_recorded_where_its_parts_are(pair):
    pair.release("migrations.AddField('Tag', 'one', models.IntegerField(null=True))")
    pair.release("migrations.AddField('Tag', 'two', models.IntegerField(null=True))")
    pair.same()
    pair.releases.write("0002_squashed_0003_more", SQUASHED)
    pair.same()
    for schema in pair.tenants:
        names = pair.ours.query(f"SELECT name FROM {schema}.django_migrations WHERE app = 'things' ORDER BY 1")
        assert [name for (name,) in names] == ["0001_initial", "0002_more", "0002_squashed_0003_more", "0003_more"]


def test_a_squashed_migration_runs_where_none_of_its_parts_has(pair):
    pair.releases.add("migrations.AddField('Tag', 'one', models.IntegerField(null=True))")
    pair.releases.add("migrations.AddField('Tag', 'two', models.IntegerField(null=True))")
    pair.releases.write("0002_squashed_0003_more", SQUASHED)
    reply = pair.same()
    assert executed(reply)["t5"] == "replayed"


SQUASHED = """from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [('things', '0002_more'), ('things', '0003_more')]
    dependencies = [('things', '0001_initial')]
    operations = [
        migrations.AddField('Tag', 'one', models.IntegerField(null=True)),
        migrations.AddField('Tag', 'two', models.IntegerField(null=True)),
    ]
"""


def test_an_index_is_made_concurrently_in_every_schema(pair):
    pair.release("migrations.AddField('Tag', 'one', models.IntegerField(null=True))")
    pair.release(
        "django.contrib.postgres.operations.AddIndexConcurrently('Item', models.Index(fields=['name'], name='by_name'))",
        "django.contrib.postgres.operations.AddIndexConcurrently('Item', models.Index(fields=['code'], name='part', condition=Q(amount__gt=1)))",
        atomic=False,
    )
    pair.release("migrations.AddField('Tag', 'two', models.IntegerField(null=True))")
    reply = pair.same(workers=4)
    assert reply["failed"] == []
    assert "it is not atomic" in str(reply["through_django"])


def test_an_index_that_an_interrupted_run_left_invalid_is_made_again(pair):
    pair.release(
        "django.contrib.postgres.operations.AddIndexConcurrently('Item', models.Index(fields=['name'], name='by_name'))",
        atomic=False,
    )
    for schema in ("t1", "t4"):
        pair.ours.execute(f"CREATE INDEX by_name ON {schema}.things_item (name)")
        pair.ours.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{schema}.by_name'::regclass")
    pair.same()
