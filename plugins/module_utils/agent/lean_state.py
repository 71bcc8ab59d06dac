# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The models of migrations, whose classes are made anew only where that makes a difference to the SQL.

Django makes anew whatever is related to a changed model, in either direction and over any distance: an index costs the classes of
half the project. But a class holds only those that it refers to or inherits from; what refers to it is looked up in the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

if TYPE_CHECKING:
    from django.db.migrations.state import ProjectState

    Key = tuple[str, str]


def lean(state: ProjectState) -> ProjectState:
    """A state that takes the place of another, of which no classes are made yet."""
    from django.db.migrations.state import ProjectState

    class LeanState(ProjectState):
        def _find_reload_model(self, app_label: str, model_name: str, delay: bool = False) -> set[Key]:
            """The models to make anew for a change of this one; none is left for later, whatever ``delay`` says."""
            key = (app_label, model_name)
            try:
                changed = self.apps.get_model(*key)
            except LookupError:
                # New: nobody holds it yet.
                return {key}
            if _relations(changed).items() <= _relations_in(self, key).items():
                return {(model._meta.app_label, model._meta.model_name) for model in _with_holders(changed)}
            # What it referred to has to stay as it was in the state before, where it still refers to that.
            found: set[Key] = super()._find_reload_model(*key)
            return found

    return LeanState(models=state.models, real_apps=state.real_apps)


def _relations(model: Any) -> dict[str, Any]:
    """What a model's class refers to."""
    return {
        field.name: (_key(field.remote_field.model), _through(field, ("", "")))
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if field.remote_field
    }


def _relations_in(state: ProjectState, key: Key) -> dict[str, Any]:
    """What a model refers to that may have changed since."""
    from django.db.migrations.utils import resolve_relation

    return {
        name: (resolve_relation(field.remote_field.model, *key), _through(field, key))
        for name, field in state.models[key].fields.items()
        if field.remote_field
    }


def _key(model: Any) -> Key | None:
    """Of a model that is not known yet there is none, so that it is like no other."""
    return None if isinstance(model, str) else (model._meta.app_label, model._meta.model_name)


def _through(field: Any, key: Key) -> Key | None:
    from django.db.migrations.utils import resolve_relation

    through = getattr(field.remote_field, "through", None)
    if through is None or getattr(getattr(through, "_meta", None), "auto_created", False):
        return None
    found: Key = resolve_relation(through, *key)
    return found


def _with_holders(model: Any) -> set[Any]:
    """A model, the models whose classes hold it, those that hold these, and so on."""
    found = {model}
    todo = [model]
    while todo:
        new = set(_holders(todo.pop())) - found
        found |= new
        todo += new
    return found


def _holders(model: Any) -> Iterator[Any]:
    from django.db.models import Model

    yield from (one for one in model.__subclasses__() if issubclass(one, Model))
    for field in model._meta.get_fields(include_hidden=True):
        other: Any = field.related_model
        if not field.is_relation or other is None or isinstance(other, str):
            continue
        referred_by = field.auto_created and not field.concrete
        if referred_by or any(many.remote_field.through is model for many in other._meta.local_many_to_many):
            yield other
