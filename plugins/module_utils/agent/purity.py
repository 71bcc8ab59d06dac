# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which migrations send every schema of a cohort the same SQL, judged operation by operation as each stands. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Iterable

if TYPE_CHECKING:
    from django.db.migrations import Migration
    from django.db.migrations.state import ProjectState
    from django.db.models import Field

# Operations of django.db.migrations whose SQL follows from the model states and the structure alone.
_ALIKE = frozenset(
    {
        *("CreateModel", "DeleteModel", "RenameModel", "AlterModelTable", "AlterModelTableComment"),
        *("AlterModelOptions", "AlterModelManagers", "AlterUniqueTogether", "AlterIndexTogether"),
        *("AlterOrderWithRespectTo", "AddField", "RemoveField", "AlterField", "RenameField"),
        *("AddIndex", "RemoveIndex", "RenameIndex", "AddConstraint", "RemoveConstraint", "AlterConstraint"),
        *("RunSQL", "SeparateDatabaseAndState"),
    }
)

# Callables that give every row, and every schema, an equal value.
_CONSTANT = (dict, list, tuple, set, frozenset, str, bytes, int, float, bool)

# Text that leaves the transaction, or the schema, that a replay keeps it in; code that may do to each schema what its rows
# ask for; and tables whose rows are otherwise the same in all schemas of a cohort.
_UNRULY = re.compile(
    r"\b(search_path|set\s+(local\s+|session\s+)?(role|session|schema)|set_config|begin|start\s+transaction|commit|rollback|abort|savepoint"
    r"|release|prepare\s+transaction|concurrently|vacuum|reset|discard|listen|do(?=\s*['$])|do\s+language|call|execute|perform"
    r"|django_content_type|auth_permission|django_migrations)\b",
    re.IGNORECASE,
)

# What of a field makes its default into a value of the SQL, or its column.
_PREPARING = (
    *("get_default", "_get_default", "get_db_prep_save", "get_db_prep_value", "get_prep_value", "pre_save"),
    *("db_type", "db_parameters"),
)


# The Python of Django's own migrations that asks for nothing where no model is a proxy (auth.0011_update_proxy_permissions).
_OF_PROXIES = ("django.contrib.auth.migrations.0011_update_proxy_permissions", "update_proxy_model_permissions")


def impurity(migration: Migration, state: ProjectState | None = None) -> str | None:
    """Why a migration must run in Django for every schema; None where its SQL can be replayed.

    :param state: the models before it, where they are known.
    """
    from django.db.migrations import Migration as DjangoMigration

    if migration.atomic is False:
        return "it is not atomic"
    if type(migration).apply is not DjangoMigration.apply:
        return "it has its own apply()"
    reasons = (operation_impurity(operation, state) for operation in migration.operations)
    return next((reason for reason in reasons if reason), None)


def operation_impurity(operation: Any, state: ProjectState | None = None) -> str | None:
    """Why one operation may send each schema something else; None where it does not."""
    kind = type(operation)
    name = kind.__name__
    if (
        kind.__module__ == "django.db.migrations.operations.special"
        and name == "RunPython"
        and _is_idle(operation, state)
    ):
        return None
    if kind.__module__.partition(".migrations.operations")[0] != "django.db" or name not in _ALIKE:
        return f"{name} may do something else in every schema"
    if name == "SeparateDatabaseAndState":
        reasons = (operation_impurity(one, state) for one in operation.database_operations)
        return next((reason for reason in reasons if reason), None)
    if name == "RunSQL":
        return _sql_impurity(operation.sql)
    if name in ("AddField", "AlterField"):
        return _default_impurity(operation.name, operation.field)
    return None


def has_sql(operations: Iterable[Any]) -> bool:
    """Whether there is SQL of the project among the operations."""
    return any(
        type(one).__name__ == "RunSQL" or has_sql(getattr(one, "database_operations", None) or ()) for one in operations
    )


def _is_idle(operation: Any, state: ProjectState | None) -> bool:
    """Whether a RunPython sends nothing at all, in whatever schema it runs."""
    if operation.code is type(operation).noop:
        return True
    code = operation.code
    return (
        (getattr(code, "__module__", None), getattr(code, "__name__", None)) == _OF_PROXIES
        and state is not None
        and not _has_proxies(state)
    )


def _has_proxies(state: ProjectState) -> bool:
    from django.apps import apps

    # The models of apps without migrations are part of every state.
    real = (model._meta.proxy for label in state.real_apps for model in apps.get_app_config(label).get_models())
    return any(model.options.get("proxy") for model in state.models.values()) or any(real)


def _sql_impurity(sql: Any) -> str | None:
    statements = [sql] if isinstance(sql, str) else sql
    for statement in statements:
        text, params = statement if isinstance(statement, (list, tuple)) else (statement, None)
        if params:
            return "RunSQL has parameters"
        if not isinstance(text, str):
            return "RunSQL is not plain text"
        found = _UNRULY.search(text)
        if found:
            return f"RunSQL says {found[0]!r}"
        if statement_kind(text) != "keep":
            # Django's own queries are told from others by where they read, and a query of the project may well do more.
            return f"RunSQL says {text.split(maxsplit=1)[0]!r}"
    return None


def _default_impurity(name: str, field: Field) -> str | None:
    """A default that reaches the SQL as one literal must be the same for all (``BaseDatabaseSchemaEditor._effective_default``)."""
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return f"{name} takes the time of the migration"
    if field.has_default() and callable(field.default) and field.default not in _CONSTANT:
        return f"the default of {name} is computed"
    for method in _PREPARING:
        owner = next((cls for cls in type(field).__mro__ if method in vars(cls)), None)
        if owner is not None and not owner.__module__.startswith("django."):
            return f"{type(field).__name__} has its own {method}()"
    base = getattr(field, "base_field", None)
    return _default_impurity(name, base) if base is not None else None


def statement_kind(sql: str) -> str:
    """What to do with a statement that Django sent: ``keep``, ``skip`` (its own housekeeping), or ``reads`` (it depends on rows)."""
    text = sql.lstrip(" \n\t(").upper()
    if text.startswith(
        (
            "SHOW SEARCH_PATH",
            "SET SEARCH_PATH",
            "SET LOCAL SEARCH_PATH",
            'INSERT INTO "DJANGO_MIGRATIONS"',
            "SAVEPOINT",
            "RELEASE SAVEPOINT",
        )
    ):
        return "skip"
    if text.startswith("ROLLBACK TO SAVEPOINT"):
        # What was sent before it did not count, and whether it comes to that may depend on the rows.
        return "reads"
    if text.startswith(("SELECT", "WITH", "SHOW", "VALUES")):
        return "skip" if _reads_catalog(text) else "reads"
    return "keep"


_SOURCES = re.compile(r"\b(?:FROM|JOIN)\s+(?!UNNEST\b|LATERAL\b)([\w.\"]+)")


def _reads_catalog(text: str) -> bool:
    """Whether a query asks for the structure only, which is the same in all schemas of a cohort."""
    sources = [name.replace('"', "") for name in _SOURCES.findall(text)]
    catalog = ("PG_CATALOG.", "INFORMATION_SCHEMA.", "PG_")
    return bool(sources) and all(
        name.startswith(catalog) or ("." not in name and name.startswith("PG_")) for name in sources
    )
