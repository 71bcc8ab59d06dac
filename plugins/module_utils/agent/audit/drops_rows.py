# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No pending migration drops a table or a column that holds rows, or deletes rows, unless the task says that it is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator

from ..database import quoted
from ..findings import ERROR, WARNING, Finding
from ..losses import Loss, losses
from ..sizes import MOST, Place, Rows, Size, count_rows, read_sizes, rows_in_words

if TYPE_CHECKING:
    from ..evidence import Evidence

# What Django keeps for itself, and makes again.
_BOOKKEEPING = frozenset({"django_content_type", "auth_permission", "django_session", "django_migrations"})


@dataclass(frozen=True)
class _Lost:
    """Rows of one schema that would be lost; ``exact`` where they were counted to the end, else as the catalog estimates."""

    schema: str
    rows: int
    exact: bool


def findings(evidence: Evidence) -> Iterator[Finding]:
    pending: list[tuple[Loss, str]] = []
    for cohort in evidence.cohorts:
        for loss in losses(evidence.pending_effects.get(cohort.first.name, ())):
            if not (loss.rows_only and loss.table in _BOOKKEEPING):
                pending += [(loss, name) for name in cohort.names]
    if not pending:
        return
    sizes = _sizes(evidence, pending)
    wanted: dict[Any, tuple[Loss, Rows]] = {}
    for loss, name in pending:
        rows = _rows(evidence, loss, name, sizes)
        if rows:
            wanted.setdefault((loss.key, rows), (loss, rows))
    counts = count_rows(evidence.context.connection, list(dict.fromkeys(rows for _loss, rows in wanted.values())))
    found: dict[Any, tuple[Loss, list[_Lost]]] = {}
    for loss, rows in wanted.values():
        lost = _lost(rows, counts.get(rows), sizes.get(rows[:2]))
        if lost.rows:
            found.setdefault(loss.key, (loss, []))[1].append(lost)
    for loss, schemas in found.values():
        yield _finding(loss, schemas)


def _sizes(evidence: Evidence, pending: list[tuple[Loss, str]]) -> dict[Place, Size]:
    if evidence.context.connection.vendor != "postgresql":
        return {}
    schemas = {evidence.fleet.public} | {loss.schema or name for loss, name in pending}
    return read_sizes(evidence.context.connection, schemas, {loss.table for loss, _name in pending})


def _rows(evidence: Evidence, loss: Loss, schema: str, sizes: dict[Place, Size]) -> Rows | None:
    """The rows that a loss takes where its statement finds the table; None where that is nowhere, or it is empty."""
    path: tuple[str, ...] = (loss.schema or schema,)
    if not loss.schema and hasattr(loss.effect.operation, "sql"):
        # What stands in a text, without a schema, is looked up there and then in the public schema.
        path = tuple(dict.fromkeys((schema, evidence.fleet.public)))
    where = schema
    if evidence.context.connection.vendor == "postgresql":
        there = [name for name in path if (name, loss.table) in sizes]
        if not there or sizes[there[0], loss.table].empty:
            return None
        where = there[0]
    if loss.column:
        return Rows(where, loss.table, _worth(evidence.context.connection, loss))
    return Rows(where, loss.table, f"({loss.condition})", path) if loss.condition else Rows(where, loss.table)


def _lost(rows: Rows, count: int | None, size: Size | None) -> _Lost:
    if count is not None and count <= MOST:
        return _Lost(rows.schema, count, True)
    # A table that is not empty by the catalog holds at least one.
    return _Lost(rows.schema, max(size.rows, count or 1) if size else count or 0, False)


def _worth(connection: Any, loss: Loss) -> str:
    """Which rows hold something in a column: neither NULL nor what the field gives to every row by itself."""
    column, field = quoted(loss.column), loss.effect.before
    if field is None or (field.has_default() and callable(field.default)):
        return f"{column} IS NOT NULL"
    value = field.get_default()
    if isinstance(value, bool):
        value = value if connection.vendor == "postgresql" else int(value)
    if isinstance(value, str):
        value = "'" + value.replace("'", "''") + "'"
    elif not isinstance(value, (int, float)):
        return f"{column} IS NOT NULL"
    return f"{column} IS NOT NULL AND {column} <> {value}"


def _finding(loss: Loss, lost: list[_Lost]) -> Finding:
    lost = sorted(lost, key=lambda item: (-item.rows, item.schema))
    place = ".".join(filter(None, (loss.table, loss.column)))
    return Finding(
        ERROR if loss.sure else WARNING,
        f"{lost[0].schema}.{place}",
        f"{loss.effect.name} ({loss.effect.place}) {_what(loss)} {_how_many(lost)}.{_copied(loss)}",
        f"Where the rows are still needed, let a release before this one copy them, and take the operation out until then."
        f" Where it is meant, say so with ignore: ['drops-rows:*.{place}']",
        [item.schema for item in lost],
    )


def _what(loss: Loss) -> str:
    may = "" if loss.sure else "may "
    if loss.rows_only:
        return f"{may}delete{'' if may else 's'} from the table {loss.table}"
    what = (
        f"the column {loss.table}.{loss.column}, which has values in"
        if loss.column
        else f"the table {loss.table}, which has"
    )
    return f"{may}drop{'' if may else 's'} {what}"


def _how_many(lost: list[_Lost]) -> str:
    total = sum(item.rows for item in lost)
    words = rows_in_words(total) if all(item.exact for item in lost) else f"about {rows_in_words(total)}"
    if len(lost) == 1:
        return f"{words} of {lost[0].schema}"
    return f"{words} of {len(lost)} schemas, {lost[0].rows:,} of them in {lost[0].schema}"


def _copied(loss: Loss) -> str:
    return f" {loss.before} runs before it and may copy them, which can't be told from here." if loss.before else ""
