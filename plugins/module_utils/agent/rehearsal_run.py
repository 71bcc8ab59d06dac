# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The rehearsal itself, in a forked process that sees the scratch database only: the real run's own code, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Iterable

from .database import first_line, quoted, sqlstate
from .doubt import Circumstances, doubt
from .errors import AgentError
from .fleet import SchemaState, public_schema, read_fleet
from .isolation import isolate, keep_away
from .kinds import schema_kinds
from .loading import Context, reason
from .outcome import Failure, Outcome, Watch
from .planning import WHOLE, choose, make_plan
from .rehearsal_watch import RehearsalWatch
from .stand_ins import StandIns

if TYPE_CHECKING:
    from .fleet_run import Limits
    from .graph import Graphs
    from .plan import SchemaPlan
    from .scratch import Scratch

Execute = Callable[..., "list[Outcome]"]

# The schema of a tenant that nobody has declared.
_NEWCOMER = "tenancy_newcomer"


@dataclass
class Assignment:
    """What a rehearsal goes through, made before the process is forked.

    :param steps: see :func:`rehearsal_plan.steps`.
    :param stand_ins: the schemas that are not copied, each with the one that stands for it.
    :param skip: migrations whose Python is not run.
    :param rows: how many rows of a table are copied at most.
    :param judged: the schemas that are there; what runs in them is kept for those who judge SQL.
    :param bystanders: the schemas that are copied to be there, and not migrated.
    :param rows_of: by schema, the tables that hold rows in the real database which the scratch one may lack.
    :param execute: what runs plans in a real run.
    """

    graphs: Graphs
    steps: list[tuple[str, dict[str, Any]]]
    limits: Limits
    execute: Execute
    skip: list[str]
    rows: int = 0
    judged: frozenset[str] = frozenset()
    bystanders: frozenset[str] = frozenset()
    stand_ins: dict[str, str] = field(default_factory=dict)
    rows_of: dict[str, frozenset[str]] = field(default_factory=dict)
    missing_extensions: frozenset[str] = frozenset()
    notices: list[str] = field(default_factory=list)


class Quiet:
    """The wire as a rehearsal has it: what is being done is told, but nothing counts as done."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def doing(self, phase: str) -> None:
        self._wire.doing(f"rehearsing: {phase}")

    def event(self, name: str, **values: object) -> None:
        return None


@dataclass
class Result:
    """What a rehearsal found. Plain values: it travels between processes."""

    failures: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    migrations: int = 0
    sql: dict[str, list[str]] = field(default_factory=dict)
    # Why the declared tenants were refused, which only the real database can confirm.
    refused: str | None = None

    def take(self, failure: dict[str, Any], seen: Circumstances) -> None:
        why = doubt(failure, seen)
        if why is None:
            self.failures.append(failure)
            return
        what = " of ".join(filter(None, (failure.get("migration"), failure["schema"])))
        said = str(failure["message"]).rstrip(".")
        self.doubts.append(f"{what} could not be rehearsed to its end: {said}. Perhaps only because {why}.")


def on_scratch(context: Context, scratch: Scratch, work: Assignment, extensions: frozenset[str]) -> Result:
    """Go through the steps on a scratch database. Never raises: what can't be gone through is a doubt.

    :param extensions: those of the real database.
    """
    from django.db import connections

    result = Result()
    try:
        isolate(context.alias, scratch.settings())
        own = Context(Quiet(context.wire), context.tenancy, connections[context.alias])  # type: ignore[arg-type]
        work.notices = list(scratch.notices)
        work.missing_extensions = extensions - _extensions(own)
        work.rows_of = _without_complete(own, work.rows_of, work.rows)
        _Rehearsal(own, work, result).run()
    except BaseException as error:
        # Our own steps around the migrations: what fails there says little of the real database.
        told = first_line(error) if sqlstate(error) or isinstance(error, AgentError) else reason(error)
        result.doubts.append(f"The rehearsal did not come to its end: {told}")
    return result


def _extensions(context: Context) -> frozenset[str]:
    if context.connection.vendor != "postgresql":
        context.connection.ensure_connection()
        return frozenset()
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_catalog.pg_extension")
        return frozenset(name for (name,) in cursor.fetchall())


def _without_complete(context: Context, rows_of: dict[str, frozenset[str]], rows: int) -> dict[str, frozenset[str]]:
    """The tables less those of which all rows are here, since there are fewer than were asked for."""
    if not rows:
        return rows_of
    found: dict[str, frozenset[str]] = {}
    with context.connection.cursor() as cursor:
        for schema, tables in rows_of.items():
            for table in tables:
                cursor.execute(f"SELECT count(*) FROM {quoted(schema)}.{quoted(table)}")
                if cursor.fetchone()[0] >= rows:
                    found[schema] = found.get(schema, frozenset()) | {table}
    return found


class _Rehearsal:
    def __init__(self, context: Context, work: Assignment, result: Result) -> None:
        self.context, self.work, self.result = context, work, result
        self.seen = Circumstances()
        self.stand_ins: StandIns | None = None

    def run(self) -> None:
        leave_out_python(self.work.graphs, self.work.skip)
        with RehearsalWatch(self.context.connection, self.result.sql) as self.watch:
            steps = {"migrate": self._migrate, "tenants": self._tenants, "newcomer": self._newcomer}
            for kind, options in self.work.steps:
                if not steps[kind](options):
                    return

    def _begin(self, *schemas: str) -> None:
        """What is seen from now on belongs to one schema, or to the declared tenants."""
        self.seen = self.watch.seen = Circumstances(
            missing_extensions=self.work.missing_extensions,
            notices=self.work.notices,
            incomplete=any(self.work.rows_of.values()),
        )
        self.watch.rows_of = frozenset().union(*(self.work.rows_of.get(schema, ()) for schema in schemas))
        if self.stand_ins:
            self.stand_ins.seen = self.seen

    def _migrate(self, options: dict[str, Any]) -> bool:
        """One run of the module; whether what comes after it can be rehearsed too."""
        context, graphs = self.context, self.work.graphs
        fleet = read_fleet(context)
        if context.tenancy.by_schema and self.stand_ins is None:
            names = {name: like for name, like in self.work.stand_ins.items() if name in fleet.schemas}
            self.stand_ins = StandIns(context.connection, names, self.seen)
            self.stand_ins.install()
        chosen = choose(fleet, {**options, "shard": None}, by_schema=context.tenancy.by_schema, planned=set())
        chosen = [state for state in chosen if state.name not in self.work.stand_ins]
        chosen = [state for state in chosen if state.name not in self.work.bystanders]
        plan = make_plan(context, graphs, fleet, chosen, options)
        for item in plan.pending:
            self.watch.keeps_sql = item.schema.name in self.work.judged
            self._begin(fleet.public, item.schema.name)
            outcomes = self.work.execute(context, graphs, [item], self.work.limits)
            self._note(outcomes)
            if item.schema.name == fleet.public and any(outcome.failure for outcome in outcomes):
                return False
        return True

    def _note(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.result.migrations += len(outcome.applied)
            if outcome.failure:
                self.result.take(outcome.failure.as_reply(), self.seen)

    def _newcomer(self, options: dict[str, Any]) -> bool:
        """Where there is no tenant of a type yet, see that one could be made."""
        if self.result.failures:
            # A declared one that failed has told the same.
            return True
        context, graphs = self.context, self.work.graphs
        fleet = read_fleet(context)
        for kind in schema_kinds(context, fleet):
            if kind.public or any(kind.has(state, fleet) for state in fleet.tenant_schemas):
                continue
            self._begin(fleet.public)
            self.watch.keeps_sql = False
            with context.connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {quoted(_NEWCOMER)}")
            state = SchemaState(_NEWCOMER, exists=True, type=kind.type)
            plan = make_plan(context, graphs, fleet, [state], {**options, **WHOLE})
            for outcome in self.work.execute(context, graphs, plan.pending, self.work.limits):
                self._note_newcomer(outcome)
            with context.connection.cursor() as cursor:
                cursor.execute(f"DROP SCHEMA {quoted(_NEWCOMER)} CASCADE")
        return True

    def _note_newcomer(self, outcome: Outcome) -> None:
        self.result.migrations += len(outcome.applied)
        if not outcome.failure:
            return
        failure = {**outcome.failure.as_reply(), "schema": "a new tenant"}
        if failure["sqlstate"]:
            self.result.take(failure, self.seen)
        else:
            self.result.doubts.append(
                f"{failure['migration']} of a new tenant could not be rehearsed to its end: {str(failure['message']).rstrip('.')}."
                " Perhaps only because nobody has declared one, so that it has no row."
            )

    def _tenants(self, options: dict[str, Any]) -> bool:
        from .ensure_tenants import run as ensure

        declared = options["rehearse_tenants"]
        if not declared:
            return True
        self._begin(public_schema(self.context))
        self.watch.keeps_sql = False
        # The schemas of those that are there are rehearsed with the fleet.
        tenants = [
            {**item, "migrate": False} if item.get("schema") in self.work.stand_ins else dict(item) for item in declared
        ]
        try:
            reply = ensure(self.context, {"tenants": tenants, "check": False, "lock_wait": 60})
        except AgentError as error:
            self.result.refused = str(error)
            return False
        failed = [line for line in reply["tenants"] if line["state"] == "failed"]
        for line in failed:
            self.result.take(
                {**Failure(line["tenant"], "").as_reply(), **line["error"], "schema": line["tenant"]}, self.seen
            )
        self.result.migrations += sum(
            len(line["migrations"]) for line in reply["tenants"] if line["state"] in ("created", "updated")
        )
        return not failed or self.context.tenancy.by_schema


def leave_out_python(graphs: Graphs, names: Iterable[str]) -> None:
    """Take the Python out of migrations; their other operations stay."""
    on_disk = graphs.on_disk
    for name in names:
        app, _point, migration = name.partition(".")
        for operation in _flat(on_disk[app, migration].operations):
            operation.database_forwards = _do_nothing


def _flat(operations: Iterable[Any]) -> Iterable[Any]:
    from django.db.migrations import RunPython

    for operation in operations:
        if isinstance(operation, RunPython):
            yield operation
        yield from _flat(getattr(operation, "database_operations", ()))


def _do_nothing(*args: object) -> None:
    return None


def in_a_transaction(context: Context, plan: SchemaPlan, work: Assignment) -> Result:
    """Run one schema's plan in the real database, in one transaction that is rolled back."""
    from django.db import transaction

    from .executor import run_plan, watched
    from .replay import local_limits

    keep_away(context.alias)
    leave_out_python(work.graphs, work.skip)
    result = Result()
    watch = Watch(plan.schema.name, context.connection)
    loader = work.graphs.for_recorded(plan.schema.recorded)

    def run() -> None:
        with transaction.atomic(using=context.alias):
            with context.connection.cursor() as cursor:
                for limit in local_limits(work.limits.lock_timeout or 5, work.limits.statement_timeout):
                    cursor.execute(limit)
            run_plan(context, plan, loader, watch)
            with context.connection.cursor() as cursor:
                # What a commit would look at.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True, using=context.alias)

    with RehearsalWatch(context.connection, result.sql) as seen:
        seen.keeps_sql = True
        outcome = watched(context, watch, run)
    result.migrations = len(outcome.applied)
    if outcome.failure:
        result.take(outcome.failure.as_reply(), seen.seen)
    return result
