# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What migrations would do to the tables and columns of a schema, followed over the graph and the states, without a database.

No model classes are made for it. Each operation is put to the project's routers as Django does.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator

from .errors import AgentError
from .model_tables import OWN, Tables, is_kept, named, part_names, table_name, tables_of
from .places import place_of_migration
from .python_text import changes_of, does_anything, models_edited
from .routes import Routes
from .sql_text import changes
from .verification import in_schema

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ModelState, ProjectState

    from .fleet import Migration
    from .kinds import SchemaKind
    from .loading import Context
    from .sql_text import Change


@dataclass(frozen=True)
class Effect:
    """What one operation does to one table, column, index or constraint.

    :param kind: ``create_table``, ``drop_table``, ``rename_table``, ``add_column``, ``drop_column``, ``rename_column``, ``alter_column``,
        ``use_table`` (a statement that needs it), ``add_index``, ``remove_index``, ``add_constraint``, ``remove_constraint``, ``alter_unique``;
        ``foreign_table`` (of an unmanaged model: others make it), ``run_sql``, ``run_python``, ``custom`` (an operation of the project's own),
        ``anything`` (code that may change any table), ``broken`` (it does not fit what the migrations before it make; ``detail`` says why).
    :param index: the operation's number in its migration.
    :param operation: the operation; within SeparateDatabaseAndState the inner one.
    :param new: what a table or column is renamed to.
    :param schema: the schema that the text of a statement names.
    :param columns: those of a new table; None where they are not known.
    :param before: the field before, with its name and column, where one is altered or removed; ``after`` likewise, where one is added or altered.
    :param detail: an index, a constraint or its name; of a new table the names of its indexes and constraints; the texts of RunSQL; the function
        of RunPython.
    :param lenient: it does nothing where there is nothing to do (IF EXISTS, IF NOT EXISTS).
    :param sure: False where code may do it or not.
    """

    migration: Migration
    index: int
    kind: str
    table: str = ""
    column: str = ""
    new: str = ""
    schema: str = ""
    columns: tuple[str, ...] | None = ()
    before: Any = None
    after: Any = None
    detail: Any = None
    lenient: bool = False
    sure: bool = True
    operation: Any = field(default=None, repr=False, compare=False)
    source: Any = field(default=None, repr=False, compare=False)

    @property
    def place(self) -> str:
        return place_of_migration(self.source, self.index)

    @property
    def name(self) -> str:
        return ".".join(self.migration)


def effects(
    context: Context,
    kind: SchemaKind,
    loader: MigrationLoader,
    migrations: Iterable[Migration],
    applied: Iterable[Migration] = (),
) -> list[Effect]:
    """What migrations would do in a schema of a kind, in order.

    :param migrations: in the order in which they run, as a plan has them.
    :param applied: what counts as applied there already.
    """
    from django.db.migrations.state import ProjectState

    state = ProjectState(real_apps=loader.unmigrated_apps)
    done, nodes = set(applied), loader.graph.nodes
    found: list[Effect] = []
    for key in whole_plan(loader) if done else ():
        if key in done:
            for index, operation in enumerate(nodes[key].operations):
                base = Effect(key, index, "", operation=operation, source=nodes[key])
                with _telling(base, found.append):
                    operation.state_forwards(key[0], state)
    with in_schema(context, kind.schema, kind.type):
        walk = _Walk(Routes(context), context.connection, found.append)
        for key in migrations:
            walk.migration(key, nodes[key], state)
    return found


def whole_plan(loader: MigrationLoader) -> list[Migration]:
    """Every migration in the order in which Django would run it in an empty schema, which is that of its states."""
    plan: dict[Migration, None] = {}
    for target in sorted(loader.graph.leaf_nodes()):
        plan.update(dict.fromkeys(loader.graph.forwards_plan(target)))
    return list(plan)


@contextmanager
def _telling(base: Effect, tell: Callable[[Effect], None]) -> Iterator[None]:
    """An operation that the states before it do not bear is told, and what comes after is followed as far as it goes."""
    try:
        yield
    except AgentError:
        raise
    except Exception as error:
        # Of the project's own operations anything may come.
        tell(replace(base, kind="broken", detail=" ".join(f"{type(error).__name__}: {error}".split())))


class _Walk:
    """One walk over migrations, which tells what they do as it goes."""

    def __init__(self, routes: Routes, connection: Any, tell: Callable[[Effect], None]) -> None:
        self.routes, self.connection, self.tell = routes, connection, tell

    def migration(self, key: Migration, source: Any, state: ProjectState) -> None:
        for index, operation in enumerate(source.operations):
            base = Effect(key, index, "", operation=operation, source=source)
            with _telling(base, self.tell):
                self.operation(base, operation, state)

    def operation(self, base: Effect, operation: Any, state: ProjectState) -> None:
        """Tell what an operation does, and bring the state behind it."""
        from django.db.migrations.operations import SeparateDatabaseAndState

        app = base.migration[0]
        if isinstance(operation, SeparateDatabaseAndState):
            aside = state.clone() if operation.database_operations else state
            for inner in operation.database_operations:
                self.operation(replace(base, operation=inner), inner, aside)
            operation.state_forwards(app, state)
            return
        if not _is_djangos(operation):
            base = replace(base, sure=False)
        look = _LOOKS.get(_kind_of(operation))
        if look is None:
            self._custom(base, operation, app, state)
            return
        for effect in look(self, base, operation, app, state):
            self.tell(effect)

    # What each kind of operation does. Each brings the state behind the operation itself.

    def create_model(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        operation.state_forwards(app, state)
        model = state.models[app, operation.name_lower]
        if not model.options.get("managed", True):
            yield replace(base, kind="foreign_table", table=table_name(model, self.connection))
        elif self.routes.model(model):
            yield from _dangling(base, model, model.fields, state)
            for part, table in tables_of(model, self.connection).items():
                names = part_names(model) if part == OWN else ()
                columns = tuple(table.columns.values())
                yield replace(base, kind="create_table", table=table.name, columns=columns, detail=names)

    def delete_model(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        model = state.models.get((app, operation.name_lower))
        operation.state_forwards(app, state)
        if self.routes.model(model):
            for table in reversed(list(tables_of(model, self.connection).values())):
                yield replace(base, kind="drop_table", table=table.name)

    def rename_model(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        between = {
            key
            for key, model in state.models.items()
            if key != (app, operation.old_name_lower) and any(item.many_to_many for item in model.fields.values())
        }
        old = self._tables(state, app, operation.old_name_lower)
        olds = {key: tables_of(state.models[key], self.connection) for key in between}
        operation.state_forwards(app, state)
        new = state.models[app, operation.new_name_lower]
        if not self.routes.model(new):
            return
        yield from _renamed(base, old, tables_of(new, self.connection))
        for key in sorted(between):
            yield from _renamed(base, olds[key], tables_of(state.models[key], self.connection))

    def alter_table(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        old = self._tables(state, app, operation.name_lower)
        operation.state_forwards(app, state)
        model = state.models[app, operation.name_lower]
        if self.routes.model(model):
            yield from _renamed(base, old, tables_of(model, self.connection))

    def alter_order(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        old = self._tables(state, app, operation.name_lower)
        operation.state_forwards(app, state)
        model = state.models[app, operation.name_lower]
        new = tables_of(model, self.connection)
        if OWN not in new or OWN not in old or not self.routes.model(model):
            return
        had, has = "_order" in old[OWN].columns, "_order" in new[OWN].columns
        if had != has:
            yield replace(base, kind="add_column" if has else "drop_column", table=new[OWN].name, column="_order")

    def add_field(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        operation.state_forwards(app, state)
        model = state.models[app, operation.model_name_lower]
        tables = tables_of(model, self.connection) if self.routes.model(model) else {}
        if tables:
            yield from _dangling(base, model, [operation.name], state)
        if operation.name in tables:
            table = tables[operation.name]
            yield replace(base, kind="create_table", table=table.name, columns=tuple(table.columns.values()))
        elif OWN in tables and operation.name in tables[OWN].columns:
            own = tables[OWN]
            # The operation's own field has the default that fills the rows, where the state does not keep it.
            after = named(operation.field, operation.name)
            yield replace(base, kind="add_column", table=own.name, column=own.columns[operation.name], after=after)

    def remove_field(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        model = state.models[app, operation.model_name_lower]
        tables = tables_of(model, self.connection) if self.routes.model(model) else {}
        operation.state_forwards(app, state)
        if operation.name in tables:
            yield replace(base, kind="drop_table", table=tables[operation.name].name)
        elif OWN in tables and operation.name in tables[OWN].columns:
            own = tables[OWN]
            yield replace(
                base,
                kind="drop_column",
                table=own.name,
                column=own.columns[operation.name],
                before=own.fields.get(operation.name),
            )

    def alter_field(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        old = self._tables(state, app, operation.model_name_lower)
        operation.state_forwards(app, state)
        yield from self._field(base, old, operation.name, app, operation.model_name_lower, operation.name, state)

    def rename_field(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        old = self._tables(state, app, operation.model_name_lower)
        operation.state_forwards(app, state)
        yield from self._field(
            base, old, operation.old_name, app, operation.model_name_lower, operation.new_name, state
        )

    def _field(
        self, base: Effect, old: Tables, old_name: str, app: str, model_name: str, name: str, state: ProjectState
    ) -> Iterator[Effect]:
        model = state.models[app, model_name]
        new = tables_of(model, self.connection) if self.routes.model(model) else {}
        if old_name in old and name in new:
            yield from _renamed(base, {OWN: old[old_name]}, {OWN: new[name]})
        elif OWN in old and OWN in new and old_name in old[OWN].columns and name in new[OWN].columns:
            table, column = new[OWN].name, new[OWN].columns[name]
            if old[OWN].columns[old_name] != column:
                yield replace(base, kind="rename_column", table=table, column=old[OWN].columns[old_name], new=column)
            before, after = old[OWN].fields.get(old_name), new[OWN].fields.get(name)
            yield replace(base, kind="alter_column", table=table, column=column, before=before, after=after)

    def on_model(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        """Indexes, constraints and the like."""
        model_name = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", "")
        operation.state_forwards(app, state)
        model = state.models.get((app, model_name))
        if model is None or not is_kept(model, self.connection) or not self.routes.model(model):
            return
        kind, attribute = _PARTS[_kind_of(operation)]
        yield replace(
            base, kind=kind, table=table_name(model, self.connection), detail=getattr(operation, attribute, None)
        )

    def run_sql(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        operation.state_forwards(app, state)
        if not self.routes.app(app, **operation.hints):
            return
        texts = texts_of(operation.sql)
        yield replace(base, kind="run_sql", detail=texts)
        for text in texts:
            for change in changes(text):
                yield _said(base, change) if change.table else replace(base, kind="anything", sure=False)

    def run_python(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        operation.state_forwards(app, state)
        if not self.routes.app(app, **operation.hints):
            return
        yield replace(base, kind="run_python", detail=operation.code)
        words = models_edited(operation.code)
        edited = [model for key, model in sorted(state.models.items()) if words and key[1] in words]
        for model in edited:
            for table in tables_of(model, self.connection).values():
                yield replace(base, kind="foreign_table", table=table.name, sure=False)
        if does_anything(operation.code) or (words is not None and not edited):
            yield replace(base, kind="anything", sure=False)
        for change in changes_of(operation.code):
            yield replace(_said(base, change), sure=False)

    def stays(self, base: Effect, operation: Any, app: str, state: ProjectState) -> Iterator[Effect]:
        """Operations that leave tables and columns alone."""
        operation.state_forwards(app, state)
        return iter(())

    def _custom(self, base: Effect, operation: Any, app: str, state: ProjectState) -> None:
        """An operation of the project's own: whatever the state says that it changed, it may have changed."""
        before = {key: (dict(model.fields), dict(model.options)) for key, model in state.models.items()}
        tables = {key: table_name(model, self.connection) for key, model in state.models.items()}
        operation.state_forwards(app, state)
        after = {key: (model.fields, model.options) for key, model in state.models.items()}
        tables.update({key: table_name(model, self.connection) for key, model in state.models.items()})
        self.tell(replace(base, kind="custom", sure=False))
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                self.tell(replace(base, kind="foreign_table", table=tables[key], sure=False))

    def _tables(self, state: ProjectState, app: str, model_name: str) -> Tables:
        return tables_of(state.models.get((app, model_name)), self.connection)


def _dangling(base: Effect, model: ModelState, names: Iterable[str], state: ProjectState) -> Iterator[Effect]:
    """The relations of a model to what no migration has made yet; Django can't make their columns."""
    for name in names:
        target = getattr(model.fields[name].remote_field, "model", None)
        if not isinstance(target, str) or target == "self":
            continue
        app, _dot, target_name = target.rpartition(".")
        app = app or model.app_label
        if (app, target_name.lower()) not in state.models and app not in state.real_apps:
            wanted = f"{model.app_label}.{model.name}.{name} points at {app}.{target_name}, which no migration before it makes"
            yield replace(base, kind="broken", detail=wanted)


def _renamed(base: Effect, old: Tables, new: Tables) -> Iterator[Effect]:
    """The tables of a model that have another name or other columns than before."""
    for part, table in new.items():
        if part not in old:
            continue
        was = old[part]
        if was.name != table.name:
            yield replace(base, kind="rename_table", table=was.name, new=table.name)
        for end in () if part == OWN and was.fields else ("from", "to"):
            if end in was.columns and end in table.columns and was.columns[end] != table.columns[end]:
                yield replace(
                    base, kind="rename_column", table=table.name, column=was.columns[end], new=table.columns[end]
                )


def _said(base: Effect, change: Change) -> Effect:
    """What a text says of a table."""
    return replace(
        base,
        kind=change.kind,
        table=change.table,
        column=change.column,
        new=change.new,
        columns=change.columns,
        lenient=change.lenient,
        sure=base.sure and change.sure,
        schema=change.schema,
    )


def texts_of(sql: Any) -> list[str]:
    """The texts of what RunSQL takes: a string, or a list of strings and of (string, parameters)."""
    parts = [sql] if isinstance(sql, str) else list(sql or ())
    texts = [part[0] if isinstance(part, (list, tuple)) else part for part in parts]
    return [text for text in texts if isinstance(text, str) and text.strip()]


def _kind_of(operation: Any) -> str:
    """The name of Django's operation that this is, or that it builds on; empty where there is none."""
    for cls in type(operation).__mro__:
        if cls.__module__.startswith(("django.db.migrations.operations", "django.contrib.postgres.operations")):
            name = cls.__name__
            if name in _LOOKS:
                return name
    return ""


def _is_djangos(operation: Any) -> bool:
    """Whether what it does to the database is Django's own."""
    return str(type(operation).database_forwards.__module__).startswith("django.")


# By the name of Django's operation.
_PARTS = {
    "AddIndex": ("add_index", "index"),
    "RemoveIndex": ("remove_index", "name"),
    "RenameIndex": ("rename_index", "new_name"),
    "AddConstraint": ("add_constraint", "constraint"),
    "RemoveConstraint": ("remove_constraint", "name"),
    "ValidateConstraint": ("validate_constraint", "name"),
    "AlterUniqueTogether": ("alter_unique", "unique_together"),
    "AlterIndexTogether": ("alter_index", "index_together"),
}

_LOOKS: dict[str, Callable[..., Iterator[Effect]]] = {
    "CreateModel": _Walk.create_model,
    "DeleteModel": _Walk.delete_model,
    "RenameModel": _Walk.rename_model,
    "AlterModelTable": _Walk.alter_table,
    "AlterOrderWithRespectTo": _Walk.alter_order,
    "AddField": _Walk.add_field,
    "RemoveField": _Walk.remove_field,
    "AlterField": _Walk.alter_field,
    "RenameField": _Walk.rename_field,
    "RunSQL": _Walk.run_sql,
    "RunPython": _Walk.run_python,
    **dict.fromkeys(_PARTS, _Walk.on_model),
    **dict.fromkeys(
        ("AlterModelOptions", "AlterModelManagers", "AlterModelTableComment", "AlterConstraint"), _Walk.stays
    ),
    **dict.fromkeys(("CreateExtension", "CreateCollation", "RemoveCollation"), _Walk.stays),
}
