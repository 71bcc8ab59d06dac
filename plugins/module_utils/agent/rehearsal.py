# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Run the plan where it can do no harm, before anything is written: on a scratch database, or in a transaction that is rolled back."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from . import custom
from .errors import AgentError, OptionProblem, Refusal
from .executor import state_before
from .fingerprint import PARTS, fingerprints, read_part
from .plan import SchemaPlan
from .plan import name as named
from .planning import WHOLE, make_plan
from .purity import impurity
from .rehearsal_plan import Standing, failed_message, standing_for_all, steps
from .scratch import CannotRehearse, scratch_database
from .workers import Lost, Pool

if TYPE_CHECKING:
    from .fleet import Fleet
    from .fleet_run import Limits
    from .graph import Graphs
    from .loading import Context
    from .plan import Plan
    from .rehearsal_run import Assignment, Execute, Result

_FAILURES = 10

# Something is there already (PostgreSQL, Appendix A): a table, a column, another object, a schema, a function.
_THERE = ("42P07", "42701", "42710", "42P06", "42723")
_MADE_TWICE = "Nothing was there before, so another pending migration makes it as well: take it out of one of them."

_EXTENSIONS = "SELECT extname FROM pg_catalog.pg_extension"
# A table without a block has never had a row since it was made or truncated.
_WITH_ROWS = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND (c.relkind = 'p' OR (c.relkind = 'r' AND pg_catalog.pg_relation_size(c.oid) > 0))
"""


def require_known(graphs: Graphs, skip: list[str]) -> None:
    """See that what is to be skipped is there.

    :raises OptionProblem: some are not; they are named.
    """
    known = {named(key) for key in graphs.on_disk}
    unknown = [item for item in skip if item not in known]
    if unknown:
        raise OptionProblem(
            f"rehearse_skip: there is no migration {', '.join(map(repr, unknown))}.", hint="Give them as app.migration."
        )


def rehearse(
    context: Context,
    graphs: Graphs,
    fleet: Fleet,
    plan: Plan,
    options: dict[str, Any],
    limits: Limits,
    execute: Execute,
) -> tuple[dict[str, Any] | None, list[str]]:
    """Rehearse what this run would do, or with ``rehearse_tenants`` the whole deploy, unless there is nothing to do.

    :param options: ``rehearse`` (the method), ``rehearse_rows``, ``rehearse_skip``, ``rehearse_tenants``, ``check``, and those of the run.
    :param execute: what runs plans in a real run.
    :returns: what was rehearsed (None: nothing), and warnings.
    :raises AgentError: something would fail (kind ``rehearsal``), or it can't be rehearsed as was asked. Nothing has been written.
    """
    method = options.get("rehearse") or "none"
    require_known(graphs, options.get("rehearse_skip") or [])
    if method == "none" or (options["check"] and method != "scratch"):
        return None, []
    if method == "rollback":
        return _Rehearsal(context, graphs, fleet, options, limits, execute).roll_back(plan)
    rehearsal = _Rehearsal(context, graphs, fleet, options, limits, execute)
    pending = rehearsal.pending(plan)
    if not pending and not rehearsal.newcomers():
        return None, []
    return rehearsal.on_scratch(pending)


class _Rehearsal:
    def __init__(
        self,
        context: Context,
        graphs: Graphs,
        fleet: Fleet,
        options: dict[str, Any],
        limits: Limits,
        execute: Execute,
    ) -> None:
        self.context, self.graphs, self.fleet, self.options = context, graphs, fleet, options
        self.limits, self.execute = replace(limits, max_failures=None), execute
        self.skip: list[str] = options.get("rehearse_skip") or []
        self.started = time.monotonic()
        self.standings: list[Standing] = []

    def pending(self, plan: Plan) -> list[SchemaPlan]:
        """The schemas with something to apply: this run's, or the whole deploy's."""
        if self.options.get("rehearse_tenants") is None:
            return plan.pending
        states = list(self.fleet.schemas.values())
        return make_plan(self.context, self.graphs, self.fleet, states, {**self.options, **WHOLE}).pending

    def newcomers(self) -> bool:
        """Whether a tenant is declared whose schema is still to be made."""
        if not self.context.tenancy.by_schema:
            # A row without a pending migration is no matter of migrations.
            return False
        declared = self.options.get("rehearse_tenants") or []
        there = {name for name, state in self.fleet.schemas.items() if state.exists} | {self.fleet.public}
        return any(item.get("schema") not in there and item.get("state") != "absent" for item in declared)

    def on_scratch(self, pending: list[SchemaPlan]) -> tuple[dict[str, Any] | None, list[str]]:
        setting = custom.own_command(self.context.tenancy)
        try:
            if setting == "GET_EXECUTOR_FUNCTION":
                raise CannotRehearse(
                    "GET_EXECUTOR_FUNCTION is set, and the project's own executor could start processes that know of the real database only.",
                    notice=True,
                )
            result, notices = self._with_scratch(pending)
        except CannotRehearse as reason:
            return self._without(reason)
        return self._answer("scratch", result, notices)

    def _with_scratch(self, pending: list[SchemaPlan]) -> tuple[Result, list[str]]:
        from .rehearsal_run import Assignment, on_scratch

        context, fleet = self.context, self.fleet
        context.wire.doing("preparing the rehearsal")
        onlookers = self._onlookers(pending)
        structures = self._structures([*pending, *onlookers])
        self.standings = standing_for_all(pending, structures)
        standings = [*self.standings, *standing_for_all(onlookers, structures)]
        copied = list(dict.fromkeys([fleet.public, *(standing.schema for standing in standings)]))
        neighbour = self._neighbour(standings, copied)
        copied += neighbour
        rows_of, extensions = self._facts(copied)
        work = Assignment(self.graphs, steps(self.options), self.limits, self.execute, self.skip, rows_of=rows_of)
        work.rows = self.options.get("rehearse_rows") or 0
        work.stand_ins = self._stand_ins(standings, copied)
        work.bystanders = frozenset(neighbour)
        work.judged = frozenset(state.name for state in fleet.schemas.values() if state.recorded)
        self._render()
        context.wire.doing("making a scratch database to rehearse on")
        with scratch_database(context, copied, work.rows) as scratch:
            result = self._fork(work, lambda: on_scratch(context, scratch, work, extensions))
        return result, scratch.notices

    def _structures(self, pending: list[SchemaPlan]) -> dict[str, str]:
        names = [plan.schema.name for plan in pending]
        if self.context.connection.vendor != "postgresql" or len(names) < 2:
            return {}
        version = self.context.connection.pg_version
        with self.context.connection.cursor() as cursor:
            return fingerprints([read_part(cursor, part, names, version) for part in PARTS])

    def _facts(self, copied: list[str]) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
        """Which tables of the copied schemas hold rows that are not copied for sure, and the extensions."""
        if self.context.connection.vendor != "postgresql":
            return {}, frozenset()
        from .scratch_rows import ALWAYS

        complete = {*ALWAYS, *self.context.tenancy.tables}
        rows_of: dict[str, frozenset[str]] = {}
        with self.context.connection.cursor() as cursor:
            cursor.execute(_WITH_ROWS, [copied])
            for schema, table in cursor.fetchall():
                if table not in complete:
                    rows_of[schema] = rows_of.get(schema, frozenset()) | {table}
            cursor.execute(_EXTENSIONS)
            return rows_of, frozenset(name for (name,) in cursor.fetchall())

    def _onlookers(self, pending: list[SchemaPlan]) -> list[SchemaPlan]:
        """Tenants that this run does not touch, but that Python in its migrations may enter."""
        if not any(self._runs_python(plan) for plan in pending):
            return []
        touched = {plan.schema.name for plan in pending}
        states = [state for state in self.fleet.tenant_schemas if state.exists and state.name not in touched]
        return [SchemaPlan(state) for state in states]

    def _runs_python(self, plan: SchemaPlan) -> bool:
        nodes = self.graphs.for_recorded(plan.schema.recorded).graph.nodes
        return any(impurity(nodes[key]) for key in plan.migrations)

    def _neighbour(self, standings: list[Standing], copied: list[str]) -> list[str]:
        """Another tenant's schema where only one is copied and there are more: what looks a table up by its bare name finds several."""
        if len(copied) > 2:
            return []
        return [name for standing in standings for name in standing.names if name not in copied][:1]

    def _stand_ins(self, standings: list[Standing], copied: list[str]) -> dict[str, str]:
        """The tenants' schemas that are not copied, each with one that is like it, or at least a tenant's too."""
        tenants = [name for name in copied if name != self.fleet.public]
        like = {name: standing.schema for standing in standings for name in standing.names}
        others = [state.name for state in self.fleet.tenant_schemas if state.exists and state.name not in copied]
        return {name: like.get(name, tenants[0] if tenants else "") for name in others}

    def _render(self) -> None:
        """The models as each state has them, rendered once for the rehearsal and the real run."""
        for standing in self.standings:
            # What does not render fails in the rehearsal, with a name.
            with contextlib.suppress(Exception):
                state_before(self.graphs.for_recorded(standing.plan.schema.recorded), standing.plan.applied)

    def _fork(self, work: Assignment, run: Callable[[], Result]) -> Result:
        from .rehearsal_run import Result

        found: list[Any] = []
        self.context.wire.doing("rehearsing")
        with Pool(self.context, 1, lambda task: run()) as pool:
            pool.run([0], lambda task, result: found.append(result))
        result = found[0]
        if isinstance(result, Lost):
            return Result(doubts=[f"The rehearsal did not come to its end: {result}."])
        return result  # type: ignore[no-any-return]

    def _without(self, reason: CannotRehearse) -> tuple[None, list[str]]:
        """There can be no rehearsal on a scratch database."""
        if self.options["rehearse"] == "scratch" and not reason.notice:
            raise AgentError(
                "rehearsal",
                f"Nothing could be rehearsed, so nothing was written: {reason.reason}",
                hint=reason.hint or "With rehearse: auto the run goes on without a rehearsal.",
            )
        return None, [" ".join(filter(None, ["There was no rehearsal.", reason.reason, reason.hint]))]

    def roll_back(self, plan: Plan) -> tuple[dict[str, Any] | None, list[str]]:
        """Run the plan of one schema in a transaction of the real database, and roll it back."""
        from .rehearsal_run import Assignment, in_a_transaction

        context = self.context
        if len(self.options["schemas"]) != 1:
            raise OptionProblem(
                "rehearse: rollback holds locks in the real database, so it wants exactly one schema.",
                hint="Name it with schemas:, or take rehearse: scratch.",
            )
        if context.connection.vendor != "postgresql":
            raise OptionProblem("rehearse: rollback is for PostgreSQL; in others a migration commits on the way.")
        if not plan.pending:
            return None, []
        item = plan.pending[0]
        nodes = self.graphs.for_recorded(item.schema.recorded).graph.nodes
        loose = next((key for key in item.migrations if nodes[key].atomic is False), None)
        setting = custom.own_command(context.tenancy)
        if loose or setting:
            why = f"{named(loose)} is not atomic" if loose else f"{setting} is set"
            raise Refusal(
                f"rehearse: rollback: the plan of {item.schema.name} can't be one transaction, since {why}. Nothing was written.",
                hint="Take rehearse: scratch.",
            )
        self.standings = [Standing(item, (item.schema.name,))]
        work = Assignment(self.graphs, [], self.limits, self.execute, self.skip)
        self._render()
        return self._answer("rollback", self._fork(work, lambda: in_a_transaction(context, item, work)), [])

    def _answer(self, method: str, result: Result, notices: list[str]) -> tuple[dict[str, Any], list[str]]:
        warnings = result.doubts[:_FAILURES]
        if result.doubts[_FAILURES:]:
            warnings.append(f"{len(result.doubts) - _FAILURES} more could not be rehearsed to their end.")
        if result.refused:
            if self._refuses_too(result.refused):
                self._fail(method, result, f"The declared tenants would be refused: {result.refused}")
            warnings.append(f"The declared tenants, and what follows on them, could not be rehearsed: {result.refused}")
        for failure in result.failures:
            standing = next((one for one in self.standings if one.schema == failure["schema"]), None)
            failure["stands_for"] = len(standing.names) if standing else 1
            if failure.get("sqlstate") in _THERE and not self._was_there(failure["schema"]):
                failure["hint"] = _MADE_TWICE
        if result.failures:
            self._fail(method, result, failed_message(result.failures))
        return {**self._details(method, result), "notices": notices, "sql": result.sql}, warnings

    def _was_there(self, schema: str) -> bool:
        return schema in self.fleet.schemas and bool(self.fleet.schemas[schema].recorded)

    def _refuses_too(self, message: str) -> bool:
        """Whether the real database gives the same answer, so that it is not the scratch one's doing."""
        from .ensure_tenants import run as ensure

        try:
            ensure(self.context, {"tenants": self.options["rehearse_tenants"], "check": True, "lock_wait": 0})
        except AgentError as error:
            return str(error) == message
        return False

    def _fail(self, method: str, result: Result, message: str) -> NoReturn:
        raise AgentError("rehearsal", message, rehearsal=self._details(method, result))

    def _details(self, method: str, result: Result) -> dict[str, Any]:
        return {
            "method": method,
            "schemas": [standing.as_reply() for standing in self.standings],
            "migrations": result.migrations,
            "seconds": round(time.monotonic() - self.started, 3),
            "skipped": self.skip,
            "failures": result.failures[:_FAILURES],
            "findings": [],
        }
