# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How to bring what a schema has recorded in line with what is there: stock commands and SQL, in order, for a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Collection, Iterable, Sequence

from .database import quoted
from .fleet import RECORDER_TABLE
from .forecast import whole_plan
from .remedies import literal, migrate_command

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

    from .fleet import Migration
    from .tenancy import Tenancy


def descendants(loader: MigrationLoader, keys: Iterable[Migration], among: Collection[Migration]) -> set[Migration]:
    """These migrations, and those of ``among`` that build on them."""
    found: set[Migration] = set()
    stack = [loader.graph.node_map[key] for key in keys]
    while stack:
        node = stack.pop()
        if node.key not in found:
            found.add(node.key)
            stack += node.children
    return found & {*keys, *among}


def ancestors(loader: MigrationLoader, keys: Iterable[Migration]) -> set[Migration]:
    """These migrations, and those that they build on."""
    return {parent for key in keys if key in loader.graph.nodes for parent in loader.graph.forwards_plan(key)}


def steps(order: Iterable[Migration], run: Collection[Migration], fake: Collection[Migration]) -> list[tuple[str, ...]]:
    """The arguments of migrate that run some migrations and record others, in an order that suits both. Pure.

    :param order: all migrations, so that each comes after those that it builds on.
    """
    found: list[tuple[str, ...]] = []
    for app, name in order:
        if (app, name) not in run and (app, name) not in fake:
            continue
        how = ("--fake",) if (app, name) in fake else ()
        if found and found[-1][:-1] == (*how, app):
            # Going there takes the one before along.
            found.pop()
        found.append((*how, app, name))
    return found


def commands(tenancy: Tenancy, schema: str, wanted: Sequence[tuple[str, ...]]) -> str:
    """Stock commands, as a hint lists them."""
    return ", ".join(migrate_command(tenancy, schema, *arguments) for arguments in wanted)


def record_sql(schema: str, keys: Iterable[Migration]) -> str:
    rows = ", ".join(f"({literal(app)}, {literal(name)}, CURRENT_TIMESTAMP)" for app, name in keys)
    return f"INSERT INTO {_recorder(schema)} (app, name, applied) VALUES {rows};"


def unrecord_sql(schema: str, keys: Iterable[Migration]) -> str:
    rows = ", ".join(f"({literal(app)}, {literal(name)})" for app, name in keys)
    return f"DELETE FROM {_recorder(schema)} WHERE (app, name) IN (VALUES {rows});"


def _recorder(schema: str) -> str:
    return f"{quoted(schema)}.{quoted(RECORDER_TABLE)}"


def run_again(
    tenancy: Tenancy,
    schema: str,
    loader: MigrationLoader,
    recorded: Collection[Migration],
    wanted: Collection[Migration],
) -> str:
    """How to have recorded migrations run in a schema, and leave recorded what builds on them.

    Their records are taken back, with all that build on them, since Django runs nothing behind what is applied.
    """
    order = whole_plan(loader)
    back = descendants(loader, wanted, recorded)
    how = _stock_unrecord(tenancy, schema, loader, recorded, order, back) or unrecord_sql(schema, rows_of(loader, back))
    rest = back - set(wanted)
    if not rest:
        return f"Take the records back, and deploy: they then run. {how}"
    then = commands(tenancy, schema, steps(order, set(wanted), rest))
    return f"Take the records back, have them run, and record again what builds on them. {how} Then {then}"


def rows_of(loader: MigrationLoader, keys: Iterable[Migration]) -> list[Migration]:
    """The records that stand for migrations: a squashed one counts only with those of all that it replaces."""
    return sorted({row for key in keys for row in (key, *loader.graph.nodes[key].replaces)})


def _stock_unrecord(
    tenancy: Tenancy,
    schema: str,
    loader: MigrationLoader,
    recorded: Collection[Migration],
    order: Sequence[Migration],
    back: Collection[Migration],
) -> str | None:
    """The one stock command that takes these records back and no others, if there is one."""
    first = next(key for key in order if key in back)
    parents = [parent.key for parent in loader.graph.node_map[first].parents if parent.key[0] == first[0]]
    if len(parents) > 1:
        return None
    if parents:
        roots = [child.key for child in loader.graph.node_map[parents[0]].children if child.key[0] == first[0]]
    else:
        roots = [key for key in loader.graph.root_nodes(first[0]) if key[0] == first[0]]
    # Backwards, Django takes what it finds of these and of what builds on them.
    if descendants(loader, roots, recorded) & set(recorded) != set(back):
        return None
    return migrate_command(tenancy, schema, "--fake", first[0], parents[0][1] if parents else "zero")
