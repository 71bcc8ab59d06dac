# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which tables and columns a model has, told from its state in the migrations, without making a class of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict

from .fleet import NOTHING
from .graph import Graphs, models_after

if TYPE_CHECKING:
    from django.db.migrations.state import ModelState
    from django.db.models import Field

# The part of a model's tables that is its own; the others go by the name of their many-to-many field.
OWN = ""


@dataclass
class Table:
    """A table with its columns by the name of what makes them (a field, or an end of a many-to-many field).

    ``kept`` is False where migrations leave the table to others: an unmanaged model's.
    """

    name: str
    columns: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Field[Any, Any]] = field(default_factory=dict)


Tables = Dict[str, Table]


def tables_of(state: ModelState | None, connection: Any) -> Tables:
    """The tables that migrations keep for a model, its own and those of its many-to-many fields; none where they keep none."""
    if state is None or not is_kept(state, connection):
        return {}
    own = Table(table_name(state, connection))
    tables = {OWN: own}
    for name, declared in state.fields.items():
        if declared.many_to_many:
            if getattr(declared.remote_field, "through", None) is None:
                tables[name] = _between(state, own.name, name, declared, connection)
            continue
        bound = named(declared, name)
        if bound.column and _is_stored(bound, connection):
            own.columns[name] = bound.column
            own.fields[name] = bound
    if state.options.get("order_with_respect_to"):
        own.columns["_order"] = "_order"
    if not any(getattr(item, "primary_key", False) for item in state.fields.values()):
        own.columns.update(_implied_key(state))
    return tables


def tables_made(graphs: Graphs, connection: Any) -> set[str]:
    """The names of all tables that there are once every migration on disk has run, whatever the schema."""
    loader = graphs.for_recorded(NOTHING)
    models = models_after(loader, loader.graph.nodes).models.values()
    return {table.name for state in models for table in tables_of(state, connection).values()}


def is_kept(state: ModelState, connection: Any) -> bool:
    """Whether migrations make this model's table (``Options.can_migrate``)."""
    from django.conf import settings

    options = state.options
    if options.get("proxy") or not options.get("managed", True):
        return False
    swappable = options.get("swappable")
    if swappable and str(getattr(settings, swappable, "")).lower() not in ("", f"{state.app_label}.{state.name_lower}"):
        return False
    vendor = options.get("required_db_vendor")
    return (not vendor or vendor == connection.vendor) and all(
        getattr(connection.features, feature, False) for feature in options.get("required_db_features", ())
    )


def table_name(state: ModelState, connection: Any) -> str:
    from django.db.backends.utils import truncate_name

    named_so = str(state.options.get("db_table") or "")
    if named_so:
        # Django leaves such a name as it is, and PostgreSQL keeps 63 bytes of it.
        return (
            named_so.encode("utf-8")[:63].decode("utf-8", "ignore") if connection.vendor == "postgresql" else named_so
        )
    return str(truncate_name(f"{state.app_label}_{state.name_lower}", connection.ops.max_name_length()))


def named(declared: Field[Any, Any], name: str) -> Field[Any, Any]:
    """A field as the model's class would have it, with its name and column."""
    bound = copy.copy(declared)
    bound.set_attributes_from_name(name)
    return bound


def _is_stored(bound: Field[Any, Any], connection: Any) -> bool:
    """Whether a field has a column. A relation has: its type is that of another model's key, which the state does not tell."""
    if bound.remote_field is not None:
        return bool(bound.concrete)
    try:
        return bound.db_type(connection) is not None
    except Exception:
        # A project's own field, which wants more than its declaration.
        return True


def _between(state: ModelState, own: str, name: str, declared: Any, connection: Any) -> Table:
    """The table of a many-to-many field (``create_many_to_many_intermediary_model``)."""
    from django.db.backends.utils import strip_quotes, truncate_name

    table = declared.db_table or truncate_name(f"{strip_quotes(own)}_{name}", connection.ops.max_name_length())
    target = declared.remote_field.model
    if not isinstance(target, str):
        target = target._meta.label
    to, here = target.rpartition(".")[2].lower(), state.name_lower
    if target == "self" or to == here:
        to, here = f"to_{here}", f"from_{here}"
    return Table(table, {"id": "id", "from": f"{here}_id", "to": f"{to}_id"})


def _implied_key(state: ModelState) -> dict[str, str]:
    """The key that Django adds to a model without one: the link to a parent with a table, else ``id``."""
    for base in state.bases:
        if isinstance(base, str):
            name = base.rpartition(".")[2].lower()
        else:
            meta = getattr(base, "_meta", None)
            if meta is None or meta.abstract:
                continue
            name = meta.model_name
        return {f"{name}_ptr": f"{name}_ptr_id"}
    return {"id": "id"}


def part_names(model: ModelState) -> tuple[str, ...]:
    """The names of the indexes and constraints that a model is made with."""
    return tuple(item.name for option in ("indexes", "constraints") for item in model.options.get(option) or ())
