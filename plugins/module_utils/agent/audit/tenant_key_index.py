# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Under row tenancy an index leads with every foreign key to the tenant: each query asks for the rows of one tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Iterator

from ..columns import read_facts
from ..database import qualified, quoted
from ..findings import NOTICE, WARNING, Finding
from ..row_models import tenant_keys
from ..sizes import Rows, count_in_words, count_rows

if TYPE_CHECKING:
    from django.db.models import Field

    from ..evidence import Evidence
    from ..forecast import Effect

# With fewer rows than this PostgreSQL would read the whole table anyway.
_SMALL = 1000


def findings(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    if context.tenancy.by_schema:
        return
    schema, keys = evidence.fleet.public, tenant_keys(context)
    pending = evidence.pending_effects.get(schema, [])
    columns = {(model._meta.db_table, key.column): key for model, key in keys.items()}
    facts = read_facts(context.connection, schema, columns)
    lacking = sorted(item for item in facts if not facts[item].indexed and not _comes(pending, item[0]))
    counts = count_rows(context.connection, [Rows(schema, table) for table, _column in lacking])
    for table, column in lacking:
        count = counts.get(Rows(schema, table))
        yield Finding(
            NOTICE if count is not None and count < _SMALL else WARNING,
            f"{schema}.{table}.{column}",
            f"No index of the table leads with its foreign key to the tenant{_of(count)}: every query for one tenant reads the rows of all.",
            _hint(context.connection, schema, table, columns[table, column]),
            [schema],
        )


def _hint(connection: Any, schema: str, table: str, key: Field[Any, Any]) -> str:
    label = f"{key.model._meta.label}.{key.name}"
    if not _has_index(key):
        return f"Give {label} db_index=True, run makemigrations, and deploy; on a large table with AddIndexConcurrently and an Index of the Meta instead."
    concurrently = "CONCURRENTLY " if connection.vendor == "postgresql" else ""
    statement = f"CREATE INDEX {concurrently}ON {qualified(connection, schema, table)} ({quoted(key.column)});"
    return f"The model has one for {label}, so it was lost in this database. Run: {statement}"


def _has_index(key: Field[Any, Any]) -> bool:
    """Whether the model says that an index leads with the field."""
    meta = key.model._meta
    groups: list[Iterable[str]] = [*meta.unique_together]
    groups += [index.fields for index in meta.indexes if not index.condition]
    groups += [
        item.fields for item in meta.constraints if getattr(item, "fields", ()) and not getattr(item, "condition", None)
    ]
    return bool(key.db_index or key.unique or any(next(iter(group), "").lstrip("-") == key.name for group in groups))


def _comes(pending: Iterable[Effect], table: str) -> bool:
    """Whether pending migrations may make an index on the table."""
    kinds = ("create_table", "alter_column", "add_index", "add_constraint", "alter_unique", "alter_index", "use_table")
    return any(effect.table == table and effect.kind in kinds for effect in pending)


def _of(count: int | None) -> str:
    return "" if count is None else f" ({count_in_words(count)})"
