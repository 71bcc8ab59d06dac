# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in which something goes wrong: what failed is named, the rest is done, and the next run finishes it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.differential.fleet import TENANTS, Releases, executed, make_template, migrate_ours
from tests.differential.picture import differences, picture
from tests.support.databases import Database

MANY = [f"x{number:02}" for number in range(60)]


@pytest.fixture(scope="module")
def sixty(postgres):
    """The name of a database with sixty tenants."""
    name = f"sixty_{os.getpid()}"
    make_template(postgres, name, MANY)
    yield name
    postgres.drop_database(name)


def add(name="more"):
    return f"migrations.AddField('Tag', {name!r}, models.IntegerField(null=True))"


UNIQUE = "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['note'], name='one_note'))"


def failed(reply):
    return [failure["schema"] for failure in reply["failed"]]


def test_seven_broken_tenants_are_named_and_fifty_three_done(sixty, new_database, tmp_path):
    database, releases = new_database(sixty), Releases(tmp_path)
    broken = MANY[0:60:9]
    for schema in MANY:
        database.execute(f"UPDATE {schema}.things_item SET note = id" + (" / 100" if schema in broken else ""))
    for schema in broken:
        database.execute(
            f"INSERT INTO {schema}.things_item (name, amount, note) VALUES ('again', 0, '0'), ('again', 0, '0')"
        )
    releases.add(add("one"))
    releases.add(UNIQUE)
    releases.add(add("three"))
    reply = migrate_ours(database, tmp_path)
    assert sorted(failed(reply)) == broken
    assert {failure["migration"] for failure in reply["failed"]} == {"things.0003_more"}
    assert {failure["sqlstate"] for failure in reply["failed"]} == {"23505"}
    assert reply["counts"]["migrated"] == 53
    for schema in MANY:
        (count,) = database.query(f"SELECT count(*) FROM {schema}.django_migrations WHERE app = 'things'")[0]
        assert count == (2 if schema in broken else 4)
    database.execute(
        "; ".join(
            f"DELETE FROM {schema}.things_item WHERE name = 'again'; UPDATE {schema}.things_item SET note = id"
            for schema in broken
        )
    )
    again = migrate_ours(database, tmp_path)
    assert (again["counts"]["migrated"], again["failed"]) == (7, [])


def test_more_failures_than_allowed_end_the_run_and_what_was_not_begun_is_named(sixty, new_database, tmp_path):
    database, releases = new_database(sixty), Releases(tmp_path)
    releases.add("migrations.RunSQL('CREATE TABLE by_hand (id int)')")
    for schema in MANY:
        database.execute(f"CREATE TABLE {schema}.by_hand ()")
    reply = migrate_ours(database, tmp_path, max_failures="5")
    assert 6 <= len(reply["failed"]) < 12
    untouched = {schema for group in reply["pending"] for schema in group["schemas"]}
    assert untouched | set(failed(reply)) == set(MANY)
    assert not untouched & set(failed(reply))


def test_a_function_of_all_is_replaced_by_many_at_once(sixty, new_database, tmp_path):
    database, releases = new_database(sixty), Releases(tmp_path)
    body = "SELECT 1 " + "-- long " * 500
    releases.add(
        f"migrations.RunSQL('CREATE OR REPLACE FUNCTION public.shared() RETURNS int LANGUAGE sql AS $${body}\\n$$')"
    )
    assert migrate_ours(database, tmp_path, workers=6)["failed"] == []


def test_a_migration_that_fails_in_the_middle_leaves_what_django_leaves(pair):
    pair.execute(
        "UPDATE t3.things_item SET note = ''; INSERT INTO t3.things_item (name, amount, note) VALUES ('a', 0, ''), ('b', 0, '')"
    )
    for schema in ("t1", "t2", "t4", "t5"):
        pair.execute(f"UPDATE {schema}.things_item SET note = id")
    pair.release("migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])")
    pair.release(UNIQUE)
    pair.release(add("three"))
    reply = pair.same()
    assert failed(reply) == ["t3"]
    assert reply["failed"][0]["migration"] == "things.0003_more"


def test_python_that_fails_in_one_schema_leaves_what_django_leaves(pair):
    pair.release(add("one"))
    pair.release(
        "migrations.RunPython(work)",
        body="""
def work(apps, schema_editor):
    apps.get_model('things', 'Tag').objects.create(title='half')
    if schema_editor.connection.schema_name == 't4':
        raise ValueError('not here')
""",
    )
    pair.release(add("three"))
    reply = pair.same()
    assert failed(reply) == ["t4"]
    failure = reply["failed"][0]
    assert failure["message"] == "ValueError: not here"
    assert failure["operation"] == "Raw Python operation (work)"
    assert re.search(r"/released/0003_more\.py:\d+$", failure["place"])


@pytest.mark.parametrize("held", ["t1", "t4"])
@pytest.mark.parametrize("python", [False, True])
def test_a_schema_whose_table_is_locked_for_a_while_comes_later(pair, held, python):
    pair.release(add())
    if python:
        pair.release("migrations.RunPython(migrations.RunPython.noop)")
        pair.release("migrations.AddField('Tag', 'last', models.IntegerField(null=True))")
    with pair.ours.connect() as other:
        other.execute("BEGIN")
        other.execute(f"LOCK TABLE {held}.things_tag IN ACCESS EXCLUSIVE MODE")
        release = threading.Timer(2, lambda: other.execute("ROLLBACK"))
        release.start()
        reply = pair.migrate(lock_timeout=0.3, retries=12)
        release.join()
    assert reply["failed"] == []
    assert pair.stock_side.migrate(pair.stock, pair.releases.directory) == {}
    pair.compare()


def test_a_lock_that_stays_is_named_and_the_others_are_done(pair):
    pair.release(add())
    with pair.ours.connect() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE t4.things_tag IN ACCESS SHARE MODE")
        reply = pair.migrate(lock_timeout=0.2, retries=1)
        other.execute("ROLLBACK")
    assert failed(reply) == ["t4"]
    assert reply["failed"][0]["sqlstate"] == "55P03"
    assert reply["counts"]["migrated"] == 4


def test_a_session_that_the_server_ends_costs_nobody_anything(pair):
    pair.release(add())
    with ThreadPoolExecutor(1) as threads, pair.ours.connect() as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE t4.things_tag IN ACCESS SHARE MODE")
        run = threads.submit(pair.migrate)
        waiting = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ 't4'"
        )
        deadline = time.monotonic() + 60
        while not pair.ours.query(waiting):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        other.execute("ROLLBACK")
        reply = run.result()
    assert reply["failed"] == []
    assert {schema for schema, how in executed(reply).items() if how == "django"} == {"t1", "t4"}
    assert "the replay was refused: " in str(reply["through_django"])
    assert pair.stock_side.migrate(pair.stock, pair.releases.directory) == {}
    pair.compare()


def test_a_permission_that_one_of_many_lacks_is_made_there_as_django_would(sixty, new_database, tmp_path):
    database, releases = new_database(sixty), Releases(tmp_path)
    database.execute("DELETE FROM x33.auth_permission WHERE codename = 'view_tag'")
    releases.add(add())
    reply = migrate_ours(database, tmp_path)
    assert (reply["failed"], reply["counts"]["migrated"]) == ([], 60)
    assert database.query("SELECT count(*) FROM x33.auth_permission WHERE codename = 'view_tag'") == [(1,)]
    assert {schema for schema, how in executed(reply).items() if how == "django"} == {"x00", "x33"}


def test_the_schema_of_a_worker_that_was_killed_is_named_and_the_others_are_done(pair, tmp_path):
    marker = tmp_path / "kill"
    marker.touch()
    pair.release(add("one"))
    pair.release(
        "migrations.RunPython(work)",
        body=f"""
import os


def work(apps, schema_editor):
    apps.get_model('things', 'Tag').objects.create(title='half')
    if schema_editor.connection.schema_name == 't3' and os.path.exists({str(marker)!r}):
        os.unlink({str(marker)!r})
        os.kill(os.getpid(), 9)
""",
    )
    reply = pair.migrate(workers=2)
    assert failed(reply) == ["t3"]
    assert reply["counts"]["migrated"] == 4
    assert pair.migrate()["failed"] == []
    assert pair.stock_side.migrate(pair.stock, pair.releases.directory) == {}
    assert not differences(_without_what_was_rolled_back(pair.stock), _without_what_was_rolled_back(pair.ours))


# Killed from outside


def agents():
    """The processes that this one started to migrate."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"exec(input())" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def test_a_run_that_is_killed_at_any_moment_is_finished_by_the_next(pair, postgres, fleet_template):
    pair.release(add("one"), "migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])")
    pair.release(
        "migrations.RunPython(work)",
        body="""
import time


def work(apps, schema_editor):
    apps.get_model('things', 'Tag').objects.create(title='by python')
    time.sleep(0.1)
""",
    )
    pair.release(add("three"), "migrations.RenameModel('Box', 'Case')")
    assert pair.stock_side.migrate(pair.stock, pair.releases.directory) == {}
    wanted = _without_what_was_rolled_back(pair.stock)
    with ThreadPoolExecutor(1) as threads:
        for moment in range(10):
            database = Database(postgres, f"{pair.ours.name}_{moment}")
            postgres.create_database(database.name, fleet_template[0])
            started = time.monotonic()
            run = threads.submit(_quietly, database, pair.releases.directory)
            while not _begun(database) and not run.done():
                time.sleep(0.02)
            time.sleep(0.1 * moment)
            for pid in agents():
                os.kill(pid, signal.SIGKILL)
            run.result()
            assert time.monotonic() - started < 60
            reply = migrate_ours(database, pair.releases.directory, lock_wait=20)
            assert reply["failed"] == []
            assert not differences(wanted, _without_what_was_rolled_back(database)), moment
            postgres.drop_database(database.name)


def _quietly(database, directory):
    try:
        migrate_ours(database, directory)
    except Exception as error:
        return str(error)
    return None


def _begun(database):
    with contextlib.suppress(psycopg.Error):
        return database.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0][0] > 1
    return False


def _without_what_was_rolled_back(database):
    """Sequences go on even so; and with them the ids of rows that are made again."""
    found = picture(database, TENANTS)
    for schema in TENANTS:
        structure = found[f"{schema} structure"]
        found[f"{schema} structure"] = {part: text for part, text in structure.items() if part[0] != "sequence"}
        rows = [json.loads(row) for row in found[f"{schema} things_tag"]]
        found[f"{schema} things_tag"] = sorted(str({**row, "id": None}) for row in rows)
    return found


# Names


def test_a_worker_that_ends_between_two_tasks_costs_nothing(pair):
    """The pool finds out when it hands out the next task."""
    pair.release(
        "migrations.RunPython(work)",
        body="""
import os
import threading


def work(apps, schema_editor):
    if schema_editor.connection.schema_name == 't2':
        threading.Timer(0.3, os._exit, [7]).start()
    if schema_editor.connection.schema_name == 't3':
        import time
        time.sleep(0.6)
""",
    )
    assert len(pair.migrate(workers=2)["failed"]) <= 1
    assert pair.migrate()["failed"] == []


def test_schemas_may_be_called_anything(postgres, new_database, fleet_template, tmp_path):
    names = ["With blank", "per%cent", "Grüße", "UPPER", "%s", "1st", "select", "a.b"]
    template = f"names_{os.getpid()}"
    make_template(postgres, template, names)
    try:
        stock, ours, releases = new_database(template), new_database(template), Releases(tmp_path)
    finally:
        postgres.drop_database(template)
    releases.add(add("one"), "migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True))])")
    releases.add("migrations.RunSQL('CREATE VIEW v AS SELECT i.id FROM things_item i')")
    assert fleet_template[1].migrate(stock, tmp_path, names) == {}
    reply = migrate_ours(ours, tmp_path)
    assert reply["failed"] == []
    assert list(executed(reply).values()).count("replayed") == len(names) - 1
    assert not differences(picture(stock, names), picture(ours, names))


REFUSES_INDEXES = """
CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_schema() = 't2' THEN RAISE 'not in t2'; END IF;
END $$;
CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.refuse()
"""


@pytest.mark.parametrize("executor", ["auto", "django"])
def test_a_failure_in_what_django_puts_off_to_the_end_of_a_migration_does_not_reach_the_next_schema(pair, executor):
    pair.release(
        "migrations.CreateModel('Box', [('id', models.BigAutoField(primary_key=True)), ('n', models.IntegerField(db_index=True))])"
    )
    pair.execute(REFUSES_INDEXES)
    reply = pair.migrate(executor=executor, workers=1)
    assert {failure["schema"]: failure["migration"] for failure in reply["failed"]} == {"t2": "things.0002_more"}
    for schema, is_there in {"t1": True, "t2": False, "t3": True, "t4": True, "t5": True}.items():
        assert ("things_box" in pair.ours.tables(schema)) == is_there, schema
