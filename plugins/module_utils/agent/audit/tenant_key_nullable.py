# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Under row tenancy every foreign key to the tenant is NOT NULL, in the model and in the database: a row without a tenant is nobody's."""

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


def findings(evidence: Evidence) -> Iterator[Finding]:
    context = evidence.context
    if context.tenancy.by_schema:
        return
    schema, keys = evidence.fleet.public, tenant_keys(context)
    pending = evidence.pending_effects.get(schema, [])
    columns = {(model._meta.db_table, key.column): key for model, key in keys.items()}
    facts = read_facts(context.connection, schema, columns)
    nullable = {item: columns[item] for item in facts if facts[item].nullable}
    without = {item: Rows(schema, item[0], f"{quoted(item[1])} IS NULL") for item in nullable}
    counts = count_rows(context.connection, list(without.values()))
    for (table, column), key in sorted(nullable.items(), key=lambda item: item[0]):
        count = counts.get(without[table, column])
        if key.null:
            yield _meant(schema, table, key, count)
        elif not _comes(pending, key.model._meta.app_label, table, column):
            yield _left(context.connection, schema, table, key, count)


def _meant(schema: str, table: str, key: Field[Any, Any], count: int | None) -> Finding:
    """The model allows it, and somebody may have had a reason: rows that are for all tenants."""
    return Finding(
        NOTICE,
        f"{schema}.{table}.{key.column}",
        f"The model {key.model._meta.label} allows rows without a tenant ({key.name} has null=True){_and_there_are(count)}.",
        f"If every row has an owner, give each row a tenant, take null=True from {key.model._meta.label}.{key.name}, run makemigrations, and deploy."
        f" If rows for all tenants are meant, say so with ignore: ['tenant-key-nullable:{schema}.{table}.{key.column}']",
        [schema],
    )


def _left(connection: Any, schema: str, table: str, key: Field[Any, Any], count: int | None) -> Finding:
    name = quoted(key.column)
    fill = f"UPDATE {qualified(connection, schema, table)} SET {name} = (the tenant's key) WHERE {name} IS NULL;"
    give = f"Give them a tenant first: {fill} Then" if count else "Then" if count is None else ""
    return Finding(
        WARNING,
        f"{schema}.{table}.{key.column}",
        f"The database allows rows without a tenant, though the model {key.model._meta.label} does not and no migration is pending"
        f" that would end it{_and_there_are(count)}.",
        " ".join(part for part in (give, _how(connection, schema, table, key)) if part),
        [schema],
    )


def _how(connection: Any, schema: str, table: str, key: Field[Any, Any]) -> str:
    if connection.vendor == "postgresql":
        return (
            f"run: ALTER TABLE {qualified(connection, schema, table)} ALTER COLUMN {quoted(key.column)} SET NOT NULL;"
        )
    # Only a table that is made anew gets it, and Django does that where it sees a change.
    model = key.model._meta
    return (
        f"release a migration of {model.app_label} with two operations, AlterField({model.model_name!r}, {key.name!r}, …) to null=True"
        " and the same back to the field as the model has it."
    )


def _and_there_are(count: int | None) -> str:
    return "" if count is None else f", and {count_in_words(count)} {'has' if count == 1 else 'have'} none"


def _comes(pending: Iterable[Effect], app: str, table: str, column: str) -> bool:
    """Whether a pending migration changes the column, or may do so."""
    return any(
        (effect.table == table and effect.column == column)
        or (effect.migration[0] == app and effect.kind in ("run_python", "run_sql", "custom", "anything"))
        for effect in pending
    )
