# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several new tenants in one call: their SQL is made once where that can be, and each is as the stock commands make one."""

from __future__ import annotations

import shutil

import pytest

from tests.differential import fleet
from tests.differential.fleet import create_ours
from tests.support.agents import Agent

NEW = ("n1", "n2", "n3", "n4")
PLANNED = "planning the schemas of 4 new tenants"
SIDE_BY_SIDE = "ensuring 4 new tenants"
FIRST_BY_ITSELF, THE_OTHERS = "ensuring the tenant n1", "ensuring 3 new tenants"

SHELF = (
    "migrations.CreateModel('Shelf', [('id', models.BigAutoField(primary_key=True)),"
    " ('item', models.ForeignKey('things.Item', models.CASCADE)), ('place', models.CharField(max_length=9, unique=True))],"
    """ options={'permissions': [('sort_shelf', 'Can sort "the" shelf'), ('clear_shelf', "It's cleared")]})"""
)
MORE = (
    "migrations.AddField('Item', 'more', models.IntegerField(default=3))",
    "migrations.AddIndex('Item', models.Index(fields=['more'], name='more_idx'))",
)
# Django asks for the constraint's name before it drops it.
ASKS = "migrations.AlterField('Shelf', 'place', models.CharField(max_length=9))"
PYTHON = "migrations.RunPython(lambda apps, editor: apps.get_model('things', 'Tag').objects.create(title='one'))"

IDS = (
    "SELECT id, app_label, model FROM n4.django_content_type ORDER BY 1",
    "SELECT id, codename, name FROM n4.auth_permission ORDER BY 1",
)


@pytest.fixture
def project(tmp_path):
    """A copy of the project, to be changed."""
    shutil.copytree(fleet.PROJECT, tmp_path / "project")
    return tmp_path / "project"


def test_what_django_would_send_is_made_once_in_parts_and_leaves_what_the_stock_command_leaves(pair):
    pair.release(SHELF)
    for number in range(20):
        pair.release(
            f"migrations.AddField('Shelf', 'f{number}', models.IntegerField(null=True))", *(MORE if number == 0 else ())
        )
    doing = pair.create(*NEW)
    assert PLANNED in doing
    assert SIDE_BY_SIDE in doing
    assert FIRST_BY_ITSELF not in doing
    # Not only the same rows: Django hands out the ids in the order of the installed apps.
    for query in IDS:
        assert pair.ours.query(query) == pair.stock.query(query)
        assert len(pair.ours.query(query)) > 5


@pytest.mark.parametrize("operation", [ASKS, PYTHON])
def test_what_has_to_see_the_schema_runs_in_the_first_by_itself(pair, operation):
    pair.release(SHELF)
    pair.release(operation)
    doing = pair.create(*NEW)
    assert FIRST_BY_ITSELF in doing
    assert THE_OTHERS in doing
    assert (PLANNED in doing) == (operation == ASKS)


def test_permissions_that_the_project_does_not_want_are_not_made(pair, project):
    with (project / "things" / "models.py").open("a", encoding="utf-8") as file:
        file.write(
            "from django.db.models.signals import post_migrate\n\n\n"
            "def less(sender, connection, **kwargs):\n"
            "    post_migrate.disconnect(dispatch_uid='django.contrib.auth.management.create_permissions')\n\n\n"
            "from django.db.backends.signals import connection_created\n\n"
            "connection_created.connect(less)\n"
        )
    _reply, doing = create_ours(pair.ours, pair.releases.directory, NEW, project)
    assert PLANNED in doing
    for schema in NEW:
        assert pair.ours.query(f"SELECT count(*) FROM {schema}.auth_permission") == [(0,)]
        assert pair.ours.query(f"SELECT count(*) > 5 FROM {schema}.django_content_type") == [(True,)]


REFUSES = """
CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_schema() = 'n2' THEN RAISE 'not in n2'; END IF;
END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.refuse()
"""


def test_one_that_the_server_refuses_is_named_with_its_migration_and_the_others_are_made(pair):
    pair.release(SHELF)
    pair.release(*MORE)
    pair.ours.execute(REFUSES)
    reply, doing = create_ours(pair.ours, pair.releases.directory, NEW)
    assert SIDE_BY_SIDE in doing
    states = {line["tenant"]: line["state"] for line in reply["tenants"]}
    assert states == {"n1": "created", "n2": "failed", "n3": "created", "n4": "created"}
    error = next(line["error"] for line in reply["tenants"] if line["tenant"] == "n2")
    assert "not in n2" in error["message"]
    assert error["migration"]
    assert "Nothing of this tenant was written." in error["hint"]
    assert "n2" not in pair.ours.schemas()
    assert pair.ours.query("SELECT count(*) FROM tenants_client WHERE schema_name = 'n2'") == [(0,)]
    pair.stock_side.create(pair.stock, pair.releases.directory, ("n1", "n3", "n4"))
    pair.compare(("n1", "n3", "n4"))


def test_a_plan_that_django_can_not_make_is_an_error_of_each_tenant(pair):
    pair.release("migrations.AddField('Nothing', 'more', models.IntegerField(null=True))")
    reply, _doing = create_ours(pair.ours, pair.releases.directory, NEW)
    for line in reply["tenants"]:
        assert line["state"] == "failed"
        assert line["error"]["migration"] == "things.0002_more"
        assert "nothing" in line["error"]["message"]
    assert not set(NEW) & set(pair.ours.schemas())


# The search_path that is not sent again

PATHS = """
from django.db import transaction

from .path_once import path_once


def run(context, options):
    connection = context.connection
    sent, paths = [], []

    def note(execute, sql, params, many, info):
        sent.append(str(sql))
        return execute(sql, params, many, info)

    def look():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('search_path')")
            paths.append(cursor.fetchone()[0])

    def run(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)

    with transaction.atomic(), path_once(connection), connection.execute_wrapper(note):
        look()
        look()
        before = len([sql for sql in sent if sql.startswith("SET search_path")])
        # Whoever changes it, and however: the next statement has the right one.
        run("SELECT set_config('search_path', 'pg_catalog', false)")
        look()
        try:
            with transaction.atomic():
                connection.set_schema("acme")
                look()
                raise KeyError
        except KeyError:
            look()
        connection.set_schema_to_public()
        look()
        connection.connection.cursor().execute("SET search_path = pg_catalog")
        look()
    return {"paths": paths, "before": before, "all": len(sent)}
"""


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_a_search_path_is_left_out_only_where_the_session_has_it(sample, stack):
    with Agent(sample("schema_tenants", stack=stack), PATHS) as agent:
        reply = agent.reply()
    public, acme = reply["paths"][0], reply["paths"][3]
    assert "acme" in acme
    assert reply["paths"] == [public, public, public, acme, acme, public, public]
    assert "acme" not in public
    assert reply["before"] == 1
