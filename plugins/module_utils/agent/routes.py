# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the project's routers say of a model that is only a state, without a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import AgentError
from .model_tables import table_name

if TYPE_CHECKING:
    from django.db.migrations.state import ModelState

    from .loading import Context


class Routes:
    """What the project's routers say of operations in the schema that the connection is set to."""

    def __init__(self, context: Context) -> None:
        self.alias, self.connection = context.alias, context.connection
        self._models: dict[tuple[str, str, str], bool] = {}

    def model(self, state: ModelState | None) -> bool:
        """As ``router.allow_migrate_model`` has it, of a model that has no class."""
        if state is None:
            return True
        key = (state.app_label, state.name_lower, str(state.options.get("db_table")))
        if key not in self._models:
            self._models[key] = self.app(
                state.app_label, model_name=state.name_lower, model=_stand_in(state, self.connection)
            )
        return self._models[key]

    def app(self, app_label: str, **hints: Any) -> bool:
        """
        :raises AgentError: a router fails.
        """
        from django.db import router

        try:
            return bool(router.allow_migrate(self.alias, app_label, **hints))
        except Exception as error:
            raise AgentError(
                "project",
                f"The project's routers can't be asked where {app_label} belongs: {type(error).__name__}: {error}",
            ) from error


def _stand_in(state: ModelState, connection: Any) -> type:
    """What a router may ask of a model: its name and options."""
    from django.db.models.options import Options

    meta: Any = Options(None, state.app_label)
    meta.object_name, meta.model_name, meta.db_table = state.name, state.name_lower, table_name(state, connection)
    meta.managed, meta.proxy = state.options.get("managed", True), state.options.get("proxy", False)
    meta.verbose_name = state.name
    stand_in = type(state.name, (), {"__module__": "__fake__", "_meta": meta})
    meta.model = stand_in
    return stand_in
