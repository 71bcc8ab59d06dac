# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which statements of PostgreSQL a plan would hold a lock with for as long as it reads or rewrites a table. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping

from .following import Names
from .heavy_sql import heavy_statements

if TYPE_CHECKING:
    from .forecast import Effect
    from .structure import Structure

EXCLUSIVE = "ACCESS EXCLUSIVE, under which nobody reads or writes it"
SHARE = "SHARE, under which nobody writes it"
SHARE_ROW = "SHARE ROW EXCLUSIVE, under which nobody writes it"

CONCURRENTLY = (
    "make it with AddIndexConcurrently (django.contrib.postgres.operations) in a migration with atomic = False"
)
_NOT_VALID = "add it with AddConstraintNotValid, and in a later migration ValidateConstraint (django.contrib.postgres.operations)"
_UNIQUE = "make the index with CREATE UNIQUE INDEX CONCURRENTLY in RunSQL, then ADD CONSTRAINT … UNIQUE USING INDEX"
_NEW_COLUMN = "add a new column, fill it in portions, and let the code change over"
_NOT_NULL = "in a release before, ADD CONSTRAINT … CHECK ({column} IS NOT NULL) NOT VALID with RunSQL, then VALIDATE CONSTRAINT; it then reads nothing"
_BARE = "add the column bare and fill it in portions, and set the default in a later migration"
_FOREIGN = (
    "add it with ADD CONSTRAINT … FOREIGN KEY … NOT VALID in RunSQL, and in a later migration VALIDATE CONSTRAINT"
)

_VOLATILE = re.compile(r"random|uuid", re.IGNORECASE)
_LENGTH = re.compile(r"(varchar|character varying|numeric|varbit)(?:\((\d+)(?:, ?(\d+))?\))?$")


@dataclass(frozen=True)
class Heavy:
    """What one operation does to a table as long as it is large, by the name that the table has now."""

    effect: Effect
    table: str
    does: str
    lock: str
    instead: str


def heavy(effects: Iterable[Effect], connection: Any, structure: Structure) -> list[Heavy]:
    """What of a plan takes time with the rows of a table that is there.

    :param structure: of the schema, for constraints that spare the server some work.
    """
    names, found = Names(), []
    for effect in effects:
        look = _LOOKS.get(effect.kind)
        if look is not None:
            for name, (does, lock, instead) in look(effect, connection, structure, names):
                table = names.table(name)
                if table:
                    found.append(Heavy(effect, table, does, lock, instead))
        names.follow(effect)
    return found


_Work = Iterator["tuple[str, tuple[str, str, str]]"]


def _alter_column(effect: Effect, connection: Any, structure: Structure, names: Names) -> _Work:
    before, after, table = effect.before, effect.after, effect.table
    if before is None or after is None:
        return
    column = names.column(table, effect.column)
    if column is None:
        return
    old, new = _type(before, connection), _type(after, connection)
    if old and new and rewrites(old, new):
        yield table, (f"rewrites the table to change {column} from {old} to {new}", EXCLUSIVE, _NEW_COLUMN)
    elif before.null and not after.null and not _is_checked(structure, names.table(table) or "", column):
        yield table, (f"reads every row to set {column} to NOT NULL", EXCLUSIVE, _NOT_NULL.format(column=column))
    if _has_check(after, connection) and not _has_check(before, connection):
        yield table, (f"reads every row to check {column}", EXCLUSIVE, _NOT_VALID)
    if _points(after) and not _points(before):
        yield table, (f"reads every row to validate the foreign key {column}", SHARE_ROW, _FOREIGN)
    yield from _keys(table, column, after, bool(before.unique), bool(before.db_index))


def _keys(table: str, column: str, after: Any, was_unique: bool, was_indexed: bool) -> _Work:
    """The indexes that a field gets which it had not."""
    if after.unique and not was_unique:
        yield table, (f"builds a unique index on {column}", EXCLUSIVE, _UNIQUE)
    elif after.db_index and not was_indexed and not after.unique and not was_unique:
        yield (
            table,
            (
                f"builds an index on {column}",
                SHARE,
                f"give the field db_index=False and its Meta an index, and {CONCURRENTLY}",
            ),
        )


def _add_column(effect: Effect, connection: Any, structure: Structure, names: Names) -> _Work:
    after, table, column = effect.after, effect.table, effect.column
    if after is None:
        return
    if getattr(after, "generated", False):
        if getattr(after, "db_persist", False):
            yield table, (f"rewrites the table to store the generated column {column}", EXCLUSIVE, _NEW_COLUMN)
    elif _is_volatile(after) or "Auto" in after.get_internal_type():
        yield table, (f"rewrites the table, since every row gets a value of its own in {column}", EXCLUSIVE, _BARE)
    elif _has_check(after, connection):
        yield table, (f"reads every row to check {column}", EXCLUSIVE, _BARE)
    elif _points(after) and after.has_default():
        yield table, (f"reads every row to validate the foreign key {column}", SHARE_ROW, _FOREIGN)
    yield from _keys(table, column, after, was_unique=False, was_indexed=False)


def _add_index(effect: Effect, connection: Any, structure: Structure, names: Names) -> _Work:
    if "Concurrently" not in type(effect.operation).__name__:
        name = getattr(effect.detail, "name", "") or "of its Meta"
        yield effect.table, (f"builds the index {name}", SHARE, CONCURRENTLY)


def _add_constraint(effect: Effect, connection: Any, structure: Structure, names: Names) -> _Work:
    constraint = effect.detail
    kind, name = type(constraint).__name__, getattr(constraint, "name", "")
    if "NotValid" in type(effect.operation).__name__:
        return
    if kind == "CheckConstraint":
        yield effect.table, (f"reads every row for the check constraint {name}", EXCLUSIVE, _NOT_VALID)
    elif kind == "UniqueConstraint":
        as_index = constraint.condition or getattr(constraint, "expressions", ()) or getattr(constraint, "include", ())
        yield effect.table, (f"builds the unique index {name}", SHARE if as_index else EXCLUSIVE, _UNIQUE)
    else:
        yield effect.table, (f"builds what the constraint {name} needs", EXCLUSIVE, _NEW_COLUMN)


def _alter_unique(effect: Effect, connection: Any, structure: Structure, names: Names) -> _Work:
    table = names.table(effect.table)
    there = [
        set(text[len("UNIQUE (") : -1].replace('"', "").split(", "))
        for (owner, kind, _name), text in structure.parts.items()
        if owner == table and kind == "constraint" and text.startswith("UNIQUE (")
    ]
    for fields in effect.detail or ():
        if not any(_same(fields, columns) for columns in there):
            yield effect.table, (f"builds a unique index on {', '.join(fields)}", EXCLUSIVE, _UNIQUE)


def _same(fields: Iterable[str], columns: set[str]) -> bool:
    """Whether these are the columns of these fields; that of a foreign key has an ending."""
    found = {name if name in columns else f"{name}_id" for name in fields}
    return found == columns


def _run_sql(effect: Effect, connection: Any, structure: Structure, names: Names) -> _Work:
    for text in effect.detail:
        for found in heavy_statements(text):
            if not (found.not_null and _is_checked(structure, names.table(found.table) or "", found.not_null)):
                lock = SHARE if found.writes_only else EXCLUSIVE
                yield found.table, (found.does, lock, found.instead)


_LOOKS: Mapping[str, Callable[..., _Work]] = {
    "alter_column": _alter_column,
    "add_column": _add_column,
    "add_index": _add_index,
    "add_constraint": _add_constraint,
    "alter_unique": _alter_unique,
    "run_sql": _run_sql,
}


def _type(field: Any, connection: Any) -> str | None:
    """A column's type; None for a relation, whose type is that of another model's key."""
    if field.remote_field is not None:
        return None
    try:
        found = field.db_type(connection)
    except Exception:
        # A project's own field, which wants more than its declaration.
        return None
    return str(found) if found else None


def rewrites(old: str, new: str) -> bool:
    """Whether PostgreSQL writes the table anew to change a type."""
    if old == new or (new == "text" and old.startswith(("varchar", "text", "character varying"))):
        return False
    was, now = _LENGTH.match(old), _LENGTH.match(new)
    if old == "text":
        return not (now and now[1] in ("varchar", "character varying") and not now[2])
    if not was or not now or was[1] != now[1]:
        return True
    if not now[2]:
        return False
    return not was[2] or int(now[2]) < int(was[2]) or was[3] != now[3]


def _is_checked(structure: Structure, table: str, column: str) -> bool:
    """Whether a validated constraint says already that a column is not NULL."""
    wanted = {f"CHECK (({name} IS NOT NULL))" for name in (column, f'"{column}"')}
    return any(
        owner == table and kind == "constraint" and text in wanted
        for (owner, kind, _name), text in structure.parts.items()
    )


def _has_check(field: Any, connection: Any) -> bool:
    try:
        return bool(field.db_parameters(connection).get("check"))
    except Exception:
        # A relation, or a project's own field.
        return False


def _points(field: Any) -> bool:
    return bool((field.many_to_one or field.one_to_one) and getattr(field, "db_constraint", False))


def _is_volatile(field: Any) -> bool:
    """Whether the database's own default gives every row another value; one in Python is worked out once."""
    default = getattr(field, "db_default", None)
    if default is None or not hasattr(default, "resolve_expression"):
        return False
    parts = [default, *default.flatten()] if hasattr(default, "flatten") else [default]
    return any(_VOLATILE.search(f"{type(part).__name__} {getattr(part, 'function', '')}") for part in parts)
