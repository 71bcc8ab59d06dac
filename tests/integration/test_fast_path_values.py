# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs from schema to schema although the plan is one: ids, computed defaults, what Python and SQL find there."""

from __future__ import annotations

import pytest

from tests.differential.fleet import executed


def replayed(reply):
    return sorted(schema for schema, how in executed(reply).items() if how == "replayed")


ALL_BUT_THE_FIRST = ["t2", "t3", "t4", "t5"]


def each(pair, query):
    """One value from each schema."""
    return [pair.ours.query(query.format(schema))[0][0] for schema in pair.tenants]


# Python


def test_python_finds_the_content_type_of_its_own_schema(pair):
    pair.release(
        "migrations.RunPython(work)",
        body="""
def work(apps, schema_editor):
    tag = apps.get_model('things', 'Tag')
    kind = apps.get_model('contenttypes', 'ContentType').objects.get_for_model(tag)
    tag.objects.create(title=f'kind {kind.pk}')
""",
    )
    pair.same(workers=1)
    assert len(set(each(pair, "SELECT title FROM {}.things_tag ORDER BY id DESC LIMIT 1"))) == 5


def test_what_python_adds_to_the_content_types_of_one_schema_is_not_given_to_the_others(pair):
    pair.release(
        "migrations.RunPython(work)",
        body="""
def work(apps, schema_editor):
    kinds = apps.get_model('contenttypes', 'ContentType').objects
    if schema_editor.connection.schema_name == 't1':
        kind = kinds.create(app_label='things', model='chosen')
        apps.get_model('auth', 'Permission').objects.create(codename='may', name='May', content_type=kind)
""",
    )
    pair.release("migrations.AddField('Item', 'size', models.IntegerField(null=True))")
    pair.same()


def test_a_new_model_gets_its_kinds_where_python_had_made_them_in_the_first_schema(pair):
    pair.release(
        "migrations.RunPython(work)",
        body="""
def work(apps, schema_editor):
    if schema_editor.connection.schema_name == 't1':
        apps.get_model('contenttypes', 'ContentType').objects.create(app_label='things', model='box')
""",
    )
    pair.release("migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])")
    pair.same()


def test_tables_that_python_makes_in_some_schemas_change_what_later_migrations_do_there(pair):
    pair.release(
        "migrations.RunPython(work)",
        body="""
def work(apps, schema_editor):
    if schema_editor.connection.schema_name in ('t3', 't4'):
        schema_editor.execute('ALTER TABLE things_part DROP CONSTRAINT things_part_item_id_label_3c8d3bf5_uniq'.replace('3c8d3bf5', suffix(schema_editor)))
        schema_editor.execute('ALTER TABLE things_part ADD CONSTRAINT by_hand UNIQUE (item_id, label)')


def suffix(schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = 'things_part'::regclass")
        return cursor.fetchone()[0].split('_')[-2]
""",
    )
    pair.release("migrations.AlterUniqueTogether('Part', set())")
    assert pair.same()["failed"] == []


def test_a_renamed_model_takes_its_content_type_along_in_every_schema(pair):
    pair.release("migrations.RenameModel('Tag', 'Label')")
    pair.release("migrations.AlterModelOptions('Label', {'permissions': [('may', 'May')]})")
    pair.same(workers=1)
    assert each(pair, "SELECT count(*) FROM {}.django_content_type WHERE model = 'label'") == [1] * 5


# Defaults


@pytest.mark.parametrize(
    "field",
    [
        "models.UUIDField(default=uuid.uuid4)",
        "models.DateTimeField(default=django.utils.timezone.now)",
        "models.DateTimeField(auto_now=True)",
        "models.DateTimeField(auto_now_add=True)",
        "models.DateField(auto_now=True)",
        "models.UUIDField(default=uuid.uuid4, null=True)",
    ],
)
def test_a_computed_default_is_computed_for_every_schema(pair, field):
    pair.release(f"migrations.AddField('Item', 'vol_it', {field})")
    reply = pair.same()
    assert replayed(reply) == []
    if "DateField" not in field:
        assert len(set(each(pair, "SELECT vol_it FROM {}.things_item LIMIT 1"))) == 5


def test_a_default_that_the_database_computes_is_its_own_in_every_row(pair):
    pair.release("migrations.AddField('Item', 'vol_it', models.UUIDField(db_default=RandomUUID()))", body=UUID_IMPORT)
    assert replayed(pair.same()) == ALL_BUT_THE_FIRST
    assert each(pair, "SELECT count(DISTINCT vol_it) = count(*) FROM {}.things_item") == [True] * 5


UUID_IMPORT = "from django.contrib.postgres.functions import RandomUUID"


@pytest.mark.parametrize("default", ["dict", "list", "'50% %s ''it'' -- '", "decimal.Decimal('1.5')"])
def test_a_constant_default_is_replayed(pair, default):
    kind = {"dict": "JSONField()", "list": "JSONField()"}.get(default, "TextField()")[:-1]
    pair.release(f"migrations.AddField('Item', 'extra', models.{kind}default={default}))")
    assert replayed(pair.same()) == ALL_BUT_THE_FIRST


def test_altering_a_column_to_not_null_fills_it_with_the_computed_default_of_its_schema(pair):
    pair.release("migrations.AddField('Item', 'vol_it', models.UUIDField(null=True))")
    pair.release("migrations.AlterField('Item', 'vol_it', models.UUIDField(default=uuid.uuid4))")
    pair.same()


def test_a_field_of_the_project_that_prepares_values_itself_is_not_replayed(pair):
    pair.release(
        "migrations.AddField('Item', 'vol_it', Salted(default='x'))",
        body="""
class Salted(models.TextField):
    def get_prep_value(self, value):
        return f'{value} {uuid.uuid4()}'
""",
    )
    pair.same()


# SQL


@pytest.mark.parametrize(
    "sql",
    [
        "'UPDATE things_tag SET title = title || chr(65) -- all of them'",
        "'CREATE TABLE hand (id int); -- one\\n-- two'",
        "'UPDATE things_tag SET title = title || \\'%\\' WHERE title LIKE \\'%%\\''",
        "'INSERT INTO things_tag (title) VALUES (\\'a;b\\'); DELETE FROM things_tag WHERE title = \\'tag 1\\';'",
        "['CREATE TABLE one (id int)', 'CREATE TABLE two (id int);']",
        "[('UPDATE things_tag SET title = title || %s', ['%'])]",
        "[('UPDATE things_tag SET title = title || \\'%%\\'', [])]",
        "[('UPDATE things_tag SET title = title || \\'%%\\'', None)]",
        "'/* nothing */'",
        "'CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$'",
        "'SELECT setval(\\'things_tag_id_seq\\', 5000)'",
        "'SELECT setval(oid::regclass, 7000) FROM pg_class WHERE relname = \\'things_tag_id_seq\\' AND relnamespace = current_schema()::regnamespace'",
        "'WITH gone AS (DELETE FROM things_tag RETURNING id) SELECT * FROM gone'",
        "'INSERT INTO \"django_migrations\" (app, name, applied) VALUES (\\'a\\', \\'b\\', now())'",
        "'SET SCHEMA \\'public\\'; SELECT 1'",
        "'DO $$ BEGIN IF (SELECT count(*) FROM things_tag) > 2 THEN CREATE TABLE many (id int); END IF; END $$'",
        "'CREATE POLICY p ON things_tag USING (EXISTS (SELECT FROM things_item)); ALTER TABLE things_tag ENABLE ROW LEVEL SECURITY'",
        "'CREATE COLLATION other (locale = \\'C\\'); ALTER TABLE things_tag ALTER title TYPE varchar(30) COLLATE other'",
        "'CREATE TYPE mood AS ENUM (\\'a\\'); ALTER TABLE things_tag ADD mood mood; CREATE FUNCTION g(mood) RETURNS int LANGUAGE sql AS \\'SELECT 1\\''",
        "'INSERT INTO django_content_type (app_label, model) SELECT \\'rows\\', \\'tag\\' || id FROM things_tag'",
        "'CREATE RULE r AS ON DELETE TO things_tag DO INSTEAD NOTHING'",
        "'CREATE VIEW v AS SELECT i.id FROM things_item i JOIN public.places_country c ON c.id = i.country_id'",
        "'CREATE OR REPLACE FUNCTION public.shared() RETURNS int LANGUAGE sql AS \\'SELECT 1\\''",
    ],
)
def test_sql_does_in_every_schema_what_it_does_in_the_first(pair, sql):
    pair.release(f"migrations.RunSQL({sql})")
    pair.release("migrations.AddField('Tag', 'more', models.IntegerField(default=1))")
    pair.same()


def test_rows_that_sql_changed_do_not_forbid_the_next_alteration(pair):
    pair.release("migrations.RunSQL('/* first */ UPDATE things_item SET country_id = 2')")
    pair.release("migrations.AddField('Item', 'more', models.IntegerField(default=1))")
    assert replayed(pair.same()) == ALL_BUT_THE_FIRST


def test_names_and_permissions_keep_quotes_and_percent_signs(pair):
    pair.release(
        "migrations.CreateModel('Odd', [('id', models.BigAutoField(primary_key=True))],"
        " options={'verbose_name': '50% of \\'it\\' -- \"x\" \\\\', 'permissions': [('may', 'May 100% \\'do\\' %s')]})"
    )
    assert replayed(pair.same()) == ALL_BUT_THE_FIRST


def test_a_check_with_percent_signs_is_the_same_everywhere(pair):
    pair.release(
        "migrations.AddConstraint('Tag', models.CheckConstraint(condition=~Q(title__contains='50%'), name='no_half'))"
    )
    assert replayed(pair.same()) == ALL_BUT_THE_FIRST
