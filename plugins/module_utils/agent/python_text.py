# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the function of a RunPython may do to tables, as far as its code shows. Pure: nothing is run."""

from __future__ import annotations

import functools
import re
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Iterator

from .sql_text import changes

if TYPE_CHECKING:
    from .sql_text import Change

# Methods of a schema editor that make or take tables and columns, and what runs other operations.
_EDITING = frozenset(
    {
        *("create_model", "delete_model", "alter_db_table", "add_field", "remove_field", "database_forwards"),
        *("alter_many_to_many", "_remake_table"),
    }
)
# Ways to run what stands elsewhere.
_CALLING = frozenset({"call_command", "executescript"})
_READING = frozenset({"open", "read_text"})
_SENDING = frozenset({"execute", "cursor"})
_OF_COLUMNS = re.compile(r"\b(?:ADD|DROP|RENAME)\s+(?:COLUMN|TO)\b", re.IGNORECASE)
_DROPPING = frozenset({"remove_index", "remove_constraint", "rename_index", "alter_unique_together", "alter_field"})
_DEEP = 4


def changes_of(function: Any) -> list[Change]:
    """What the statements in a function's code, and in the functions of the project that it calls, would do if they were run."""
    found = []
    for code in _codes(function):
        for constant in _constants(code):
            found += [change for change in changes(constant) if change.table and change.kind != "use_table"]
    return found


def models_edited(function: Any) -> frozenset[str] | None:
    """The names, in lower case, of what a function's code may call the models whose tables it changes; None where it changes none."""
    codes = list(_codes(function))
    if not any(_EDITING & set(code.co_names) for code in codes):
        return None
    words = (word for code in codes for constant in _constants(code) for word in constant.split("."))
    return frozenset(word.lower() for word in words)


def may_drop_indexes(function: Any) -> bool:
    """Whether a function may take indexes and constraints away: it sends statements, or uses the schema editor for it."""
    codes = list(_codes(function))
    names = {name for code in codes for name in code.co_names}
    return not codes or bool(names & (_SENDING | _CALLING | _EDITING | _DROPPING))


def does_anything(function: Any) -> bool:
    """Whether a function may change tables that its code does not name."""
    codes = list(_codes(function))
    names = {name for code in codes for name in code.co_names}
    texts = [constant for code in codes for constant in _constants(code)]
    if not codes or names & _CALLING or (names & _SENDING and names & _READING):
        return True
    # Statements that are put together, so that the table's name stands elsewhere.
    nameless = {change.kind for text in texts for change in changes(text) if not change.table}
    return bool(nameless - {"use_table"}) or bool(nameless and any(map(_OF_COLUMNS.search, texts)))


def _codes(function: Any) -> Iterator[CodeType]:
    """The code of a function, of what is defined inside, and of the functions beside it that it names."""
    todo, seen = [(_plain(function), 0)], set()
    while todo:
        current, depth = todo.pop()
        if not isinstance(current, FunctionType) or current in seen:
            continue
        seen.add(current)
        for code in _nested(current.__code__):
            yield code
            if depth < _DEEP:
                known = map(current.__globals__.get, code.co_names)
                todo += [(item, depth + 1) for item in known if _is_projects(item)]


def _is_projects(item: Any) -> bool:
    return isinstance(item, FunctionType) and not (item.__module__ or "").startswith("django.")


def _plain(function: Any) -> Any:
    """The function in what can be called like one."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType) and not isinstance(function, type):
        return next((vars(cls)["__call__"] for cls in type(function).__mro__ if "__call__" in vars(cls)), None)
    return function


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _constants(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, (tuple, frozenset)):
            yield from (item for item in constant if isinstance(item, str))


def texts_in(function: Any) -> set[str]:
    """Every string in a function's code, and in the functions of the project that it calls."""
    return {constant for code in _codes(function) for constant in _constants(code)}
