# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The SQL of a plan for an empty schema, as Django makes it, with nothing sent: so several processes can each make a part of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Sequence

from . import permissions
from .capture import CapturingWatch, NotHeld, Unit
from .compiler import Compiled, capturing_executor, note_plan
from .executor import own_operations, recorder_class
from .folding import folded
from .graph import models_after
from .lean_state import lean
from .path_once import sets_path
from .purity import statement_kind
from .signals import hears, send_signal
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    from .loading import Context
    from .plan import SchemaPlan

# With fewer migrations in a part, a process has more to do to get there than in it.
_SMALLEST_PART = 15
_SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ")


@dataclass
class Part:
    """What a stretch of a plan sends; the last also says which content types and permissions it leaves."""

    prelude: list[str] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    kinds: permissions.Kinds = field(default_factory=permissions.Kinds)


class UnsentWatch(CapturingWatch):
    """Keeps the statements, and sends none. One whose answer counts ends it."""

    def __init__(self, schema: str, connection: Any) -> None:
        super().__init__(schema, connection)
        self.holding = True

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        text = str(sql)
        if sets_path(text) or text.startswith(_SAVEPOINTS):
            return
        if statement_kind(text) != "keep":
            raise NotHeld(f"it asks the database: {' '.join(text.split())[:80]}")
        self.capture(text, params)


def stretches(loader: MigrationLoader, plan: SchemaPlan, processes: int) -> list[tuple[int, int]]:
    """A plan's migrations in stretches (from, to) that take about as long each, for so many processes. Pure."""
    nodes = [loader.graph.nodes[key] for key in plan.migrations]
    # Measured: a migration takes as long as three of its operations, and two models as long to make for a start.
    costs = [3 + len(node.operations) for node in nodes]
    new = (sum(type(operation).__name__ == "CreateModel" for operation in node.operations) for node in nodes)
    starts = [models * 3 // 2 for models in accumulate(new, initial=0)]
    return even_parts(costs, starts, max(1, min(processes, len(costs) // _SMALLEST_PART)))


def even_parts(costs: Sequence[int], starts: Sequence[int], parts: int) -> list[tuple[int, int]]:
    """Where to cut a row of costs into at most so many parts (from, to), so that the dearest costs least. Pure.

    :param starts: what a part that begins there costs besides.
    """
    low, high = 0, starts[0] + sum(costs)
    while low < high:
        middle = (low + high) // 2
        if len(_cut(costs, starts, middle)) <= parts:
            high = middle
        else:
            low = middle + 1
    return _cut(costs, starts, high)


def _cut(costs: Sequence[int], starts: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Parts that cost no more than that, but where one of the row does by itself."""
    found, begin, spent = [], 0, starts[0]
    for at, cost in enumerate(costs):
        if at > begin and spent + cost > limit:
            found.append((begin, at))
            begin, spent = at, starts[at]
        spent += cost
    return [*found, (begin, len(costs))]


def take_down(context: Context, plan: SchemaPlan, loader: MigrationLoader, start: int, end: int) -> Part | None:
    """What Django sends for the migrations of a plan from ``start`` to before ``end``; None where that depends on answers.

    For a plan that is SQL alone (``compiler.is_sql_alone``).
    """
    try:
        return _taken_down(context, plan, loader, start, end)
    except Exception:
        # Whatever it is, it shows itself when the plan is run.
        return None


def _taken_down(context: Context, plan: SchemaPlan, loader: MigrationLoader, start: int, end: int) -> Part:
    from django.db import transaction

    connection = context.connection
    part = Part()
    watch = UnsentWatch(plan.schema.name, connection)
    nodes = [loader.graph.nodes[key] for key in plan.migrations]
    in_place = in_schema(context, plan.schema.name, plan.schema.type)
    with own_operations(nodes), in_place, connection.execute_wrapper(watch):
        with transaction.atomic(using=context.alias):
            if start == 0 and not plan.schema.has_recorder:
                part.prelude = _recorder_table(connection)
            before = models_after(loader, plan.applied)
            send_signal("pre_migrate", context, before.apps, [(node, False) for node in nodes])
            # Only now, as receivers may have added something.
            nodes = folded(nodes, before, connection)
            state = lean(before)
            for node in nodes[:start]:
                state = node.mutate_state(state, preserve=False)
            executor = capturing_executor(context, plan, loader, watch)
            for node in nodes[start:end]:
                state = executor.apply_migration(state, node)
        part.units = [watch.units[f"{app}.{name}"] for app, name in plan.migrations[start:end]]
        if end == len(nodes):
            part.kinds = _kinds(context, state)
    return part


def _recorder_table(connection: Any) -> list[str]:
    with connection.schema_editor(collect_sql=True) as editor:
        editor.create_model(recorder_class()(connection).Migration)
    return [sql.rstrip(";") for sql in editor.collected_sql]


def _kinds(context: Context, state: ProjectState) -> permissions.Kinds:
    """What Django's receivers of post_migrate would make of these models in a schema with neither."""
    from django.db import router

    def made(app: str, model: str, receiver: str) -> bool:
        return (
            hears("post_migrate", receiver)
            and (app, model) in state.models
            and router.allow_migrate_model(context.alias, state.apps.get_model(app, model))
        )

    of_auth = made("auth", "permission", "create_permissions")
    # create_permissions() sees to the content types as well.
    if not made("contenttypes", "contenttype", "create_permissions" if of_auth else "create_contenttypes"):
        return permissions.Kinds()
    wanted = permissions.wanted(state.apps)
    return wanted if of_auth else wanted._replace(permissions=())


def compiled_of(
    context: Context, plan: SchemaPlan, loader: MigrationLoader, parts: Sequence[Part | None]
) -> Compiled | None:
    """The whole plan for a schema that is still empty; None where a part is missing, or has to go through Django."""
    compiled = Compiled(plan.schema.name)
    for part in parts:
        if part is None or any(unit.because for unit in part.units):
            return None
        compiled.prelude += part.prelude
        compiled.units += part.units
        compiled.new_kinds = part.kinds
    note_plan(context, plan, loader, compiled)
    return compiled
