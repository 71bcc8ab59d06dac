# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The model's own validation of a row that is about to be saved."""

from __future__ import annotations

from typing import Any, Collection


def clean_given(instance: Any, given: Collection[str], free: Collection[str] = ()) -> None:
    """``full_clean()`` of the fields that are given.

    :param free: those of them whose values no row has, as was just read: if nothing else is unique, nothing is looked up again. Of a new row.
    :raises django.core.exceptions.ValidationError: the model refuses it.
    """
    exclude = [field.name for field in instance._meta.fields if field.name not in given]
    if _is_unique_in(type(instance), given, free):
        instance.full_clean(exclude=exclude, validate_unique=False)
    else:
        instance.full_clean(exclude=exclude)


def _is_unique_in(model: Any, given: Collection[str], free: Collection[str]) -> bool:
    """Whether ``Model.validate_unique`` would look for nothing but these (``Model._get_unique_checks``)."""
    from django.db.models import Model

    options = model._meta
    if model.full_clean is not Model.full_clean or model.validate_unique is not Model.validate_unique:
        return False
    if options.parents or options.unique_together:
        return False
    return not any(
        (field.unique and field.name not in free)
        or field.unique_for_date
        or field.unique_for_month
        or field.unique_for_year
        for field in options.fields
        if field.name in given
    )
