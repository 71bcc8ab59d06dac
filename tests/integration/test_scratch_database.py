# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of a scratch database: made beside the real one, and gone whatever ends the run."""

from __future__ import annotations

import os
import signal
import time

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.scratch_names import number_in, scratch_name

from tests.support import pgbouncer
from tests.support.agents import Agent
from tests.support.rehearsals import scratch_databases
from tests.support.scratch import ODD, copied, make_nasty

# Makes a scratch database, says so, and then does as it is told.
TRIAL = """
import os, time
from .scratch import CannotRehearse, scratch_database

def run(context, options):
    try:
        with scratch_database(context, options.get("schemas", []), options.get("rows", 0)) as scratch:
            return inside(context, options["then"], scratch)
    except CannotRehearse as no:
        return {"reason": no.reason, "hint": no.hint, "notice": no.notice}

def inside(context, then, scratch):
    from django.db import connections
    from django.test.utils import override_settings

    connections.databases["scratch"] = scratch.settings()
    with connections["scratch"].cursor() as cursor:
        cursor.execute("SELECT current_database(), current_user, current_setting('search_path')")
        where, role, path = cursor.fetchone()
        context.wire.event("made", database=where, role=role, path=path)
        if then == "raise":
            raise RuntimeError("on purpose")
        if then == "sleep in the server":
            cursor.execute("SELECT pg_sleep(60)")
        if then == "sleep":
            time.sleep(60)
        if then == "fork":
            if os.fork() == 0:
                time.sleep(60)
            time.sleep(60)
    # The connection stays open: dropping the database ends it.
    return {"name": scratch.name, "where": where, "role": role, "notices": scratch.notices}
"""


@pytest.fixture
def project(sample):
    return sample("row_tenants")


@pytest.fixture
def agent(project):
    running = []

    def start(then="leave", project=project, **options):
        passed = {name: options.pop(name) for name in ("timeout", "session_role", "env") if name in options}
        running.append(Agent(project, TRIAL, {"then": then, **options}, **passed))
        return running[-1]

    yield start
    for each in running:
        each.__exit__()


def wait_until_gone(database, seconds=15):
    deadline = time.monotonic() + seconds
    while scratch_databases(database):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_it_is_made_with_the_projects_credentials_and_dropped_at_the_end(stack, sample, database, agent):
    running = agent(project=sample("row_tenants", stack=stack))
    assert number_in(running.event("made")["database"], database.name) is not None
    reply = running.reply()
    assert reply["name"] == reply["where"]
    assert reply["notices"] == []
    assert scratch_databases(database) == []


def test_it_is_dropped_after_an_exception(agent, database):
    running = agent("raise")
    running.event("made")
    assert "on purpose" in running.answer()["error"]["message"]
    assert scratch_databases(database) == []


ENDS = {
    "SIGTERM": lambda agent: agent.process.send_signal(signal.SIGTERM),
    "SIGHUP": lambda agent: agent.process.send_signal(signal.SIGHUP),
    "stdin closes": lambda agent: agent.close_stdin(),
    "nobody listens": lambda agent: (agent.process.stdout.close(), agent.close_stdin()),
}


@pytest.mark.parametrize("then", ["sleep", "sleep in the server"])
@pytest.mark.parametrize("end", ENDS)
def test_it_is_dropped_when_the_agent_is_stopped(end, then, agent, database):
    running = agent(then)
    running.event("made")
    ENDS[end](running)
    assert running.process.wait(timeout=15) != 0
    assert scratch_databases(database) == []


def test_it_is_dropped_when_the_agent_is_stopped_while_it_is_being_made(agent, database):
    make_nasty(database)
    for moment in range(6):
        running = agent("sleep", schemas=[ODD, "public", "extra"], rows=10)
        next(message for message in running.said() if "connecting" in message.get("doing", ""))
        # Anywhere from before CREATE DATABASE to the rows.
        time.sleep(moment * 0.12)
        running.process.send_signal(signal.SIGTERM) if moment % 2 else running.close_stdin()
        assert running.process.wait(timeout=15) != 0
        assert scratch_databases(database) == []


def test_it_is_dropped_when_the_time_is_up(agent, database):
    running = agent("sleep in the server", timeout=4)
    running.event("made")
    assert running.answer()["error"]["kind"] == "timeout"
    assert scratch_databases(database) == []


def test_a_process_that_was_forked_inside_does_not_hold_up_the_end(agent, database):
    running = agent("fork")
    running.event("made")
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(timeout=15)
    os.killpg(running.process.pid, signal.SIGKILL)
    assert scratch_databases(database) == []


def test_what_a_killed_run_leaves_is_removed_by_the_next_and_what_is_in_use_is_not(agent, database, postgres):
    killed, living = agent("sleep"), agent("sleep")
    left, used = killed.event("made")["database"], living.event("made")["database"]
    # None of ours: of another database, longer, shorter, in capitals.
    others = [scratch_name("another", 1), left + "0", left[:-1], left.upper()]
    for name in others:
        postgres.create_database(name)
    killed.process.kill()
    killed.process.wait()
    assert left in scratch_databases(database)
    try:
        agent().reply()
        assert scratch_databases(database) == [used]
        known = {name for (name,) in database.query("SELECT datname FROM pg_database")}
        assert known.issuperset(others)
    finally:
        for name in others:
            postgres.drop_database(name)
    living.process.send_signal(signal.SIGTERM)
    living.process.wait(timeout=15)
    assert scratch_databases(database) == []


@pytest.fixture
def login(database, postgres):
    """A function that gives the URL of a login role with some attributes, which may use the database."""
    made = []

    def make(attributes=""):
        name = f"login_{len(made)}_{database.name}"
        database.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'l0gin-but-secret' {attributes}")
        made.append(name)
        return name, postgres.url(database.name, user=name, password="l0gin-but-secret")

    yield make
    for name in reversed(made):
        database.execute(f"DROP OWNED BY {name} CASCADE")
        database.execute(f"DROP ROLE {name}")


def test_a_role_that_may_not_create_databases_is_told_the_grant_and_the_grant_helps(sample, database, login, agent):
    name, url = login()
    project = sample("row_tenants", database_url=url)
    reply = agent(project=project).reply()
    assert name in reply["reason"]
    assert "may not create databases" in reply["reason"]
    database.execute(reply["hint"].partition(": ")[2])
    assert agent(project=project).reply()["role"] == name


def test_it_belongs_to_the_session_role_even_one_whose_rights_are_not_inherited(sample, database, login, agent):
    owner, _url = login("CREATEDB")
    name, url = login("NOINHERIT")
    database.execute(f"GRANT {owner} TO {name}")
    project = sample("row_tenants", database_url=url)
    running = agent("sleep", project=project, session_role=owner)
    made = running.event("made")
    assert made["role"] == owner
    assert database.query("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [made["database"]]) == [
        (owner,)
    ]
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(timeout=15)
    assert scratch_databases(database) == []
    assert agent(project=project, session_role=owner).reply()["notices"] == []
    assert scratch_databases(database) == []


def test_nobody_else_may_enter_it(agent, database, postgres, login):
    name, _url = login()
    running = agent("sleep")
    made = running.event("made")["database"]
    assert database.query("SELECT has_database_privilege(%s, %s, 'CONNECT')", [name, made]) == [(False,)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_where_no_more_connections_are_allowed_that_is_told(limit, sample, database, login, agent):
    _name, url = login(f"CREATEDB CONNECTION LIMIT {limit}")
    database.execute("CREATE TABLE something (id integer)")
    reply = agent(project=sample("row_tenants", database_url=url), schemas=["public"]).reply()
    assert "too many connections" in reply["reason"]
    assert scratch_databases(database) == []


def test_settings_of_the_real_database_hold_in_it_too(agent, database):
    database.execute(f'ALTER DATABASE {database.name} SET search_path TO "Some, where", public')
    database.execute(f"ALTER DATABASE {database.name} SET datestyle TO 'German, DMY'")
    database.execute(f"ALTER DATABASE {database.name} SET \"my.own\" TO 'it''s'")
    running = agent("sleep")
    made = running.event("made")
    assert made["path"] == '"Some, where", public'
    found = database.query(
        "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = %s ORDER BY 1",
        [made["database"]],
    )
    assert found == [("DateStyle=German, DMY",), ("my.own=it's",), ('search_path="Some, where", public',)]


LOCALES = {
    "libc": "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' ENCODING 'UTF8'",
    "latin1": "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'LATIN1'",
    "builtin": "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'",
    "icu": "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'",
    "icu with rules": "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ICU_RULES '&a < g' LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'",
}


@pytest.mark.parametrize("locale", LOCALES)
def test_encoding_and_locale_are_the_real_ones(locale, sample, postgres, agent):
    name = f"locale_{locale.replace(' ', '_')}_{os.getpid()}"
    try:
        postgres.execute("postgres", f"CREATE DATABASE {name} TEMPLATE template0 {LOCALES[locale]}")
    except Exception as error:
        pytest.skip(f"this server does not have it: {error}")
    try:
        running = agent("sleep", project=sample("row_tenants", database_url=postgres.url(name)))
        made = running.event("made")["database"]
        rows = postgres.query(
            "postgres",
            "SELECT to_jsonb(d) - '{oid,datname,datdba,dattablespace,datfrozenxid,datminmxid,datacl}'::text[] FROM pg_database d WHERE datname = ANY(%s)",
            [[name, made]],
        )
        assert len(rows) == 2
        assert rows[0] == rows[1]
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(timeout=15)
    finally:
        postgres.drop_database(name)


def test_a_pooler_that_knows_the_real_database_alone_is_told(sample, database, agent, tmp_path):
    if not pgbouncer.program():
        pytest.skip("there is no pgbouncer here")
    (tmp_path / "pool").mkdir()
    with pgbouncer.transaction_pool(database, tmp_path / "pool", known=database.name) as url:
        reply = agent(project=sample("row_tenants", database_url=url)).reply()
    assert "can't be connected to" in reply["reason"]
    assert "pooler" in reply["hint"]
    assert scratch_databases(database) == []


def test_through_a_pooler_that_knows_every_database_it_works_as_well(sample, database, postgres, tmp_path):
    if not pgbouncer.program():
        pytest.skip("there is no pgbouncer here")
    (tmp_path / "pool").mkdir()
    make_nasty(database)
    with pgbouncer.transaction_pool(database, tmp_path / "pool") as url:
        reply = copied(sample("row_tenants", database_url=url), ODD, "public", "extra", rows=10, path=str(postgres.bin))
        assert reply["differences"] == reply["notices"] == []
        assert scratch_databases(database) == []


@pytest.fixture
def file(row_variant, tmp_path):
    """The row sample on SQLite, with a temporary directory of its own."""
    (tmp_path / "tmp").mkdir()
    return row_variant


FILE_TRIAL = """
import os, time
from .scratch import scratch_database

def run(context, options):
    from django.db import connections

    with scratch_database(context, []) as scratch:
        connections.databases["scratch"] = scratch.settings()
        with connections["scratch"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM django_migrations")
            count = cursor.fetchone()[0]
            cursor.execute("DROP TABLE django_migrations")
        modes = [oct(os.stat(path).st_mode & 0o777) for path in (scratch.name, os.path.dirname(scratch.name))]
        context.wire.event("made", database=scratch.name)
        time.sleep(options["seconds"])
        return {"count": count, "modes": modes}
"""


def test_of_an_sqlite_file_it_is_a_copy_that_only_we_may_read_and_is_gone_in_the_end(file, tmp_path):
    def start(seconds):
        return Agent(file.sample, FILE_TRIAL, {"seconds": seconds}, env={"TMPDIR": str(tmp_path / "tmp")})

    count = file.query("SELECT count(*) FROM django_migrations")
    with start(0) as done, start(60) as stopped, start(60) as killed:
        reply = done.reply()
        assert [[reply["count"]]] == [list(row) for row in count]
        assert reply["modes"] == ["0o600", "0o700"]
        stopped.event("made")
        stopped.process.send_signal(signal.SIGTERM)
        stopped.process.wait(timeout=15)
        killed.event("made")
        killed.process.kill()
        killed.process.wait()
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    with start(60) as living:
        living.event("made")
        with start(0) as done:
            done.reply()
        assert len(list((tmp_path / "tmp").iterdir())) == 1
        living.close_stdin()
        living.process.wait(timeout=15)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert file.query("SELECT count(*) FROM django_migrations") == count
