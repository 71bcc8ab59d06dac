# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects with code of their own around migrations: receivers, listeners, routers, types of tenants."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.differential import fleet
from tests.differential.fleet import PACKAGE, executed, migrate_ours
from tests.support import checkout

MORE = "migrations.AddField('Tag', 'more', models.IntegerField(null=True))"

RECEIVERS = """
from pathlib import Path

from django.db import connection
from django.db.models.signals import post_migrate, pre_migrate

CALLS = Path(__file__).resolve().parent.parent / "calls"


def note(signal):
    def receiver(sender, plan, **kwargs):
        if sender.label == "things":
            with CALLS.open("a") as file:
                file.write(f"{signal} {connection.schema_name} {[(node.name, back) for node, back in plan]}\\n")

    return receiver


NOTED = [note("before"), note("after")]
pre_migrate.connect(NOTED[0])
post_migrate.connect(NOTED[1])
"""

REFUSES = """    def receiver(sender, plan, **kwargs):
        if connection.schema_name == "t3":
            raise ValueError("not in t3")"""

LISTENERS = """
from pathlib import Path

from django_tenants.signals import schema_migrated, schema_pre_migration

CALLS = Path(__file__).resolve().parent.parent / "calls"


def note(signal):
    def receiver(sender, schema_name, **kwargs):
        with CALLS.open("a") as file:
            file.write(f"{signal} {schema_name}\\n")

    return receiver


NOTED = [note("before"), note("after")]
schema_pre_migration.connect(NOTED[0])
schema_migrated.connect(NOTED[1])
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the project, to be changed."""
    shutil.copytree(fleet.PROJECT, tmp_path / "project")
    return tmp_path / "project"


def stock(project, pair):
    """The stock command in the changed project."""
    environment = checkout.environment(
        DATABASE_URL=pair.stock.url, THINGS_MIGRATIONS=PACKAGE, PYTHONPATH=str(pair.releases.directory)
    )
    command = [str(checkout.stack_python("current")), "-B", "manage.py", "migrate_schemas", "--tenant", "-v0"]
    subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)


def append(project, path, text):
    with (project / path).open("a", encoding="utf-8") as file:
        file.write(text)


def calls(project):
    """What was called since the last time."""
    lines = (project / "calls").read_text().splitlines()
    (project / "calls").unlink()
    return lines


@pytest.mark.parametrize("code", [RECEIVERS, LISTENERS])
def test_what_listens_is_called_for_every_schema_as_by_the_stock_command(pair, project, code):
    append(project, "things/models.py", code)
    pair.release(MORE)
    pair.release("migrations.AddField('Tag', 'two', models.IntegerField(null=True))")
    stock(project, pair)
    wanted = calls(project)
    reply = migrate_ours(pair.ours, pair.releases.directory, project)
    assert sorted(calls(project)) == sorted(wanted)
    assert len(wanted) == 10
    assert reply["failed"] == []
    pair.compare()


@pytest.mark.parametrize("code", [RECEIVERS, LISTENERS])
def test_what_listens_is_called_where_nothing_is_pending_if_signals_is_always(pair, project, code):
    append(project, "things/models.py", code)
    stock(project, pair)
    wanted = calls(project)
    reply = migrate_ours(pair.ours, pair.releases.directory, project)
    assert not (project / "calls").exists()
    assert reply["counts"]["signalled"] == 0
    reply = migrate_ours(pair.ours, pair.releases.directory, project, signals="always")
    assert sorted(calls(project)) == sorted(wanted)
    assert len(wanted) == 10
    assert (reply["migrated"], reply["failed"]) == ([], [])
    assert reply["counts"]["signalled"] == reply["counts"]["up_to_date"] == 5
    pair.compare()


def test_a_receiver_that_fails_where_nothing_is_pending_is_named_with_its_schema(pair, project):
    append(project, "things/models.py", RECEIVERS.replace("    def receiver(sender, plan, **kwargs):", REFUSES))
    reply = migrate_ours(pair.ours, pair.releases.directory, project, signals="always", report=True)
    assert {failure["schema"]: failure["message"] for failure in reply["failed"]} == {"t3": "ValueError: not in t3"}
    assert reply["counts"]["signalled"] == reply["counts"]["up_to_date"] == 4
    assert {entry["schema"]: entry["state"] for entry in reply["schemas"]}["t2"] == "up_to_date"


def test_content_types_that_are_gone_come_back_where_nothing_is_pending_if_signals_is_always(pair):
    gone = "DELETE FROM {schema}.auth_permission WHERE codename LIKE '%tag'; DELETE FROM {schema}.django_content_type WHERE model = 'tag'"
    for schema in ("t1", "t2", "t3", "t4"):
        for statement in gone.format(schema=schema).split("; "):
            pair.execute(statement)
    stock(fleet.PROJECT, pair)
    reply = migrate_ours(pair.ours, pair.releases.directory, signals="always")
    assert reply["failed"] == []
    pair.compare()


def test_a_router_that_looks_at_the_schema_is_asked_for_each(pair, project):
    (project / "routers.py").write_text(
        """
from django.db import connection


class Feature:
    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if model_name == "box" and connection.schema_name in ("t3", "t4"):
            return False
        return None
"""
    )
    append(project, "config.py", "\nDATABASE_ROUTERS = ['routers.Feature', *DATABASE_ROUTERS]\n")
    pair.release("migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])")
    stock(project, pair)
    reply = migrate_ours(pair.ours, pair.releases.directory, project)
    pair.compare()
    assert executed(reply) == {"t1": "django", "t2": "replayed", "t3": "django", "t4": "django", "t5": "replayed"}


def test_a_method_that_is_called_for_every_tenant_is_called(pair, project):
    (project / "extra.py").write_text(
        """
def tell(connection, tenant):
    if connection.connection is not None and tenant.schema_name != "public":
        with connection.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('own.tenant', %s, false)", [tenant.schema_name])
"""
    )
    append(project, "config.py", "\nEXTRA_SET_TENANT_METHOD_PATH = 'extra.tell'\n")
    pair.release(
        "migrations.RunSQL('UPDATE things_tag SET title = coalesce(current_setting($$own.tenant$$, true), $$-$$) || id')"
    )
    reply = migrate_ours(pair.ours, pair.releases.directory, project)
    assert set(executed(reply).values()) == {"django"}


def test_tenants_of_two_types_get_what_their_type_has(pair, project):
    append(
        project,
        "config.py",
        """
HAS_MULTI_TYPE_TENANTS = True
MULTI_TYPE_DATABASE_FIELD = "name"
TENANT_TYPES = {
    "public": {"APPS": SHARED_APPS, "URLCONF": "urls"},
    "with": {"APPS": TENANT_APPS, "URLCONF": "urls"},
    "without": {"APPS": TENANT_APPS[:2], "URLCONF": "urls"},
}
""",
    )
    pair.execute(
        "UPDATE tenants_client SET name = CASE WHEN schema_name IN ('t1', 't3', 't5') THEN 'with' ELSE 'without' END WHERE id > 1"
    )
    pair.release(MORE)
    pair.release("migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])")
    stock(project, pair)
    reply = migrate_ours(pair.ours, pair.releases.directory, project)
    assert reply["failed"] == []
    pair.compare()
    assert executed(reply)["t5"] == "replayed"


def test_an_app_without_migrations_goes_along(pair, project):
    """Its tables are another program's, its models are among those that receivers of post_migrate get."""
    (project / "legacy").mkdir()
    (project / "legacy" / "__init__.py").touch()
    (project / "legacy" / "models.py").write_text(
        "from django.db import models\n\n\nclass Lorry(models.Model):\n"
        '    driver = models.ForeignKey("auth.User", on_delete=models.DO_NOTHING)\n\n    class Meta:\n        managed = False\n'
    )
    append(project, "config.py", 'TENANT_APPS.append("legacy")\nINSTALLED_APPS.append("legacy")\n')
    pair.release(MORE)
    stock(project, pair)
    reply = migrate_ours(pair.ours, pair.releases.directory, project)
    assert reply["failed"] == []
    pair.compare()
