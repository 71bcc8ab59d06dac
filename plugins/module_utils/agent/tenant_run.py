# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Take the steps of tenants: one after the other, but new ones that are alike side by side, with SQL that is made once."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from .compiler import Compiled, is_sql_alone
from .database import first_line, sqlstate
from .errors import AgentError
from .fields import ForeignRow
from .fleet import in_public
from .new_schemas import NewSchemas
from .schemas import BuildFailed
from .unsent import Part, compiled_of, stretches, take_down
from .workers import Lost, Pool, default_size
from .writing import Builder, apply

if TYPE_CHECKING:
    from .graph import Graphs
    from .loading import Context
    from .plan import SchemaPlan
    from .tenants import Work

# For fewer the processes that make their SQL cost more than they save.
_ENOUGH_TO_PLAN_FIRST = 3


@contextmanager
def all_applied(context: Context, graphs: Graphs | None, works: list[Work]) -> Iterator[None]:
    """Take the steps of all tenants that have any; what fails is kept with its tenant. Inside all is done, and workers are ending.

    :param graphs: the tenants' migrations; None under row tenancy.
    """
    todo = [work for work in works if work.steps and not work.error]
    new_schemas = NewSchemas(context, graphs) if graphs else None
    told = _Told(context, len(todo))
    alike: dict[str | None, list[tuple[Work, SchemaPlan]]] = {}
    for work in todo:
        if new_schemas and work.plan and _is_new_by_itself(work):
            alike.setdefault(work.plan.schema.type, []).append((work, work.plan))
        else:
            _ensure(context, new_schemas, work, told)
    with ExitStack() as pools:
        if new_schemas:
            for new in alike.values():
                _NewTenants(context, new_schemas, [work for work, _plan in new], new[0][1], told).create(pools)
        yield


class _Told:
    """Says of each tenant that it is begun, and how it ended."""

    def __init__(self, context: Context, total: int) -> None:
        self.wire, self.total, self.done = context.wire, total, 0
        self.wire.event("work", of=total)

    @property
    def left(self) -> int:
        return self.total - self.done

    def begun(self, work: Work) -> None:
        self.wire.event("begun", tenant=work.desired.label)

    def ended(self, work: Work) -> None:
        self.done += 1
        failed = work.error is not None
        self.wire.event("tenant", tenant=work.desired.label, number=self.done, of=self.total, failed=failed)


def _is_new_by_itself(work: Work) -> bool:
    """Whether a tenant is new, and making it makes no row that another may want to make as well."""
    values = [*work.steps.values.values(), *(new for old, new in work.steps.changes.values())]
    return work.steps.create and work.steps.make_schema and not any(isinstance(value, ForeignRow) for value in values)


class _Stretch(NamedTuple):
    """The migrations of a plan from one number to before another."""

    start: int
    end: int


class _NewTenants:
    """New tenants of one type: their empty schemas all get the same."""

    def __init__(
        self, context: Context, new_schemas: NewSchemas, works: list[Work], plan: SchemaPlan, told: _Told
    ) -> None:
        self.context, self.new_schemas, self.works, self.plan, self.told = context, new_schemas, works, plan, told
        self.loader = new_schemas.graphs.for_recorded(plan.schema.recorded)

    def create(self, pools: ExitStack) -> None:
        """Create them all.

        :param pools: waits for the workers to end.
        """
        numbers = list(range(len(self.works)))
        if len(numbers) >= _ENOUGH_TO_PLAN_FIRST and is_sql_alone(self.context, self.plan, self.loader):
            pool = pools.enter_context(self._pool(len(numbers)))
            if self._planned(pool):
                self._side_by_side(pool, numbers)
                return
            pool.dismiss()
        # Where Django has to see the schema, it does in the first that takes the plan.
        while numbers and not self.new_schemas.compiled(self.plan.schema.type):
            _ensure(self.context, self.new_schemas, self.works[numbers.pop(0)], self.told)
        if numbers:
            self._side_by_side(pools.enter_context(self._pool(len(numbers))), numbers)

    def _pool(self, tenants: int) -> Pool:
        return Pool(self.context, default_size(tenants), self._work)

    def _work(self, task: Any) -> Any:
        """In a worker process."""
        if isinstance(task, _Stretch):
            return take_down(self.context, self.plan, self.loader, task.start, task.end)
        if isinstance(task, Compiled):
            return self.new_schemas.learn(self.plan.schema.type, task)
        take_steps(self.context, self.new_schemas, self.works[task])
        return self.works[task].error

    def _planned(self, pool: Pool) -> bool:
        """Have the processes make the SQL of the plan, each a part, and know all of it."""
        self.context.wire.doing(f"planning the schemas of {len(self.works)} new tenants")
        parts: dict[_Stretch, Part | None] = {}

        def keep(stretch: _Stretch, part: Any) -> None:
            parts[stretch] = part if isinstance(part, Part) else None

        pool.run([_Stretch(*ends) for ends in stretches(self.loader, self.plan, pool.size)], keep)
        compiled = compiled_of(self.context, self.plan, self.loader, [parts[stretch] for stretch in sorted(parts)])
        if compiled is None:
            return False
        # Also for a process that takes the place of one that is lost.
        self.new_schemas.learn(self.plan.schema.type, compiled)
        # All are idle, so that each gets one.
        pool.run([compiled] * pool.size, lambda _compiled, _nothing: None)
        return True

    def _side_by_side(self, pool: Pool, numbers: list[int]) -> None:
        self.context.wire.doing(f"ensuring {len(numbers)} new tenants")
        pool.run(numbers, self._ended, on_begin=lambda number: self.told.begun(self.works[number]))
        pool.dismiss()

    def _ended(self, number: int, error: Any) -> None:
        from django.db import Error

        if isinstance(error, Lost):
            error = {"message": f"{error}.".capitalize(), "hint": "Run it again; what is missing is completed."}
        self.works[number].error = error
        self.told.ended(self.works[number])
        if self.told.left == 1:
            # A processor has nothing to do, and what was written is read back next. If it fails, it does so again there.
            with suppress(Error):
                self.context.connection.ensure_connection()


def _ensure(context: Context, new_schemas: NewSchemas | None, work: Work, told: _Told) -> None:
    context.wire.doing(f"ensuring the tenant {work.desired.label}")
    told.begun(work)
    take_steps(context, new_schemas, work)
    told.ended(work)


def take_steps(context: Context, new_schemas: NewSchemas | None, work: Work) -> None:
    """One tenant; what fails is kept with it, and the others go on."""
    from django.core.exceptions import ValidationError

    builder = Builder(context, new_schemas, work.plan if work.steps.builds_schema else None)
    try:
        with in_public(context):
            apply(context, builder, work.desired, work.current, work.steps)
    except BuildFailed as failed:
        work.error = failed.failure.as_reply()
    except AgentError as refused:
        work.error = {"message": str(refused), **refused.details}
    except ValidationError as error:
        work.error = {"message": "The model refuses it: " + " ".join(error.messages)}
    except Exception as error:
        work.error = {"message": f"{type(error).__name__}: {first_line(error)}", "sqlstate": sqlstate(error)}
    if work.error:
        left = (
            "Nothing of this tenant was written."
            if builder.in_one_transaction
            else "Its migrations can't share a transaction, so what was done before this stays; once it is mended, the same task completes the tenant."
        )
        work.error["hint"] = f"{work.error.get('hint') or ''} {left}".strip()
    if work.error and not context.connection.in_atomic_block and not context.connection.is_usable():
        # The server has ended the session; the next tenant gets one of its own.
        context.connection.close()
    if context.tenancy.by_schema:
        context.connection.set_schema_to_public()
