# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Migrate schemas that were just made: compiled in the first of each tenant type, replayed in the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .capture import CapturingWatch
from .compiler import Compiled, compile_quickly, routing
from .executor import run_plan
from .replay import NotAlike, replay_inside, run_mixed
from .verification import in_schema

if TYPE_CHECKING:
    from .graph import Graphs
    from .loading import Context
    from .outcome import Watch
    from .plan import SchemaPlan


class NewSchemas:
    """The plans of new schemas that have been compiled, by tenant type. All new schemas of a type are alike: empty."""

    def __init__(self, context: Context, graphs: Graphs) -> None:
        self.context, self.graphs = context, graphs
        self._compiled: dict[str | None, Compiled] = {}

    def compiled(self, tenant_type: str | None) -> bool:
        return tenant_type in self._compiled

    def learn(self, tenant_type: str | None, compiled: Compiled) -> None:
        """Take note of a plan for an empty schema that was compiled elsewhere."""
        self._compiled[tenant_type] = compiled

    def watch(self, plan: SchemaPlan) -> CapturingWatch:
        return CapturingWatch(plan.schema.name, self.context.connection)

    def migrate(self, plan: SchemaPlan, watch: CapturingWatch) -> None:
        """Run the whole plan in an empty schema, inside a transaction of the caller's. Errors are raised as they come."""
        compiled = self._compiled.get(plan.schema.type)
        if compiled is None:
            compiled = Compiled(plan.schema.name)
            compile_quickly(self.context, plan, self.graphs.for_recorded(plan.schema.recorded), watch, compiled)
            self._compiled[plan.schema.type] = compiled
        elif compiled.because or self._routed_otherwise(plan, compiled):
            run_plan(self.context, plan, self.graphs.for_recorded(plan.schema.recorded), watch)
        else:
            self._replay(plan, compiled, watch)

    def _routed_otherwise(self, plan: SchemaPlan, compiled: Compiled) -> bool:
        return bool(compiled.asked) and routing(self.context, plan.schema, compiled.asked) != compiled.routing

    def _replay(self, plan: SchemaPlan, compiled: Compiled, watch: Watch) -> None:
        from django.db import Error, transaction

        try:
            with transaction.atomic(using=self.context.alias):
                if compiled.replayed_whole:
                    with in_schema(self.context, plan.schema.name, plan.schema.type):
                        replay_inside(self.context, compiled, plan.schema)
                else:
                    run_mixed(self.context, compiled, plan.schema, watch, [])
        except (Error, NotAlike):
            if watch.current:
                raise
            # A script does not tell which of its migrations failed; Django does.
            run_plan(self.context, plan, self.graphs.for_recorded(plan.schema.recorded), watch)
