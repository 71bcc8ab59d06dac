# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Values for a model's fields as a task gives them: checked and converted as the model would, before anything is written."""

from __future__ import annotations

import datetime
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable

from .errors import OptionProblem

if TYPE_CHECKING:
    from django.db.models import Field, Model

_QUOTED_LENGTH = 100
_REASON_LENGTH = 300

_SECRET_WORDS = ("password", "passwd", "secret", "token", "api_key", "private_key")


@dataclass
class ForeignRow:
    """A row of another model, found by ``lookup``; made with ``create`` as well where there is none.

    ``target`` is the field that the foreign key holds (usually the primary key), ``value`` what it is in that row.
    """

    model: type[Model]
    lookup: dict[str, Any]
    create: dict[str, Any] | None
    target: str = "pk"
    value: Any = None

    def __str__(self) -> str:
        named = ", ".join(f"{name}={value}" for name, value in self.lookup.items())
        return f"{self.model._meta.label}({named})"


@dataclass
class Values:
    """Checked values: those to keep, those for a creation only, the defaults the model has no field for, and what is wrong."""

    attributes: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    unused_defaults: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def settable_fields(model: type[Model]) -> dict[str, Field]:
    """The fields that a task can set, by name."""
    from django.db.models import AutoField

    return {
        item.name: item
        for item in model._meta.concrete_fields
        if not isinstance(item, AutoField)
        and not getattr(item, "generated", False)
        and not getattr(item.remote_field, "parent_link", False)
    }


class Finder:
    """Finds the rows that mappings mean, each once, and only in tables and columns that are there."""

    def __init__(self, alias: str, columns_of: Callable[[str], set[str]]) -> None:
        self.alias = alias
        self._columns_of = functools.lru_cache(maxsize=None)(columns_of)
        self._found: dict[str, Any] = {}

    def __call__(self, row: ForeignRow) -> Any:
        """The value for the foreign key; None where there is no such row, or where its table is still to come.

        :raises OptionProblem: there are several.
        """
        if any(isinstance(part, ForeignRow) and part.value is None for part in row.lookup.values()):
            return None
        fields = {item.name: item for item in row.model._meta.concrete_fields}
        for name in [*row.lookup, row.target]:
            item = row.model._meta.pk if name == "pk" else fields[name]
            if item.column not in self._columns_of(item.model._meta.db_table):
                return None
        key = f"{row.model._meta.label} {row.target} {sorted((name, repr(part)) for name, part in row.lookup.items())}"
        if key not in self._found:
            lookup = {name: part.value if isinstance(part, ForeignRow) else part for name, part in row.lookup.items()}
            self._found[key] = find(row, lookup, self.alias)
        return self._found[key]


def checked(model: type[Model], finder: Finder, attributes: dict[str, Any], defaults: dict[str, Any]) -> Values:
    """The values of ``attributes`` and ``defaults`` as the model's fields take them.

    Names that the model does not have are errors in ``attributes``, and left unused in ``defaults``.
    """
    fields = settable_fields(model)
    values = Values()
    for name, value in attributes.items():
        if name not in fields:
            values.errors.append(_unknown(model, name, fields))
        elif getattr(fields[name], "auto_now", False):
            values.errors.append(
                f"{name}: Django sets it to the time of every save (auto_now), so it can't be kept at a value."
            )
        else:
            _convert(fields[name], finder, value, values.attributes, values.errors)
    values.unused_defaults = [name for name in defaults if name not in fields]
    for name, value in defaults.items():
        if name in fields and name not in attributes:
            _convert(fields[name], finder, value, values.defaults, values.errors)
    return values


def missing_required(model: type[Model], given: set[str]) -> list[str]:
    """The fields that a new row needs a value for, and that neither the task nor the model gives one."""
    from django.db.models import NOT_PROVIDED

    return [
        name
        for name, item in settable_fields(model).items()
        if name not in given
        and not item.null
        and not item.blank
        and not item.has_default()
        and getattr(item, "db_default", NOT_PROVIDED) is NOT_PROVIDED
        and not getattr(item, "auto_now", False)
        and not getattr(item, "auto_now_add", False)
    ]


def _unknown(model: type[Model], name: str, fields: dict[str, Field]) -> str:
    keys = [item.name for item in fields.values() if item.is_relation and item.attname == name]
    if keys:
        return f"{name}: name the foreign key itself, with a mapping that finds its row: {keys[0]}: {{pk: …}}."
    if any(item.name == name for item in model._meta.many_to_many):
        return f"{name}: a many-to-many field; this module sets columns of the row only."
    if any(item.name == name for item in model._meta.get_fields()):
        return f"{name}: can't be set; it is made by the database or belongs to another model."
    return f"{name}: {model._meta.label} has no such field (it has: {', '.join(sorted(fields))})."


def quoted(value: object) -> str:
    """A value as an error repeats it, however long it is."""
    text = repr(value)
    return text if len(text) <= _QUOTED_LENGTH else text[:_QUOTED_LENGTH] + "…"


def _convert(item: Field, finder: Finder, value: Any, into: dict[str, Any], errors: list[str]) -> None:
    from django.core.exceptions import ValidationError

    try:
        into[item.name] = foreign_row(item, finder, value) if item.is_relation else clean_value(item, value)
    except OptionProblem as problem:
        errors.append(f"{item.name}: {problem}")
    except (ValidationError, TypeError, ValueError) as error:
        reason = f" {' '.join(error.messages)}" if isinstance(error, ValidationError) else f" {error}"
        if is_secret(item.name):
            errors.append(f"{item.name}: the value does not fit {type(item).__name__}.")
        else:
            errors.append(f"{item.name}: {quoted(value)} does not fit {type(item).__name__}:{reason[:_REASON_LENGTH]}")


def is_secret(name: str) -> bool:
    """Whether a field's name says that its value must not be shown."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def clean_value(item: Field, value: Any) -> Any:
    """A value as the field's own conversion and validation leave it.

    :raises django.core.exceptions.ValidationError: it does not fit the field.
    """
    from django.conf import settings
    from django.utils import timezone

    if value is None and item.null:
        # blank=False is about forms: a field left out of a creation is NULL as well.
        return None
    cleaned = item.clean(value, None)
    if isinstance(cleaned, datetime.datetime) and settings.USE_TZ and timezone.is_naive(cleaned):
        return timezone.make_aware(cleaned)
    return cleaned


def same(item: Field, left: Any, right: Any) -> bool:
    """Whether two values are one to the database."""
    if left == right:
        return True
    try:
        return bool(item.to_python(left) == item.to_python(right))
    except Exception:
        return False


def foreign_row(item: Field, finder: Finder, value: Any) -> ForeignRow | None:
    """The row that a mapping finds.

    :raises OptionProblem: it is no mapping, does not fit the other model, finds several rows, or none and there is no ``create``.
    """
    if value is None:
        if not item.null:
            raise OptionProblem("this field can't be empty.")
        return None
    other = item.remote_field.model
    if not isinstance(value, dict) or not set(value) - {"create"}:
        raise OptionProblem(
            f"a foreign key to {other._meta.label} is given as a mapping that finds the row, for example {{email: ops@example.com}}, not as {quoted(value)}."
        )
    create = value.get("create")
    if create is not None and not isinstance(create, dict):
        raise OptionProblem("create: takes a mapping of fields and values.")
    errors: list[str] = []
    lookup = _lookup(other, finder, {name: part for name, part in value.items() if name != "create"}, errors)
    if create is not None:
        checked_create = checked(other, finder, create, {})
        create = checked_create.attributes
        errors += checked_create.errors
    if errors:
        raise OptionProblem(" ".join(errors))
    row = ForeignRow(other, lookup, create, item.target_field.name)
    row.value = finder(row)
    if row.value is None and create is None:
        raise OptionProblem(f"there is no {row}. Give create: with the fields to make it with.")
    if row.value is None and create is not None:
        lacking = missing_required(other, set(create) | set(lookup))
        # A user is made without a password that works, unless one is given.
        lacking = [name for name in lacking if not (name == "password" and hasattr(other, "set_unusable_password"))]
        if lacking:
            raise OptionProblem(f"there is no {row}, and create: needs a value for {', '.join(lacking)} to make it.")
    return row


def _lookup(other: type[Model], finder: Finder, given: dict[str, Any], errors: list[str]) -> dict[str, Any]:
    fields = settable_fields(other)
    primary_key = other._meta.pk
    into: dict[str, Any] = {}
    for name, part in given.items():
        if name in ("pk", primary_key.name):
            try:
                into[name] = primary_key.to_python(part)
            except Exception:
                errors.append(f"{name}: {quoted(part)} does not fit {type(primary_key).__name__}.")
        elif name not in fields:
            errors.append(_unknown(other, name, fields))
        else:
            _convert(fields[name], finder, part, into, errors)
    return into


def find(row: ForeignRow, lookup: dict[str, Any], alias: str) -> Any:
    """The value for the foreign key of the one row that ``lookup`` finds; None where there is none.

    :raises OptionProblem: there are several.
    """
    found = list(row.model._base_manager.using(alias).filter(**lookup).values_list(row.target, flat=True)[:2])
    if len(found) > 1:
        raise OptionProblem(f"more than one {row} was found.")
    return found[0] if found else None


def get_or_create(row: ForeignRow, alias: str) -> Any:
    """The row's instance, made through the model if need be; a user's password is hashed as Django does."""

    def resolved(values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: get_or_create(part, alias) if isinstance(part, ForeignRow) else part for name, part in values.items()
        }

    lookup = resolved(row.lookup)
    # Asked again: a tenant before this one may have made it.
    value = find(row, lookup, alias)
    if value is not None:
        return row.model._base_manager.using(alias).get(**{row.target: value})
    values = {**lookup, **resolved(row.create or {})}
    password = values.pop("password", None) if hasattr(row.model, "set_password") else None
    instance = row.model(**values)
    if hasattr(instance, "set_unusable_password"):
        if password is None:
            instance.set_unusable_password()
        else:
            instance.set_password(password)
    instance.save(using=alias)
    return instance
