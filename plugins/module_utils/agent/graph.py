# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The migrations on disk as one graph, whatever a schema has recorded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Collection, Iterator

from .blame import place_of
from .errors import AgentError, LoadProblem, OptionProblem
from .fleet import NOTHING, Migration, Recorded
from .places import place_of_migration
from .plan import pending

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState


class Graphs:
    """Loaded migration graphs, one for each way in which squashed migrations are recorded.

    Which squashed migrations stand for what they replace depends on what is recorded
    (``MigrationLoader.build_graph``); without any there is one graph for all schemas.
    """

    def __init__(self, plain: MigrationLoader | None = None) -> None:
        self._by_replacements: dict[Recorded, MigrationLoader] = {}
        self._plain = with_one_leaf_an_app(plain or read_graph(NOTHING))
        self._replaced = frozenset(key for migration in self._plain.replacements.values() for key in migration.replaces)
        self._replaced |= frozenset(self._plain.replacements)

    @property
    def on_disk(self) -> dict[Migration, Any]:
        return dict(self._plain.disk_migrations)

    @property
    def migrated_apps(self) -> set[str]:
        return set(self._plain.migrated_apps)

    @property
    def unmigrated_apps(self) -> set[str]:
        return set(self._plain.unmigrated_apps)

    def for_recorded(self, recorded: Recorded) -> MigrationLoader:
        relevant = recorded & self._replaced
        if relevant not in self._by_replacements:
            self._by_replacements[relevant] = with_one_leaf_an_app(read_graph(relevant)) if relevant else self._plain
        return self._by_replacements[relevant]

    def applied(self, recorded: Recorded) -> Recorded:
        """What counts as applied: a squashed migration does once all that it replaces is recorded."""
        if not self._replaced:
            return recorded
        return (recorded - self._replaced) | frozenset(self.for_recorded(recorded).applied_migrations)

    def to_record(self, recorded: Recorded) -> tuple[Migration, ...]:
        """The squashed migrations that count as applied and are not recorded yet.

        Migrate records them even where nothing is pending: once the replaced files are gone from the disk,
        a squashed migration without a record would run a second time.
        """
        return tuple(
            sorted(key for key in self._plain.replacements if key not in recorded and key in self.applied(recorded))
        )


def read_graph(recorded: Recorded) -> MigrationLoader:
    """A loader whose graph is that of a schema where ``recorded`` is applied. It asks no database.

    :raises AgentError: the migrations on disk can't be imported, or don't form a graph.
    """
    from django.db.migrations.loader import MigrationLoader

    class RecordedLoader(MigrationLoader):
        """build_graph() empties applied_migrations where it has no connection; here that sets what is recorded."""

        @property
        def applied_migrations(self) -> dict[Migration, Any]:
            return self._applied

        @applied_migrations.setter
        def applied_migrations(self, value: object) -> None:
            self._applied = dict.fromkeys(recorded)

    with _named_errors():
        return RecordedLoader(None)


def read_disk() -> MigrationLoader:
    """A loader that knows the migrations on disk and no graph of them.

    :raises AgentError: one can't be imported.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, load=False)
    with _named_errors():
        loader.load_disk()
    return loader


@contextmanager
def _named_errors() -> Iterator[None]:
    """What Django says of the migrations on disk, with the place of the one at fault."""
    from django.db.migrations.exceptions import BadMigrationError, NodeNotFoundError
    from django.db.migrations.graph import CircularDependencyError

    try:
        yield
    except (BadMigrationError, NodeNotFoundError, CircularDependencyError) as error:
        origin = getattr(error, "origin", None)
        raise LoadProblem(
            f"The migrations on disk don't form a graph: {error}",
            place=None if origin is None or isinstance(origin, str) else place_of_migration(origin),
        ) from None
    except Exception as error:
        raise LoadProblem(
            f"The migrations can't be loaded: {type(error).__name__}: {error}",
            place=place_of(error),
            hint="'manage.py showmigrations' shows the same.",
        ) from None


def models_after(loader: MigrationLoader, applied: Collection[Migration]) -> ProjectState:
    """The models as these migrations leave them (``MigrationExecutor._create_project_state``), of which no classes are made yet."""
    from django.db.migrations.state import ProjectState

    state = ProjectState(real_apps=loader.unmigrated_apps)
    for key in pending(loader.graph, loader.graph.leaf_nodes(), NOTHING):
        if key in applied:
            loader.graph.nodes[key].mutate_state(state, preserve=False)
    return state


def with_one_leaf_an_app(loader: MigrationLoader) -> MigrationLoader:
    """The same loader, if each app has one state to migrate to.

    :raises AgentError: an app has several leaf nodes.
    """
    conflicts = loader.detect_conflicts()
    if conflicts:
        named = "; ".join(f"{app}: {', '.join(sorted(names))}" for app, names in sorted(conflicts.items()))
        raise AgentError(
            "project",
            f"Some apps have more than one leaf migration, so there is no one state to migrate to: {named}.",
            hint="Run 'manage.py makemigrations --merge' in the project, review the migration, and release it.",
        )
    return loader


def resolve(loader: MigrationLoader, target: str) -> list[Migration]:
    """The nodes of the graph that ``app`` or ``app:migration`` means, the name as short as Django takes it.

    :raises OptionProblem: no such app, or no or several such migrations.
    """
    from django.db.migrations.exceptions import AmbiguityError

    app, has_name, name = target.partition(":")
    if app not in loader.migrated_apps:
        raise OptionProblem(
            f"There is no app {app!r} with migrations.", hint="Give app, or app:migration, with the app's label."
        )
    if not has_name:
        return list(loader.graph.leaf_nodes(app))
    if name == "zero":
        raise OptionProblem(f"{target}: this module never takes migrations back.")
    try:
        migration = loader.get_migration_by_prefix(app, name)
    except AmbiguityError:
        raise OptionProblem(f"More than one migration of {app!r} starts with {name!r}.") from None
    except KeyError:
        raise OptionProblem(f"The app {app!r} has no migration that starts with {name!r}.") from None
    key = (app, migration.name)
    if key not in loader.graph.nodes and key in loader.replacements:
        key = loader.graph.leaf_nodes(app)[0]
    return [key]
