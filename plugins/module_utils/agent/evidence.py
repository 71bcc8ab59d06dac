# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the rules of the audit look at, each part read once, when the first rule asks for it."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from .conflicts import Catalog, Conflict
from .errors import AgentError
from .expected import Gap, Needed, gaps, needed_after
from .fingerprint import fingerprints, read_part
from .fleet import NOTHING, Fleet, Migration, Recorded, SchemaState, read_fleet
from .forecast import Effect, effects, whole_plan
from .graph import Graphs, read_disk, read_graph
from .kinds import SchemaKind, schema_kinds
from .planning import WHOLE, make_plan
from .routing import Routing, read_routing
from .structure import Structure, read_columns, read_structures, read_tables

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

    from .loading import Context
    from .plan import SchemaPlan

T = TypeVar("T")


class Unknown(Exception):
    """A rule asked for something that can't be known here; the message says why, as a sentence."""


@dataclass
class AuditCohort:
    """Schemas with the same type, the same recorded migrations and the same tables and columns; ``structure`` is that of the first."""

    plan: SchemaPlan
    structure: Structure
    states: list[SchemaState] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [state.name for state in self.states]

    @property
    def first(self) -> SchemaState:
        return self.states[0]

    @functools.cached_property
    def there(self) -> dict[str, set[str]]:
        """The columns of each table and view."""
        return self.structure.all_columns()


class _Part(functools.cached_property):  # type: ignore[type-arg]
    """A cached property that keeps the time it took, and the reason where it can't be known."""

    def __get__(self, evidence: Any, owner: Any = None) -> Any:
        if evidence is None:
            return self
        name = str(self.attrname)
        if name in evidence.unknown:
            raise Unknown(evidence.unknown[name])
        if name in vars(evidence):
            return vars(evidence)[name]
        started = time.monotonic()
        nested = evidence.reading_seconds
        try:
            return super().__get__(evidence, owner)
        except Unknown as unknown:
            evidence.unknown[name] = str(unknown)
            raise
        except AgentError as error:
            evidence.unknown[name] = str(error)
            evidence.errors[name] = error
            raise Unknown(str(error)) from error
        finally:
            own = time.monotonic() - started - (evidence.reading_seconds - nested)
            evidence.seconds[name] = evidence.seconds.get(name, 0.0) + own
            evidence.reading_seconds += own


def part(read: Callable[[Any], T]) -> T:
    """Mark a method of :class:`Evidence` as a part of it, read once."""
    return _Part(read)  # type: ignore[return-value]


class Evidence:
    """The project and its database, as far as they can be looked at.

    Where a part can't be known (the apps don't load, the graph does not hold together …), asking for it raises :class:`Unknown`
    with the reason, and the rule that asked is skipped: another rule names the cause.

    :param options: those of the task: ``planned``, ``planned_public``, ``fake_initial``, and whatever single rules read.
    :param load_error: why the apps don't load.
    :param tenancy_error: why they make no tenancy.
    """

    def __init__(
        self,
        wire: Any,
        context: Context | None,
        load_error: AgentError | None = None,
        tenancy_error: AgentError | None = None,
        load_warnings: list[str] | None = None,
    ) -> None:
        self.wire = wire
        self._context = context
        self.load_error, self.tenancy_error = load_error, tenancy_error
        self.load_warnings = load_warnings or []
        self.options: dict[str, Any] = {}
        # By part: why it can't be known, and the error that says more.
        self.unknown: dict[str, str] = {}
        self.errors: dict[str, AgentError] = {}
        self.seconds: dict[str, float] = {}
        self.reading_seconds = 0.0

    def close(self) -> None:
        if self.load_error is None:
            from django.db import connections

            connections.close_all()

    def require_apps(self) -> None:
        """:raises Unknown: the apps are not loaded."""
        if self.load_error:
            raise Unknown("The project does not load.")

    @property
    def context(self) -> Context:
        self.require_apps()
        if self._context is None:
            raise Unknown("The project makes neither of the two tenancies.")
        return self._context

    def tenancy_facts(self) -> dict[str, object] | None:
        """What every result says of the tenancy; None where the project does not load, or makes none."""
        return self._context.tenancy.facts() if self._context else None

    @property
    def planned(self) -> set[str]:
        """Tenants (schemas, or rows) that later tasks of the play ensure, so that nothing is wrong where they lack something yet."""
        public = self.context.tenancy.public_schema
        return {*self.options["planned"], *([public] if public and self.options["planned_public"] else [])}

    @part
    def disk(self) -> dict[Migration, Any]:
        """The migrations on disk, whether or not they hold together, by app and name."""
        self.require_apps()
        return dict(read_disk().disk_migrations)

    @part
    def loader(self) -> MigrationLoader:
        """The migrations on disk as a graph, in which an app may have several leaf nodes."""
        self.require_apps()
        return read_graph(NOTHING)

    @part
    def graphs(self) -> Graphs:
        """The migrations on disk as they can be planned."""
        return Graphs(self.loader)

    def error_of(self, name: str) -> AgentError | None:
        """The error that stood in the way of reading a part; None where it can be read, or another part is the cause."""
        try:
            getattr(self, name)
        except Unknown:
            return self.errors.get(name)
        return None

    @part
    def fleet(self) -> Fleet:
        """What there is of schemas and tenants, and what each schema has recorded."""
        return read_fleet(self.context)

    @part
    def routing(self) -> Routing:
        """All tenants and their domains."""
        return read_routing(self.context)

    @part
    def plans(self) -> dict[str, SchemaPlan]:
        """What each schema lacks, by its name; those of tenants whose schema does not exist hold a problem."""
        states = list(self.fleet.schemas.values())
        return {
            item.schema.name: item for item in make_plan(self.context, self.graphs, self.fleet, states, WHOLE).schemas
        }

    @part
    def kinds(self) -> list[SchemaKind]:
        """The public schema, and each kind of tenants' schemas, whether or not one exists."""
        return schema_kinds(self.context, self.fleet)

    @part
    def new_effects(self) -> dict[SchemaKind, list[Effect]]:
        """What all the migrations would do in an empty schema, by its kind."""
        loader = self.graphs.for_recorded(NOTHING)
        plan = whole_plan(loader)
        return {kind: effects(self.context, kind, loader, plan) for kind in self.kinds}

    def kind_of(self, state: SchemaState) -> SchemaKind | None:
        """A schema's kind; None where its tenant has a type that the settings do not know."""
        return next((kind for kind in self.kinds if kind.has(state, self.fleet)), None)

    @part
    def pending_effects(self) -> dict[str, list[Effect]]:
        """What the pending migrations would do in the first schema of each cohort that can be planned, by its name."""
        found = {}
        for cohort in self.cohorts:
            kind, plan = self.kind_of(cohort.first), cohort.plan
            if kind is not None and not plan.problem:
                loader = self.graphs.for_recorded(cohort.first.recorded)
                found[cohort.first.name] = effects(self.context, kind, loader, plan.migrations, plan.applied)
        return found

    @part
    def new_conflicts(self) -> dict[SchemaKind, list[Conflict]]:
        """What the database would refuse of all the migrations in an empty schema, by its kind."""
        public: set[str] = set()
        found = {}
        for kind, foretold in self.new_effects.items():
            catalog = Catalog({}, public, kind.schema)
            found[kind] = [conflict for conflict in map(catalog.meet, foretold) if conflict]
            if kind.public:
                public = set(catalog.tables) | catalog.uncertain
        return found

    @part
    def pending_conflicts(self) -> dict[str, list[Conflict]]:
        """What the database would refuse of the pending migrations in the first schema of each cohort, by its name."""
        found = {}
        public: set[str] = set()
        for cohort in self.cohorts:
            schema = cohort.first.name
            catalog = Catalog(cohort.there, public, schema, cohort.structure.all_indexes())
            found[schema] = [item for item in map(catalog.meet, self.pending_effects.get(schema, ())) if item]
            if schema == self.fleet.public:
                public = set(catalog.tables) | catalog.uncertain
        return found

    @part
    def gaps(self) -> dict[str, list[Gap]]:
        """What the first schema of each cohort has recorded and not got, by its name; of those only that can be planned."""
        needed = self.needed
        there = {cohort.first.name: cohort.there for cohort in self.cohorts}
        return {name: gaps(needed[name], there[name], self.folds) for name in needed}

    @part
    def needed(self) -> dict[str, list[Needed]]:
        """The tables that the first schema of each cohort should have after what it has recorded, by its name."""
        known: dict[Any, list[Needed]] = {}
        found = {}
        for cohort in self.cohorts:
            kind, plan = self.kind_of(cohort.first), cohort.plan
            if kind is None or plan.problem:
                continue
            if (kind, plan.applied) not in known:
                loader = self.graphs.for_recorded(cohort.first.recorded)
                known[kind, plan.applied] = needed_after(self.context, loader, plan.applied, kind)
            found[cohort.first.name] = known[kind, plan.applied]
        return found

    @property
    def folds(self) -> bool:
        """Whether the database takes names that differ in case for the same."""
        return bool(self.context.connection.vendor == "sqlite")

    @part
    def cohorts(self) -> list[AuditCohort]:
        """The schemas that exist, those together that are alike; the public one first, alone."""
        fleet = self.fleet
        states = [state for state in fleet.schemas.values() if state.exists]
        prints = self._columns_fingerprints([state.name for state in states])
        groups: dict[Any, list[SchemaState]] = defaultdict(list)
        for state in states:
            key = (state.name == fleet.public, state.type, state.recorded, prints.get(state.name))
            groups[key].append(state)
        structures = self._structures([group[0].name for group in groups.values()])
        plans = self.plans
        return [AuditCohort(plans[group[0].name], structures[group[0].name], group) for group in groups.values()]

    def _columns_fingerprints(self, schemas: list[str]) -> dict[str, str]:
        connection = self.context.connection
        if connection.vendor != "postgresql" or len(schemas) < 2:
            return {}
        with connection.cursor() as cursor:
            return fingerprints([read_part(cursor, "columns", schemas, connection.pg_version)])

    def _structures(self, schemas: list[str]) -> dict[str, Structure]:
        connection = self.context.connection
        if connection.vendor == "postgresql":
            return read_structures(connection, schemas)
        found = {}
        for schema, tables in read_tables(connection, schemas).items():
            parts = {(table, "relation", ""): "r" for table in tables}
            for table, columns in read_columns(connection, schema, tables).items():
                parts.update({(table, "column", column): "" for column in columns})
            found[schema] = Structure(schema, parts)
        return found


def ghosts_of(evidence: Evidence, recorded: Recorded) -> list[Migration]:
    """What is recorded and neither on disk nor replaced by what is."""
    loader = evidence.loader
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    return sorted(recorded - loader.disk_migrations.keys() - replaced)
