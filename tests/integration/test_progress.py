# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a long run, as ansible-playbook shows it, and that nothing else is different for it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import checkout, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from tests.support.databases import Database, Postgres
    from tests.support.samples import Sample

TENANTS = [f"tenant{number}" for number in range(5)]
LINE = re.compile(r"^\[node1\] (\d+) done, (\d+) failed, (\d+) left", re.MULTILINE)
SECONDS = 60


@pytest.fixture(scope="module")
def template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with a few tenants of the first release."""
    name = f"template_{os.getpid()}_progress"
    postgres.create_database(name)
    project = samples.copy_sample(
        "schema_tenants",
        tmp_path_factory.mktemp("template") / "project",
        release="1",
        stack="current",
        environment="dev",
        database_url=postgres.url(name),
    )
    tenants = [{"schema": schema, "defaults": {"name": schema, "paid_until": "2099-12-31"}} for schema in TENANTS]
    public = {"schema": "public", "defaults": {"name": "Public", "paid_until": "2099-12-31"}, "domains": ["localhost"]}
    for module, options in {
        "django_migrate_schemas": {"scope": "shared"},
        "django_tenant": {"tenants": [public, *tenants]},
    }.items():
        result = checkout.run_module(module, **project.options(), **options)
        assert not result.get("failed"), result
    yield name
    postgres.drop_database(name)


@pytest.fixture
def fleet(new_database: Callable[..., Database], template: str) -> Database:
    return new_database(template)


@pytest.fixture
def project(sample: Callable[..., Sample], fleet: Database) -> Sample:
    """The second release, over a database of the first."""
    return sample("schema_tenants", release="2", database_url=fleet.url)


class Playbook:
    """ansible-playbook with one task, its output as it comes."""

    def __init__(self, directory: Path, task: dict[str, Any], *arguments: str, **env: str) -> None:
        play = {
            "hosts": "node1",
            "gather_facts": False,
            "vars": {"ansible_connection": "local", "ansible_python_interpreter": str(checkout.TOOLS / "python")},
            "tasks": [{"register": "result", **task}, {"ansible.builtin.debug": {"var": "result"}}],
        }
        file = directory / "play.yml"
        file.write_text(json.dumps([play]), encoding="utf-8")
        self.output = directory / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [checkout.TOOLS / "ansible-playbook", "-i", "node1,", *arguments, file],
                cwd=checkout.ROOT,
                env=checkout.environment(
                    ANSIBLE_CONFIG=str(checkout.ROOT / "ansible.cfg"), PYTHONUNBUFFERED="1", **env
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        return until(lambda: re.search(pattern, self.text(), re.MULTILINE), self.text)

    def end(self) -> str:
        self.process.wait(timeout=SECONDS)
        return self.text()

    def result(self) -> dict[str, Any]:
        """What the task returned, as the debug task shows it."""
        found = re.search(r'^ok: \[node1\] => (\{\n    "result": .*?^\})', self.end(), re.MULTILINE | re.DOTALL)
        assert found, self.text()
        answer: dict[str, Any] = json.loads(found[1])["result"]
        return answer


def until(condition: Callable[[], Any], what: Callable[[], str] = str) -> Any:
    deadline = time.monotonic() + SECONDS
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Playbook]]:
    """A function that starts a playbook, which is ended with the test."""
    begun: list[Playbook] = []

    def start(task: dict[str, Any], *arguments: str, **env: str) -> Playbook:
        directory = tmp_path / str(len(begun))
        directory.mkdir()
        begun.append(Playbook(directory, task, *arguments, **env))
        return begun[-1]

    yield start
    for playbook in begun:
        playbook.process.kill()
        playbook.process.wait()


@pytest.fixture
def migrate(project: Sample) -> Callable[..., dict[str, Any]]:
    """A function that writes the task that migrates the fleet."""

    def task(**keywords: Any) -> dict[str, Any]:
        options = {**project.options(), "workers": 2, **keywords.pop("options", {})}
        return {"meatscentral.tenancy.django_migrate_schemas": options, **keywords}

    return task


@pytest.fixture
def held(fleet: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection that keeps tenant4 from being migrated until it is rolled back."""
    connection = fleet.connect()
    connection.autocommit = False
    connection.execute("LOCK TABLE tenant4.carriers_carrier IN ACCESS SHARE MODE")
    yield connection
    connection.close()


def left_files(run: Playbook) -> list[Path]:
    """Which of the files are still there that the run's modules were told to write."""
    named = {Path(name) for name in re.findall(r"TENANCY_PROGRESS_FILE=(/\S+)", run.text())}
    assert named
    return [file for file in named if file.exists()]


def test_a_long_run_says_what_is_done_what_is_left_and_what_it_waits_for(play, migrate, held):
    run = play(migrate(), "-vvv")
    run.wait_for(r"^\[node1\] 5 done, 0 failed, 1 left; .*tenant4 running for \d")
    held.rollback()
    output = run.end()
    assert run.process.returncode == 0, output
    counts = [int(done) for done, _failed, _left in LINE.findall(output)]
    assert counts == sorted(counts)
    ended = re.findall(r"^<node1> (\w+) done in [\d.]+ s$", output, re.MULTILINE)
    assert sorted(ended) == sorted(["public", *TENANTS])
    assert not left_files(run)


def test_a_run_that_nobody_wants_to_watch_shows_nothing(play, migrate, fleet):
    for task, arguments, env in [
        (migrate(), ["--check"], {}),
        (migrate(**{"async": 60, "poll": 1}, options={"schemas": ["public"]}), [], {}),
        (migrate(no_log=True, options={"schemas": ["tenant0"]}), [], {}),
        (migrate(options={"progress": False}), [], {}),
    ]:
        run = play(task, *arguments, **env)
        output = run.end()
        assert run.process.returncode == 0, output
        assert not LINE.search(output)
    assert fleet.query(
        "SELECT count(*) FROM tenant4.django_migrations WHERE app = 'plants' AND name = '0004_dock'"
    ) == [(1,)]


def same(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what no two runs have in common."""
    text = re.sub(r'"seconds": [\d.]+', '"seconds": 0', json.dumps(result))
    return json.loads(text)


@pytest.fixture
def without_action_plugins(tmp_path: Path) -> Path:
    """A tree with the collection in it, as it would be without its action plugins: Ansible runs the modules itself."""
    plugins = tmp_path / "ansible_collections" / "meatscentral" / "tenancy" / "plugins"
    plugins.mkdir(parents=True)
    (plugins.parent / "meta").symlink_to(checkout.ROOT / "meta")
    for name in ["doc_fragments", "modules", "module_utils"]:
        (plugins / name).symlink_to(checkout.ROOT / "plugins" / name)
    return tmp_path


def test_the_result_is_that_of_the_module_alone(play, sample, new_database, template, without_action_plugins):
    results = []
    for env in [{}, {"ANSIBLE_COLLECTIONS_PATH": str(without_action_plugins)}]:
        database = new_database(template)
        # One tenant that fails: what is told of failures is compared as well.
        database.execute("ALTER TABLE tenant1.carriers_carrier ADD COLUMN home_state text")
        options = sample("schema_tenants", release="2", database_url=database.url).options()
        task = {
            "meatscentral.tenancy.django_migrate_schemas": {**options, "workers": 1},
            "diff": True,
            "ignore_errors": True,
        }
        text = json.dumps(play(task, **env).result())
        text = re.sub(r'"seconds": [\d.]+', '"seconds": 0', text)
        results.append(text.replace(str(options["project"]), "PROJECT").replace(database.name, "DATABASE"))
    assert results[0] == results[1]
    result = json.loads(results[0])
    assert result["failed"]
    assert result["diff"]


def test_a_run_that_is_interrupted_leaves_no_work_and_no_file(play, migrate, held, fleet):
    run = play(migrate(), "-vvv")
    run.wait_for(r"^\[node1\] 5 done, 0 failed, 1 left; .*tenant4 running for")
    run.process.send_signal(signal.SIGINT)
    run.end()
    until(lambda: not sessions(fleet, held))
    until(lambda: not left_files(run))


def test_a_run_whose_controller_is_killed_ends_with_it(play, migrate, held, fleet):
    run = play(migrate(), "-vvv")
    run.wait_for(r"^\[node1\] 5 done, 0 failed, 1 left; .*tenant4 running for")
    run.process.kill()
    workers = [
        int(pid)
        for pid in subprocess.run(
            ["pgrep", "-f", str(run.output.parent / "play.yml")], capture_output=True, encoding="ascii", check=False
        ).stdout.split()
    ]
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not sessions(fleet, held))
    until(lambda: not left_files(run))


def sessions(database: Database, besides: psycopg.Connection[Any]) -> list[Any]:
    """Who is connected to the database but the test."""
    return database.query(
        "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)",
        [besides.info.backend_pid],
    )


def test_a_task_that_runs_out_of_time_leaves_no_work(play, migrate, held, fleet):
    run = play(migrate(timeout=8))
    assert "imed out" in run.end() or "timeout" in run.text()
    assert run.process.returncode == 2
    until(lambda: not sessions(fleet, held))


def test_many_tenants_are_counted_too(play, sample, fleet):
    blocker = fleet.connect()
    blocker.autocommit = False
    # The second tenant's row waits for this one, which may or may not be committed.
    blocker.execute(
        "INSERT INTO tenants_client (schema_name, name, on_trial, paid_until, created_on)"
        " VALUES ('new1', '', false, now(), now())"
    )
    tenants = [
        {"schema": schema, "defaults": {"name": schema, "paid_until": "2099-12-31"}} for schema in ["new0", "new1"]
    ]
    options = {**sample("schema_tenants", database_url=fleet.url).options(), "tenants": tenants}
    run = play({"meatscentral.tenancy.django_tenant": options}, "-v")
    run.wait_for(r"^\[node1\] 1 done, 0 failed, 1 left; .*new1 running for")
    blocker.rollback()
    run.wait_for("^<node1> new1 done")
    run.end()
    assert run.process.returncode == 0, run.text()
