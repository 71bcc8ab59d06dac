# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured, and how each side is checked to have done its work. A group is what several keys have in common."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.support import checkout

from . import figures, project, server, sides
from .project import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Database

    from .project import Shape
    from .records import Record
    from .server import Bench, Fleet, Shown

BUSINESS, SMALL = SHAPES["business"], SHAPES["small"]
# A sample of every executor with so many tenants decides which of them run with all.
HEAT = 100
NEW_TENANTS = 20


class NotDone(RuntimeError):
    """A side did not do what it was measured for: {}"""

    def __str__(self) -> str:
        return str(self.__doc__).format(self.args[0])


class Kit:
    """What every group needs: the server, a scale for all numbers of tenants, and a record of its own."""

    def __init__(
        self, bench: Bench, scale: float, most_rounds: int, record: Record, say: Callable[[str], None]
    ) -> None:
        self.bench, self.scale, self.most_rounds = bench, scale, most_rounds
        self.record, self.say = record, say

    def tenants(self, number: int) -> int:
        return scaled(number, self.scale)

    def fleet(self, shape: Shape, tenants: int) -> Fleet:
        started = time.perf_counter()
        fleet = self.bench.fleet(shape, tenants)
        if time.perf_counter() - started > 5:
            self.say(f"a fleet of {tenants} tenants: {time.perf_counter() - started:.0f} s")
        return fleet

    def lacks(self, part: str, number: int) -> bool:
        """Whether there are rounds to be run."""
        return len(self.record.rounds(part)) < min(number, self.most_rounds)

    def rounds(self, part: str, tenants: int, number: int, runs: dict[str, Callable[[], float]]) -> None:
        """Let every side run so often, in turns, the first one first and last alternately."""
        number = min(number, self.most_rounds)
        for done in range(len(self.record.rounds(part)), number):
            measured = {}
            for side in list(runs) if done % 2 == 0 else reversed(runs):
                measured[side] = runs[side]()
                self.say(f"{part} {done + 1}/{number}, {tenants} tenants, {side}: {measured[side]:.3f}")
            self.record.add(part, tenants, measured)


# Nothing pending: everybody works on one and the same database, which must be as before after each.


def _nothing(fleet: Fleet, run: Callable[[Database], float]) -> float:
    """Run something that has nothing to do, and see that it did nothing."""
    database = fleet.database
    before = server.written(database)
    seconds = run(database)
    if server.written(database) != before:
        raise NotDone("it wrote though there was nothing to do")
    _see(database, fleet, fleet.schemas, _seed_shown(fleet))
    return seconds


def _seed_shown(fleet: Fleet) -> Shown:
    return server.shown(fleet.seed.database, fleet.shape, [server.SEED])[server.SEED]


def _see(database: Database, fleet: Fleet, schemas: list[str], expected: Shown) -> None:
    found = server.shown(database, fleet.shape, schemas)
    if wrong := server.differing(found, expected, schemas):
        raise NotDone(
            f"{len(wrong)} of {len(schemas)} schemas are not as they should be;"
            f" {wrong[0]} is {found.get(wrong[0])} rather than {expected}"
        )


def _noop_by_peer(kit: Kit, fleet: Fleet, peer: str) -> float:
    def run(database: Database) -> float:
        seconds, done = sides.migrate_by_peer(kit.bench, database, fleet.shape, "1", peer)
        looked = len(re.findall(r"No migrations to apply|No migrations needed for schema", done.stdout))
        if looked != fleet.tenants + 1:
            raise NotDone(f"{peer} looked at {looked} schemas of {fleet.tenants + 1}")
        return seconds

    return _nothing(fleet, run)


def _noop_by_module(kit: Kit, fleet: Fleet) -> float:
    def run(database: Database) -> float:
        seconds, answer = sides.migrate_by_module(kit.bench, database, kit.bench.project(fleet.shape))
        _see_counts("the module", answer["summary"], schemas=fleet.tenants + 1, up_to_date=fleet.tenants + 1)
        return seconds

    return _nothing(fleet, run)


def _see_counts(who: str, counts: dict[str, Any], **expected: int) -> None:
    if any(counts.get(name) != number for name, number in expected.items()):
        raise NotDone(f"{who} counts {counts} rather than {expected}")


def noop(kit: Kit) -> None:
    few, all_ = kit.tenants(HEAT), kit.tenants(500)

    def by_peer(tenants: int, peer: str) -> Callable[[], float]:
        return lambda: _noop_by_peer(kit, kit.fleet(BUSINESS, tenants), peer)

    kit.rounds("heat", few, 2, {peer: by_peer(few, peer) for peer in sides.PEERS})
    heat = kit.record.rounds("heat")
    peers = [*figures.in_reach(heat, figures.STOCK), *figures.in_reach(heat, figures.SMART)]
    ours = {"module": lambda: _noop_by_module(kit, kit.fleet(BUSINESS, all_))}
    kit.rounds("fleet", all_, 3, {**ours, **{peer: by_peer(all_, peer) for peer in peers}})


def noop_1000(kit: Kit) -> None:
    tenants = kit.tenants(1000)

    def agent(database: Database) -> float:
        run = sides.migrate_by_agent(kit.bench, database, kit.bench.project(BUSINESS))
        _see_counts("the agent", run.reply["counts"], schemas=tenants + 1, up_to_date=tenants + 1)
        return run.seconds

    def floor(database: Database) -> float:
        seconds, read = sides.read_all_recorders(kit.bench, database, kit.bench.project(BUSINESS))
        if read != tenants + 1:
            raise NotDone(f"{read} recorders of {tenants + 1} were read")
        return seconds

    def run(side: Callable[[Database], float]) -> Callable[[], float]:
        return lambda: _nothing(kit.fleet(BUSINESS, tenants), side)

    kit.rounds("fleet", tenants, 9, {"agent": run(agent), "floor": run(floor)})


def audit(kit: Kit) -> None:
    """All the rules, with a release pending, which more of them look at; what they read once counts as a rule does."""
    tenants = kit.tenants(200)

    def run(seconds: Callable[[sides.AgentRun], float]) -> Callable[[], float]:
        def look(database: Database) -> float:
            run = sides.audit_by_agent(kit.bench, database, kit.bench.project(BUSINESS, "fields"))
            _see_counts("the audit", {**run.reply["counts"], "not_run": len(run.reply["not_run"])}, error=0, not_run=0)
            return seconds(run)

        return lambda: _nothing(kit.fleet(BUSINESS, tenants), look)

    def slowest(run: sides.AgentRun) -> float:
        return max(*run.reply["rules"].values(), *run.reply["reading"].values())

    kit.rounds("whole", tenants, 5, {"agent": run(lambda run: run.working)})
    kit.rounds("rules", tenants, 5, {"slowest rule": run(slowest)})


# Something pending: everybody works on a copy of the same database, which must then be as Django would leave it.


class Release:
    """What a release has pending, and what the stock command leaves of it."""

    def __init__(self, kit: Kit, shape: Shape, name: str) -> None:
        self.kit, self.shape, self.name = kit, shape, name
        self.migrations = project.added(shape, name)
        self.directory = kit.bench.project(shape, name)

    @functools.cached_property
    def statements(self) -> list[str]:
        return self._reference[0]

    @property
    def expected(self) -> Shown:
        return self._reference[1]

    @functools.cached_property
    def _reference(self) -> tuple[list[str], Shown]:
        """The SQL of Django's own command on the tenant that all are copies of, and how that one is afterwards."""
        seed = self.kit.bench.seed(self.shape)
        code = f"call_command('migrate_schemas', schema_name={server.SEED!r}, verbosity=0)"
        with self.kit.bench.copy_of(seed.database.name, "reference") as reference:
            statements = sides.captured(self.kit.bench, reference, self.directory, code)
            after = server.shown(reference, self.shape, [server.SEED])[server.SEED]
        before = server.shown(seed.database, self.shape, [server.SEED])[server.SEED]
        if after == before or (self.name == "python" and after.codes == before.codes):
            raise NotDone(f"the release {self.name} changes nothing")
        return statements, after

    def apply(self, fleet: Fleet, run: Callable[[Database], float], with_public: bool = True) -> float:
        """Run something on a copy of a fleet, and see that it applied what was pending everywhere."""
        expected = self.expected
        with self.kit.bench.copy(fleet) as database:
            # This reads the catalog as well: nobody has to do it first.
            _see(database, fleet, fleet.schemas, _seed_shown(fleet))
            measured = run(database)
            _see(database, fleet, fleet.schemas, expected)
            recorded = database.query("SELECT app, name FROM public.django_migrations")
            if with_public and not set(self.migrations) <= set(recorded):
                raise NotDone("the public schema was left out")
        return measured

    def by_peer(self, fleet: Fleet, peer: str) -> float:
        return self.apply(fleet, lambda db: sides.migrate_by_peer(self.kit.bench, db, self.shape, self.name, peer)[0])

    def by_module(self, fleet: Fleet) -> float:
        return self.apply(fleet, lambda db: sides.migrate_by_module(self.kit.bench, db, self.directory)[0])

    def by_agent(self, fleet: Fleet) -> float:
        return self.apply(fleet, lambda db: sides.migrate_by_agent(self.kit.bench, db, self.directory).working)

    def by_floor(self, fleet: Fleet) -> float:
        scripts = [sides.apply_script(schema, self.statements, self.migrations) for schema in fleet.schemas]
        return self.apply(fleet, lambda db: server.run_scripts(db, scripts), with_public=False)

    def memory(self, fleet: Fleet) -> float:
        return self.apply(
            fleet, lambda db: sides.migrate_by_agent(self.kit.bench, db, self.directory, watch_memory=True).peak_mib
        )


def _against_peers(kit: Kit, release: str, rounds: int) -> None:
    pending = Release(kit, BUSINESS, release)
    few, all_ = kit.tenants(HEAT), kit.tenants(500)

    def by_peer(tenants: int, peer: str) -> Callable[[], float]:
        return lambda: pending.by_peer(kit.fleet(BUSINESS, tenants), peer)

    kit.rounds("heat", few, 1, {peer: by_peer(few, peer) for peer in sides.PEERS})
    peers = figures.in_reach(kit.record.rounds("heat"), sides.PEERS)
    ours = {"module": lambda: pending.by_module(kit.fleet(BUSINESS, all_))}
    kit.rounds("fleet", all_, rounds, {**ours, **{peer: by_peer(all_, peer) for peer in peers}})


def apply(kit: Kit) -> None:
    _against_peers(kit, "fields", 3)


def python(kit: Kit) -> None:
    _against_peers(kit, "python", 3)


def apply_1000(kit: Kit) -> None:
    pending, tenants = Release(kit, BUSINESS, "fields"), kit.tenants(1000)
    runs = {
        "agent": lambda: pending.by_agent(kit.fleet(BUSINESS, tenants)),
        "floor": lambda: pending.by_floor(kit.fleet(BUSINESS, tenants)),
    }
    kit.rounds("fleet", tenants, 5, runs)


def growth(kit: Kit) -> None:
    """All sizes in every round: how fast the machine is changes over minutes, and is not to come between them."""
    pending = Release(kit, SMALL, "fields")

    def run(tenants: int, times: int) -> Callable[[], float]:
        return lambda: median(pending.by_agent(kit.fleet(SMALL, tenants)) for _time in range(times))

    # The small ones take half a second, and what counts is how they differ.
    sizes = {kit.tenants(size): times for size, times in ((200, 3), (400, 3), (2500, 1), (5000, 1))}
    kit.rounds("fleet", max(sizes), 7, {str(size): run(size, times) for size, times in sizes.items()})


def memory(kit: Kit) -> None:
    tenants = kit.tenants(1000)
    runs: dict[str, Callable[[], float]] = {
        release: functools.partial(
            lambda pending: pending.memory(kit.fleet(BUSINESS, tenants)), Release(kit, BUSINESS, release)
        )
        for release in ("fields", "python")
    }
    kit.rounds("fleet", tenants, 3, runs)


# New tenants: everybody makes the same on a copy of the same database.


_CATALOG = "pg_class, pg_attribute, pg_attrdef, pg_type, pg_index, pg_constraint, pg_depend, pg_sequence, pg_namespace"


class NewTenants:
    """Tenants that are not there yet, and what Django's own way leaves of one."""

    def __init__(self, kit: Kit, tenants: int) -> None:
        self.kit, self.tenants = kit, tenants
        self.schemas = [f"new_{number:02}" for number in range(1, NEW_TENANTS + 1)]
        self.directory = kit.bench.project(BUSINESS)

    @functools.cached_property
    def _reference(self) -> tuple[list[str], Shown]:
        seed = self.kit.bench.seed(BUSINESS)
        code = "from tenants.models import Client; Client(schema_name='captured', name='x').save(verbosity=0)"
        with self.kit.bench.copy_of(seed.database.name, "reference") as reference:
            statements = sides.captured(self.kit.bench, reference, self.directory, code)
            return statements, server.shown(reference, BUSINESS, ["captured"])["captured"]

    def prepared(self) -> contextlib.AbstractContextManager[Database]:
        return self.kit.bench.copy(self.kit.fleet(BUSINESS, self.tenants))

    def create(self, database: Database, run: Callable[[Database], float]) -> float:
        """Make them, see that they are as they should be, and remove them again."""
        fleet = self.kit.fleet(BUSINESS, self.tenants)
        _statements, expected = self._reference
        self._empty(database, fleet.schemas[0])
        # This reads the catalog as well: nobody has to do it first.
        if len(server.shown(database, fleet.shape, fleet.schemas)) != fleet.tenants:
            raise NotDone("tenants are missing")
        seconds = run(database)
        _see(database, fleet, self.schemas, expected)
        self._see_rows(database)
        self._remove(database)
        return seconds

    def _remove(self, database: Database) -> None:
        for schema in self.schemas:
            database.execute(f"DROP SCHEMA {schema} CASCADE")
        database.execute("DELETE FROM tenants_domain WHERE domain LIKE 'new\\_%'")
        database.execute("DELETE FROM tenants_client WHERE schema_name LIKE 'new\\_%'")
        database.execute(f"VACUUM {_CATALOG}")

    def _empty(self, database: Database, schema: str) -> None:
        """Nobody makes new tenants from one that has rows of its own: whoever copies has nothing but tables to copy."""
        tables = ", ".join(f"{schema}.{app}_group" for app in BUSINESS.apps)
        database.execute(f"TRUNCATE {tables} CASCADE")

    def _see_rows(self, database: Database) -> None:
        rows = database.query(
            "SELECT c.schema_name, c.name, d.domain, d.is_primary FROM tenants_client c"
            " JOIN tenants_domain d ON d.tenant_id = c.id WHERE c.schema_name LIKE 'new\\_%' ORDER BY 1"
        )
        if rows != [(schema, schema, f"{schema}.example", True) for schema in self.schemas]:
            raise NotDone(f"the rows and domains of the new tenants are {rows[:3]} …")

    def by_module(self, database: Database) -> float:
        return sides.create_by_module(self.kit.bench, database, self.directory, self.schemas)[0]

    def by_agent(self, database: Database) -> float:
        return sides.create_by_agent(self.kit.bench, database, self.directory, self.schemas).working

    def by_save(self, database: Database) -> float:
        return sides.create_by_save(self.kit.bench, database, self.directory, self.schemas)

    def by_clone(self, database: Database) -> float:
        base = server.schema_name(1)
        return sides.create_by_clone(self.kit.bench, database, self.directory, base, self.schemas)

    def by_floor(self, database: Database) -> float:
        statements, _expected = self._reference
        rows = sides.rows_script(self.kit.bench.seed(BUSINESS).database)
        scripts = [sides.create_script(schema, statements, rows) for schema in self.schemas]
        return server.run_scripts(database, scripts)


def create(kit: Kit) -> None:
    new = NewTenants(kit, kit.tenants(500))
    runs = {
        "module": new.by_module,
        "agent": new.by_agent,
        "floor": new.by_floor,
        "clone_schema": new.by_clone,
        "save()": new.by_save,
    }
    with new.prepared() if kit.lacks("fleet", 5) else contextlib.nullcontext() as database:
        sides_ = {side: functools.partial(new.create, database, run) for side, run in runs.items()}
        kit.rounds("fleet", new.tenants, 5, sides_)


# The whole deploy

_INVENTORY = """\
tenancy:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
  vars:
    tenancy_project: {directory}
    tenancy_python: {python}
    tenancy_settings: config.settings
    tenancy_environment:
      DATABASE_URL: "{{{{ lookup('ansible.builtin.env', 'DATABASE_URL') }}}}"
    tenancy_domain: localhost
"""


def deploy(kit: Kit) -> None:
    tenants = kit.tenants(500)
    directory = kit.bench.project(BUSINESS)
    inventory = server.HOME / "inventory.yml"

    def by_playbook(database: Database) -> float:
        inventory.write_text(_INVENTORY.format(directory=directory, python=kit.bench.python), encoding="utf-8")
        started = time.perf_counter()
        done = checkout.ansible_playbook("-i", inventory, "playbooks/deploy.yml", env={"DATABASE_URL": database.url})
        seconds = time.perf_counter() - started
        recap = re.search(r"^localhost +: ok=\d+ +changed=0 +unreachable=0 +failed=0 ", done.stdout, re.MULTILINE)
        if done.returncode or not recap or f"{tenants + 1} schema(s): every table is there" not in done.stdout:
            raise NotDone(f"the deploy says:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
        return seconds

    def by_commands(database: Database) -> float:
        started = time.perf_counter()
        shared = kit.bench.manage(database, directory, "migrate_schemas", "--shared")
        kit.bench.manage(database, directory, "create_missing_schemas")
        each = kit.bench.manage(database, directory, "migrate_schemas", "--tenant")
        seconds = time.perf_counter() - started
        looked = (shared.stdout + each.stdout).count("No migrations to apply")
        if looked != tenants + 1:
            raise NotDone(f"the stock commands looked at {looked} schemas of {tenants + 1}")
        return seconds

    def run(side: Callable[[Database], float]) -> Callable[[], float]:
        return lambda: _nothing(kit.fleet(BUSINESS, tenants), side)

    kit.rounds("fleet", tenants, 3, {"deploy": run(by_playbook), "stock commands": run(by_commands)})


# In the order in which they are measured: what takes long comes last.
GROUPS: dict[str, Callable[[Kit], None]] = {
    "create": create,
    "noop_1000": noop_1000,
    "audit": audit,
    "apply_1000": apply_1000,
    "memory": memory,
    "apply": apply,
    "noop": noop,
    "deploy": deploy,
    "python": python,
    "growth": growth,
}

# The fleets that a group works on, or makes its own of; those that no later group wants may be dropped.
_USUAL = ((BUSINESS, HEAT), (BUSINESS, 500))
_LARGE = (*_USUAL, (BUSINESS, 1000))
FLEETS: dict[str, tuple[tuple[Shape, int], ...]] = {
    **dict.fromkeys(GROUPS, _USUAL),
    **dict.fromkeys(("noop_1000", "apply_1000", "memory"), _LARGE),
    "audit": (*_USUAL, (BUSINESS, 200)),
    "growth": tuple((SMALL, size) for size in (200, 400, 2500, 5000)),
}


def wanted_fleets(names: list[str], scale: float) -> set[tuple[str, int]]:
    """The fleets of some groups, by the name of their shape and the number of tenants."""
    return {(shape.name, scaled(number, scale)) for name in names for shape, number in FLEETS[name]}


def scaled(tenants: int, scale: float) -> int:
    return max(4, round(tenants * scale))
