# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Values for a model's fields as a task gives them: checked and converted as the model would, before anything is written."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import OptionProblem

if TYPE_CHECKING:
    from django.db.models import Field, Model


@dataclass
class ForeignRow:
    """A row of another model, found by ``lookup``; made with ``create`` as well where there is none."""

    model: type[Model]
    lookup: dict[str, Any]
    create: dict[str, Any] | None
    pk: Any = None

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


def checked(model: type[Model], alias: str, attributes: dict[str, Any], defaults: dict[str, Any]) -> Values:
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
            _convert(fields[name], alias, value, values.attributes, values.errors)
    for name, value in defaults.items():
        if name in values.attributes:
            continue
        if name not in fields:
            values.unused_defaults.append(name)
        else:
            _convert(fields[name], alias, value, values.defaults, values.errors)
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
    if any(item.name == name for item in model._meta.many_to_many):
        return f"{name}: a many-to-many field; this module sets columns of the row only."
    if any(item.name == name for item in model._meta.get_fields()):
        return f"{name}: can't be set; it is made by the database or belongs to another model."
    return f"{name}: {model._meta.label} has no such field (it has: {', '.join(sorted(fields))})."


def _convert(item: Field, alias: str, value: Any, into: dict[str, Any], errors: list[str]) -> None:
    from django.core.exceptions import ValidationError

    try:
        into[item.name] = foreign_row(item, alias, value) if item.is_relation else clean_value(item, value)
    except ValidationError as error:
        errors.append(f"{item.name}: {' '.join(error.messages)}")
    except OptionProblem as problem:
        errors.append(f"{item.name}: {problem}")
    except (TypeError, ValueError) as error:
        errors.append(f"{item.name}: {value!r} does not fit {type(item).__name__}: {error}")


def clean_value(item: Field, value: Any) -> Any:
    """A value as the field's own conversion and validation leave it.

    :raises django.core.exceptions.ValidationError: it does not fit the field.
    """
    from django.conf import settings
    from django.utils import timezone

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


def foreign_row(item: Field, alias: str, value: Any) -> ForeignRow | None:
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
            f"a foreign key to {other._meta.label} is given as a mapping that finds the row, for example {{email: ops@example.com}}."
        )
    create = value.get("create")
    if create is not None and not isinstance(create, dict):
        raise OptionProblem("create: takes a mapping of fields and values.")
    lookup = {name: part for name, part in value.items() if name != "create"}
    fields = settable_fields(other)
    fields["pk"] = other._meta.pk
    fields.setdefault(other._meta.pk.name, other._meta.pk)
    errors = [_unknown(other, name, fields) for name in lookup if name not in fields]
    if not errors:
        lookup = {name: _lookup_value(fields[name], alias, part, errors) for name, part in lookup.items()}
    if create is not None and not errors:
        checked_create = checked(other, alias, create, {})
        create = checked_create.attributes
        errors += checked_create.errors
    if errors:
        raise OptionProblem(" ".join(errors))
    row = ForeignRow(other, lookup, create)
    row.pk = find(row, alias)
    if row.pk is None and create is None:
        raise OptionProblem(f"there is no {row}.", hint="Give create: with the fields to make it with.")
    if row.pk is None and create is not None:
        lacking = missing_required(other, set(create) | set(lookup))
        # A user is made without a password that works, unless one is given.
        lacking = [name for name in lacking if not (name == "password" and hasattr(other, "set_unusable_password"))]
        if lacking:
            raise OptionProblem(f"create: needs a value for {', '.join(lacking)} of {other._meta.label}.")
    return row


def _lookup_value(item: Field, alias: str, value: Any, errors: list[str]) -> Any:
    into: dict[str, Any] = {}
    if item.primary_key:
        try:
            return item.to_python(value)
        except Exception as error:
            errors.append(f"{item.name}: {error}")
            return None
    _convert(item, alias, value, into, errors)
    converted = into.get(item.name)
    return converted.pk if isinstance(converted, ForeignRow) else converted


def find(row: ForeignRow, alias: str) -> Any:
    """The primary key of the one row that is meant; None where there is none, or where its table is still to come."""
    from django.db import connections

    connection = connections[alias]
    if row.model._meta.db_table not in connection.introspection.table_names():
        return None
    found = list(row.model._base_manager.using(alias).filter(**row.lookup).values_list("pk", flat=True)[:2])
    if len(found) > 1:
        raise OptionProblem(f"more than one {row} was found.")
    return found[0] if found else None


def get_or_create(row: ForeignRow, alias: str) -> Any:
    """The row's instance, made through the model if need be; a user's password is hashed as Django does."""
    pk = row.pk if row.pk is not None else find(row, alias)
    if pk is not None:
        return row.model._base_manager.using(alias).get(pk=pk)
    values = {**row.lookup, **(row.create or {})}
    password = values.pop("password", None) if hasattr(row.model, "set_password") else None
    values = {
        name: get_or_create(value, alias) if isinstance(value, ForeignRow) else value for name, value in values.items()
    }
    instance = row.model(**values)
    if hasattr(instance, "set_unusable_password"):
        if password is None:
            instance.set_unusable_password()
        else:
            instance.set_password(password)
    instance.save(using=alias)
    return instance
