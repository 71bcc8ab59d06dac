# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Migrate a fleet: cohorts of schemas that are alike, each compiled once and replayed, the rest through Django, in parallel."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping

from . import custom
from .cohorts import Cohort, Look, by_record, gathered, last_looks, look, looks, split
from .compiler import Compiled, can_be_held, compile_first, migrate_quickly, routing
from .crew import Crew
from .database import RETRYABLE, sqlstate
from .executor import migrate_schema, state_before, watched
from .fleet import RECORDER_TABLE, read_recorders
from .outcome import Failure, Outcome, Watch
from .permissions import read_digests
from .plan import SchemaPlan
from .replay import local_limits, replay_whole, run_mixed, time_limits
from .structure import read_tables
from .workers import Lost, Pool, default_size

if TYPE_CHECKING:
    from .graph import Graphs
    from .loading import Context

# Smaller cohorts gain nothing from being compiled: their schemas go through Django, in parallel.
_SMALLEST_COHORT = 3


@dataclass(frozen=True)
class Limits:
    """How a run behaves: processes, seconds to wait for a lock and for a statement (0: the server's own), tries, and when to stop."""

    executor: str = "auto"
    workers: int = 0
    lock_timeout: float = 0
    statement_timeout: float = 0
    retries: int = 3
    max_failures: str | None = None
    fake_initial: bool = False


@dataclass(frozen=True)
class Task:
    """One schema on its way through the workers: its place in the list that they all have, and how often it was tried.

    ``alone`` says why it can't have the SQL of its cohort, ``refused`` what the server said to it.
    """

    number: int
    tries: int = 0
    alone: str | None = None
    refused: str | None = None


def allowed_failures(setting: str | None, schemas: int) -> int | None:
    """How many schemas may fail before a run stops: a number, or a percentage of all; None for any number. Pure."""
    if setting is None or setting == "":
        return None
    if setting.endswith("%"):
        return int(float(setting[:-1]) * schemas / 100)
    return int(setting)


def migrate_fleet(
    context: Context,
    graphs: Graphs,
    plans: list[SchemaPlan],
    limits: Limits,
    on_outcome: Callable[[Outcome], None],
    kinds: Callable[[], dict[str, str]] = dict,
) -> list[Outcome]:
    """Bring schemas to their plans. One that fails does not stop the others, up to ``max_failures``.

    :param plans: the plans of schemas that exist: the public one by itself, or tenants'.
    :param on_outcome: called with each schema's outcome as it ends.
    :param kinds: gives the digests of content types and permissions that have been read already, by schema.
    :returns: an outcome for each schema that was begun.
    """
    run = _Run(context, graphs, limits, on_outcome, kinds, len(plans))
    if len(plans) < 2 or context.connection.vendor != "postgresql":
        for plan in plans:
            if not run.stopped():
                run.begin(plan.schema.name)
                run.note(run.alone(plan))
        return run.outcomes
    cohorts = [Cohort([plan]) for plan in plans] if run.why_django else by_record(plans)
    while cohorts and not run.stopped():
        for cohort in cohorts:
            run.compile(cohort)
        # What turns out not to be like the first of its cohort is a cohort of its own.
        cohorts = run.work(cohorts)
    return run.outcomes


def _went_well(value: Any) -> bool:
    return not isinstance(value, Outcome) or value.failure is None


def _pause(tries: int) -> float:
    """Seconds to wait before another try: whoever held the lock may need a moment."""
    return min(0.1 * (1 << tries), 2.0)


class _Run:
    """One run over a fleet: what all its steps share."""

    def __init__(
        self,
        context: Context,
        graphs: Graphs,
        limits: Limits,
        on_outcome: Callable[[Outcome], None],
        kinds: Callable[[], dict[str, str]],
        total: int,
    ) -> None:
        self.context, self.graphs, self.limits = context, graphs, limits
        self.on_outcome, self.kinds = on_outcome, kinds
        self.allowed = allowed_failures(limits.max_failures, total)
        self.outcomes: list[Outcome] = []
        self.failures = 0
        # Set before workers are forked, so that tasks need not carry them.
        self.queue: list[tuple[SchemaPlan, Compiled | None]] = []
        self.compiled: list[Compiled | None] = []
        self.why_django = self._why_django()

    def _why_django(self) -> str | None:
        """Why every schema has to go through Django, where it has."""
        if self.limits.executor == "django":
            return "executor: django"
        setting = custom.own_command(self.context.tenancy)
        if setting:
            return f"{setting} is set"
        return "fake_initial" if self.limits.fake_initial else None

    def note(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.failures += outcome.failure is not None
        self.on_outcome(outcome)

    def begin(self, schema: str) -> None:
        """Say that a schema is being worked on, for those who watch."""
        self.context.wire.event("begun", schema=schema)

    def stopped(self) -> bool:
        return self.allowed is not None and self.failures > self.allowed

    def alone(self, plan: SchemaPlan) -> Outcome:
        """One schema through Django, tried again like any other if it does not get its locks."""
        loader = self.graphs.for_recorded(plan.schema.recorded)
        quickly = not self.why_django and can_be_held(self.context, plan, loader)
        self._set_limits()
        outcome = migrate_quickly(self.context, plan, loader) if quickly else self.in_django(plan, None)
        for tries in range(1, self.limits.retries + 1):
            if not outcome.failure or outcome.failure.sqlstate not in RETRYABLE:
                break
            time.sleep(_pause(tries))
            applied = outcome.applied
            outcome = self._limited_django(self._plan_again(plan), None)
            outcome.applied = applied + outcome.applied
        return outcome

    def in_django(self, plan: SchemaPlan, because: str | None) -> Outcome:
        loader = self.graphs.for_recorded(plan.schema.recorded)
        outcome = migrate_schema(self.context, plan, loader, self.limits.fake_initial)
        outcome.because = because or self.why_django
        return outcome

    def _size(self, tasks: int) -> int:
        return min(self.limits.workers, tasks) if self.limits.workers else default_size(tasks)

    def compile(self, cohort: Cohort) -> None:
        """Run the plan in the first schema that takes it, and keep what the others get."""
        for _attempt in range(2):
            if self.why_django or len(cohort.plans) < _SMALLEST_COHORT or self.stopped():
                return
            plan = cohort.plans.pop(0)
            self.begin(plan.schema.name)
            self.context.wire.doing(
                f"migrating {plan.schema.name}, the first of {len(cohort.plans) + 1} schemas that are alike"
            )
            self._set_limits()
            kinds = read_digests(self.context.connection, [plan.schema.name])[plan.schema.name]
            outcome, compiled = compile_first(self.context, plan, self.graphs.for_recorded(plan.schema.recorded))
            if outcome.failure and outcome.failure.sqlstate in RETRYABLE:
                # Its turn comes again, after the others.
                cohort.plans.append(plan)
                continue
            outcome.because = "it is the first of its cohort, whose SQL the others get"
            self.note(outcome)
            if compiled:
                cohort.compiled, cohort.kinds = compiled, kinds
                return

    def work(self, cohorts: list[Cohort]) -> list[Cohort]:
        """Bring the schemas to their plans; returned are cohorts of those that are not like the first of theirs."""
        self.queue = [(plan, cohort.compiled) for cohort in cohorts for plan in cohort.plans]
        if not self.queue or self.stopped():
            return []
        self.compiled = [cohort.compiled for cohort in cohorts]
        with self._crew() as crew:
            tasks, unlike = self._compared(crew, cohorts)
            self.context.wire.doing(f"migrating {len(tasks)} schemas")
            if all(map(self._is_replay, tasks)):
                tasks = self._replayed(crew, tasks)
            if not tasks:
                self._prove(crew, cohorts)
        if tasks and not self.stopped():
            self._run_in_processes(tasks)
            with self._crew() as crew:
                self._prove(crew, cohorts)
        return unlike

    def _crew(self) -> Crew:
        return Crew(self.context, self._size(len(self.queue)), self._by_sql, lambda value: not _went_well(value))

    def _compared(self, crew: Crew, cohorts: list[Cohort]) -> tuple[list[Task], list[Cohort]]:
        """What is to be done in each schema, and cohorts of those that are not like the first of theirs."""
        place = {plan.schema.name: number for number, (plan, _compiled) in enumerate(self.queue)}
        known = self.kinds()
        tasks: list[Task] = []
        unlike: list[Cohort] = []
        for number, cohort in enumerate(cohorts):
            compiled = cohort.compiled
            # Where all goes through Django, nobody has to be like the first.
            if compiled is not None and not compiled.because and cohort.plans:
                self.context.wire.doing("comparing the structure of the schemas")
                schemas = [plan.schema.name for plan in cohort.plans]
                unknown = [name for name in schemas if name not in known]
                seen = self._look(crew, number, looks(compiled, schemas, unknown, crew.size), known)
                for plans in split(cohort, seen):
                    if len(plans) < _SMALLEST_COHORT:
                        because = f"it is not like {compiled.first}, whose SQL the others get"
                        tasks += [Task(place[plan.schema.name], alone=because) for plan in plans]
                    else:
                        unlike.append(Cohort(plans))
            tasks += [Task(place[plan.schema.name]) for plan in cohort.plans]
        return sorted(tasks, key=lambda task: task.number), unlike

    def _look(
        self, crew: Crew, number: int, wanted: list[Look], kinds: Mapping[str, str]
    ) -> dict[str, dict[str, object]]:
        """What is to be seen of schemas of a cohort, with the kinds that are known."""
        results: list[tuple[Look, Any]] = []
        crew.run([(number, one) for one in wanted], lambda task, seen: results.append((task[1], seen)))
        return gathered(results, kinds)

    def _is_replay(self, task: Task) -> bool:
        """Whether it takes nothing but SQL: no code of the project's, nor any of Django's."""
        compiled = self.queue[task.number][1]
        return compiled is not None and compiled.replayed_whole and not compiled.asked and not task.alone

    def _replayed(self, crew: Crew, tasks: list[Task]) -> list[Task]:
        """Replay what can be; returned are the tasks of schemas that refused it, and those that were not begun."""
        refused: list[Task] = []

        def done(task: Task, outcome: Outcome) -> Task | None:
            again = self._done(task, outcome)
            if again and again.refused:
                refused.append(again)
                return None
            return again

        def stop() -> bool:
            return self.allowed is not None and self.failures + len(refused) > self.allowed

        return refused + crew.run(tasks, done, stop, self._begin)

    def _run_in_processes(self, tasks: list[Task]) -> None:
        for task in tasks:
            plan, compiled = self.queue[task.number]
            if task.alone or compiled is None or not compiled.replayed_whole:
                # Rendered before the fork, so that the workers share it.
                state_before(self.graphs.for_recorded(plan.schema.recorded), plan.applied)
        with Pool(self.context, self._size(len(tasks)), self._migrate) as pool:
            pool.run(tasks, self._done, self.stopped, self._begin)

    def _begin(self, task: Task) -> None:
        self.begin(self.queue[task.number][0].schema.name)

    def _done(self, task: Task, outcome: Any) -> Task | None:
        schema = self.queue[task.number][0].schema.name
        if isinstance(outcome, Lost):
            outcome = Outcome(
                schema,
                failure=Failure(
                    schema, f"{outcome}.".capitalize(), hint="Run it again; what was committed is recorded."
                ),
            )
        failure = outcome.failure
        if failure and failure.sqlstate in RETRYABLE and task.tries < self.limits.retries:
            return replace(task, tries=task.tries + 1)
        if failure and failure.sqlstate not in RETRYABLE and outcome.executed == "replayed":
            return replace(task, refused=failure.message.splitlines()[0])
        self.note(outcome)
        return None

    def _by_sql(self, context: Context, task: Any) -> Any:
        """In a thread of a crew: a look, or a replay."""
        if isinstance(task, Task):
            if task.tries:
                # The others have gone first already.
                time.sleep(_pause(task.tries))
            plan, compiled = self.queue[task.number]
            return self._replay(context, plan, compiled) if compiled else None
        number, one = task
        compiled = self.compiled[number]
        return look(context.connection, compiled, one) if compiled else {}

    def _migrate(self, task: Task) -> Outcome:
        """In a worker process: one schema, as far as it gets."""
        plan, compiled = self.queue[task.number]
        if task.refused:
            return self._explain(plan, task.refused)
        if task.tries:
            # The others have gone first already.
            time.sleep(_pause(task.tries))
            plan = self._plan_again(plan)
        if task.alone:
            return self._limited_django(plan, task.alone)
        if compiled is None or compiled.because or len(plan.migrations) < len(compiled.units):
            return self._limited_django(plan, compiled.because if compiled else None)
        if compiled.asked and routing(self.context, plan.schema, compiled.asked) != compiled.routing:
            return self._limited_django(plan, "the project's routers decide otherwise than for the first of the cohort")
        if compiled.replayed_whole:
            return self._replay(self.context, plan, compiled)
        self._set_limits()
        watch = Watch(plan.schema.name, self.context.connection)
        outcome = watched(
            self.context, watch, lambda: run_mixed(self.context, compiled, plan.schema, watch, self._local_limits())
        )
        outcome.because = compiled.reason
        failure = outcome.failure
        if failure and failure.migration is None and failure.sqlstate not in RETRYABLE:
            again = self._explain(plan, failure.message.splitlines()[0])
            again.applied = outcome.applied + again.applied
            again.replayed |= outcome.replayed
            return again
        return outcome

    def _local_limits(self) -> list[str]:
        return local_limits(self.limits.lock_timeout, self.limits.statement_timeout)

    def _replay(self, context: Context, plan: SchemaPlan, compiled: Compiled) -> Outcome:
        from django.db import Error

        connection = context.connection
        try:
            connection.ensure_connection()
            return replay_whole(context, compiled, plan.schema, self._local_limits())
        except (connection.Database.Error, Error) as error:
            if connection.connection is not None and not connection.is_usable():
                connection.close()
            failure = Failure(plan.schema.name, str(error), sqlstate=sqlstate(error))
            return Outcome(plan.schema.name, failure=failure, executed="replayed")

    def _explain(self, plan: SchemaPlan, refused: str) -> Outcome:
        """Run what is left through Django: a script does not tell which of its migrations failed, and Django keeps those before it."""
        outcome = self._limited_django(self._plan_again(plan), None)
        outcome.because = f"the replay was refused: {refused}"
        return outcome

    def _plan_again(self, plan: SchemaPlan) -> SchemaPlan:
        """The plan less what is recorded by now."""
        name, connection = plan.schema.name, self.context.connection
        recorded = plan.schema.recorded
        if RECORDER_TABLE in read_tables(connection, [name])[name]:
            recorded = read_recorders(connection, [name])[name]
        migrations = tuple(key for key in plan.migrations if key not in recorded)
        return SchemaPlan(
            replace(plan.schema, recorded=recorded), migrations, self.graphs.applied(recorded), plan.to_record
        )

    def _limited_django(self, plan: SchemaPlan, because: str | None) -> Outcome:
        self._set_limits()
        return self.in_django(plan, because)

    def _set_limits(self) -> None:
        """Set the time limits for the session, where Django runs the statements and the session is our own."""
        if self.context.pooled or self.context.connection.vendor != "postgresql":
            return
        with self.context.connection.cursor() as cursor:
            for limit in time_limits(self.limits.lock_timeout, self.limits.statement_timeout):
                cursor.execute(f"SET {limit}")

    def _prove(self, crew: Crew, cohorts: list[Cohort]) -> None:
        """After the run each cohort must be alike again; a schema that is not is a failure with a name.

        Where Python ran, it may have done to each schema what its rows asked for.
        """
        by_schema = {outcome.schema: outcome for outcome in self.outcomes}
        for number, cohort in enumerate(cohorts):
            compiled = cohort.compiled
            if compiled is None or not compiled.replayed_whole:
                continue
            names = [plan.schema.name for plan in cohort.plans]
            done = [name for name in names if name in by_schema and not by_schema[name].failure]
            if not done:
                continue
            self.context.wire.doing("proving that the schemas are alike")
            seen = self._look(crew, number, last_looks(compiled, [compiled.first, *done], crew.size), {})
            for name in done:
                if seen.get(name) != seen.get(compiled.first):
                    by_schema[name].failure = Failure(
                        name,
                        f"After the run the structure of {name} differs from that of {compiled.first}, although both had the same plan.",
                        hint="Compare the two, for example with pg_dump --schema-only -n. executor: django runs each schema by itself.",
                    )


def grouped_reasons(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many schemas went through Django, by the reason. Pure."""
    return dict(Counter(outcome.because for outcome in outcomes if outcome.executed == "django" and outcome.because))
