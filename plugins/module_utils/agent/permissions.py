# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Content types and permissions of many schemas: whether they are alike, and what a migration added to them.

Django makes them in receivers of post_migrate, with a dozen queries an app. Their ids differ between schemas, so rows
are known here by their natural keys.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any, NamedTuple, Sequence

from .copying import copied, rows_of
from .database import quoted

CONTENT_TYPES, PERMISSIONS = "django_content_type", "auth_permission"

_TABLES = """
SELECT n.nspname, array_agg(c.relname::text)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND c.relname IN ('django_content_type', 'auth_permission') AND c.relkind = 'r'
GROUP BY 1
"""


class Kinds(NamedTuple):
    """The content types (app, model) and permissions (app, model, codename, name) of a schema, in the order of their ids."""

    content_types: tuple[tuple[str, str], ...] = ()
    permissions: tuple[tuple[str, str, str, str], ...] = ()


def read_digests(connection: Any, schemas: Sequence[str]) -> dict[str, str]:
    """A digest of the content types and permissions of each schema; equal where both tables hold equal rows, or are not there."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [list(schemas)])
        tables = dict(cursor.fetchall())
    texts = copied(connection, [_copy(schema, table) for schema in tables for table in tables[schema]])
    digests: dict[tuple[bytes | None, bytes | None], str] = {}
    found = dict.fromkeys(schemas, "")
    for schema, there in tables.items():
        held = {table: next(texts) for table in there}
        both = held.get(CONTENT_TYPES), held.get(PERMISSIONS)
        if both not in digests:
            digests[both] = _digest(*both)
        found[schema] = digests[both]
    return found


def _copy(schema: str, table: str) -> str:
    columns = "id, app_label, model" if table == CONTENT_TYPES else "content_type_id, codename, name"
    return f"COPY {quoted(schema)}.{table} ({columns}) TO STDOUT"


def _digest(content_types: bytes | None, permissions: bytes | None) -> str:
    """One of the rows without their ids, which tell apart what is alike, and whatever their order. Pure."""
    labels = {pk: f"{app}.{model}" for pk, app, model in rows_of(content_types or b"")}
    # Where the content types are the public schema's, their ids are the same for all.
    of = [(labels.get(pk, pk), codename, name) for pk, codename, name in rows_of(permissions or b"")]
    shown = repr((content_types is None, sorted(labels.values()), permissions is None, sorted(of)))
    return hashlib.sha256(shown.encode()).hexdigest()


def read_kinds(cursor: Any, schema: str) -> Kinds:
    """The content types and permissions that stand in the schema itself."""
    cursor.execute(_TABLES, [[schema]])
    tables = dict(cursor.fetchall()).get(schema, [])
    content_types: list[tuple[str, str]] = []
    permissions: list[tuple[str, str, str, str]] = []
    if CONTENT_TYPES in tables:
        cursor.execute(f"SELECT app_label, model FROM {quoted(schema)}.{CONTENT_TYPES} ORDER BY id")
        content_types = [tuple(row) for row in cursor.fetchall()]
    if PERMISSIONS in tables and CONTENT_TYPES in tables:
        cursor.execute(
            f"SELECT c.app_label, c.model, p.codename, p.name FROM {quoted(schema)}.{PERMISSIONS} p"
            f" JOIN {quoted(schema)}.{CONTENT_TYPES} c ON c.id = p.content_type_id ORDER BY p.id"
        )
        permissions = [tuple(row) for row in cursor.fetchall()]
    return Kinds(tuple(content_types), tuple(permissions))


def wanted(apps: Any) -> Kinds:
    """What Django's receivers of post_migrate see to for these models (create_contenttypes, create_permissions), whatever is there."""
    from django.apps import apps as installed
    from django.contrib.auth import get_permission_codename

    content_types: list[tuple[str, str]] = []
    permissions: list[tuple[str, str, str, str]] = []
    known = {config.label: config for config in apps.get_app_configs()}
    # In the order in which Django sends the signal, which is that of the ids.
    labels = [config.label for config in installed.get_app_configs() if config.models_module is not None]
    for config in (known[label] for label in labels if label in known):
        for options in (model._meta for model in config.get_models()):
            key = (options.app_label, options.model_name)
            content_types.append(key)
            for action in options.default_permissions:
                codename = get_permission_codename(action, options)
                permissions.append((*key, codename, f"Can {action} {options.verbose_name_raw}"))
            permissions += [(*key, codename, label) for codename, label in options.permissions]
    return Kinds(tuple(content_types), tuple(permissions))


def common(kinds: Kinds, there: Kinds) -> Kinds:
    """Those of the one that the other has too, by their keys. Pure."""
    keys = {row[:3] for row in there.permissions}
    return Kinds(
        tuple(row for row in kinds.content_types if row in there.content_types),
        tuple(row for row in kinds.permissions if row[:3] in keys),
    )


def added(before: Kinds, after: Kinds) -> Kinds:
    """What came to be between the two. Pure."""
    old_types, old_permissions = set(before.content_types), {row[:3] for row in before.permissions}
    return Kinds(
        tuple(row for row in after.content_types if row not in old_types),
        tuple(row for row in after.permissions if row[:3] not in old_permissions),
    )


def statements(schema: str, new: Kinds) -> list[str]:
    """The SQL that adds these rows to a schema where they are not there yet, in their order. Pure."""
    place, found = quoted(schema), []
    if new.content_types:
        found.append(
            f"INSERT INTO {place}.{CONTENT_TYPES} (app_label, model) SELECT v.app, v.model"
            f" FROM (VALUES {_values(new.content_types)}) AS v(n, app, model)"
            f" WHERE NOT EXISTS (SELECT FROM {place}.{CONTENT_TYPES} c WHERE c.app_label = v.app AND c.model = v.model) ORDER BY v.n"
        )
    if new.permissions:
        found.append(
            f"INSERT INTO {place}.{PERMISSIONS} (name, content_type_id, codename) SELECT v.name, c.id, v.codename"
            f" FROM (VALUES {_values(new.permissions)}) AS v(n, app, model, codename, name)"
            f" JOIN {place}.{CONTENT_TYPES} c ON c.app_label = v.app AND c.model = v.model"
            f" WHERE NOT EXISTS (SELECT FROM {place}.{PERMISSIONS} p WHERE p.content_type_id = c.id AND p.codename = v.codename) ORDER BY v.n"
        )
    return found


@functools.lru_cache(maxsize=8)
def _values(rows: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"({number}, {', '.join(map(literal, row))})" for number, row in enumerate(rows))


def literal(text: str) -> str:
    """A string constant (standard_conforming_strings, the server's default since PostgreSQL 9.1)."""
    return "'" + text.replace("'", "''") + "'"
