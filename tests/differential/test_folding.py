# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folded migrations leave an empty schema as the migrations themselves do, to the last name, in a real PostgreSQL."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import django
import hypothesis
import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.folding import folded
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.lean_state import lean
from django.conf import settings
from django.db import ConnectionHandler, connections, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from tests.differential.generate import DRAWN, SEED, Case, cases
from tests.differential.operations import first_migrations, released
from tests.differential.picture import structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.support.databases import Postgres

# `make differential` raises it.
CASES = int(os.environ.get("FOLDING_CASES", "120"))
ALIAS = "folding"
LEAST_FOLDED = 0.5

_numbers = itertools.count(1)


class Sides:
    """Migrations in a schema as they are, and folded in another."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.state = ProjectState()
        self.counts: Counter[str] = Counter()

    def compare(self, plan: Iterable[tuple[str, Sequence[Any]]]) -> None:
        number = next(_numbers)
        usual, ours = f"usual_{number}", f"ours_{number}"
        done = self.apply(usual, plan)
        short = folded(done, ProjectState(), self.connection)
        try:
            self.run(ours, short)
        except Exception as error:
            error.add_note(_text(done, short))
            raise
        self.counts["cases"] += 1
        self.counts["folded"] += sum(map(_length, done)) - sum(map(_length, short))
        left, right = self.structure(usual), self.structure(ours)
        assert left == right, _text(done, short)

    def structure(self, schema: str) -> dict[tuple[str, str, str], str]:
        """What the schema consists of, which is gone after it; without where sequences are, as a failed INSERT moves them too."""
        parts = structure(self.connection.connection, schema)
        self.connection.connection.execute(f"DROP SCHEMA {schema} CASCADE")
        return {part: what.replace(f"{schema}.", "") for part, what in parts.items() if part[0] != "sequence"}

    def apply(self, schema: str, plan: Iterable[tuple[str, Sequence[Any]]]) -> list[migrations.Migration]:
        """Each operation in a migration of its own, and those that can't be run here left out."""
        self.state = self.start(schema, ProjectState())
        done: list[migrations.Migration] = []
        for app, operations in plan:
            for operation in operations:
                node = migrations.Migration(f"{len(done):04}", app)
                node.operations = [operation]
                after = self.state.clone()
                try:
                    self.migrate(node, after)
                except Exception as error:
                    self.counts[f"left out: {type(error).__name__}"] += 1
                    # Classes of both states hold each other.
                    self.state = ProjectState({key: model.clone() for key, model in self.state.models.items()})
                    self.state.apps  # noqa: B018  (a cached property)
                else:
                    self.state = after
                    done.append(node)
        return done

    def run(self, schema: str, nodes: Iterable[migrations.Migration]) -> None:
        state = self.start(schema, lean(ProjectState()))
        for node in nodes:
            self.migrate(node, state)

    def start(self, schema: str, state: ProjectState) -> ProjectState:
        self.connection.ensure_connection()
        self.connection.connection.execute(f"CREATE SCHEMA {schema}")
        self.connection.connection.execute(f"SET search_path = {schema}")
        state.apps  # noqa: B018  (a cached property)
        return state

    def migrate(self, node: migrations.Migration, state: ProjectState) -> None:
        # An editor leaves a transaction of its own open where what it does at the end fails.
        with transaction.atomic(using=ALIAS), self.connection.schema_editor(atomic=False) as editor:
            node.apply(state, editor)


def _length(node: migrations.Migration) -> int:
    return len(node.operations)


def _text(done: Iterable[migrations.Migration], short: Iterable[migrations.Migration]) -> str:
    return "\n".join(
        f"{what}: {' '.join(MigrationWriter.serialize(operation)[0].split())}"
        for what, nodes in (("usual", done), ("folded", short))
        for node in nodes
        for operation in node.operations
    )


@pytest.fixture(scope="module")
def sides(postgres: Postgres) -> Iterator[Sides]:
    if not settings.configured:
        settings.configure(USE_TZ=True)
        django.setup()
    name = f"folding_{os.getpid()}"
    postgres.create_database(name)
    own = {"HOST": postgres.host, "PORT": postgres.port, "USER": postgres.user, "PASSWORD": postgres.password}
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": name, **own}})
    connection = handler["default"]
    # Transactions go by the alias.
    connection.alias = ALIAS
    connections[ALIAS] = connection
    yield Sides(connection)
    connection.close()
    del connections[ALIAS]
    postgres.drop_database(name)


@pytest.fixture
def enough(sides: Sides) -> Iterator[None]:
    """Sees to it that a test compared something."""
    sides.counts.clear()
    yield
    print(f"seed {SEED}: {dict(sides.counts)}")
    assert sides.counts["folded"] >= LEAST_FOLDED * sides.counts["cases"], sides.counts


@pytest.mark.usefixtures("enough")
def test_random_releases_leave_the_same_schema(sides: Sides) -> None:
    @hypothesis.seed(SEED)
    @hypothesis.settings(DRAWN, max_examples=CASES // 3)
    @hypothesis.given(cases())
    def compare(case: Case) -> None:
        sides.compare([*first_migrations(), *released(case)])

    compare()


# Few names, of which many make the same one: t_a.b_c and t_a_b.c.
MODELS = ("A", "B", "C", "D")
TABLES = ("t_a", "t_a_b", "t_b", "t_a_b_c")
COLUMNS = ("b", "b_c", "c", "b_id", "c_id", "d")
CHOSEN = ("t_a_b_c_not_null", "t_a_b_not_null", "t_b_c_not_null", "t_a_b_b_not_null", "t_a_b")


def column(random: Random) -> Any:
    null = random.choice([{"null": True}, {"default": "1"}])
    named = {"db_column": random.choice(COLUMNS)} if random.random() < 0.1 else {}
    more = {random.choice(["unique", "db_index"]): True} if random.random() < 0.1 else {}
    if random.random() < 0.6:
        return models.CharField(max_length=random.choice([9, 99]), **null, **named, **more)
    return random.choice([models.IntegerField, models.PositiveIntegerField])(**null, **named, **more)


def relation(random: Random, to: str) -> Any:
    if random.random() < 0.3:
        return models.ForeignKey(to, models.CASCADE, null=random.random() < 0.5, related_name="+")
    table = random.choice([None, *TABLES])
    return models.ManyToManyField(to, related_name="+", db_table=table)


def creation(random: Random, name: str) -> Any:
    options = random.choice([{}, {}, *({"db_table": random.choice(TABLES)},) * 3, {"managed": False}])
    if random.random() < 0.1:
        options["constraints"] = [models.UniqueConstraint(models.F("pk"), name=random.choice(CHOSEN))]
    key = [("key", models.BigAutoField(primary_key=True))] if random.random() < 0.5 else []
    names = random.sample(COLUMNS, random.randint(0, 2))
    return migrations.CreateModel(name, [*key, *((name, column(random)) for name in names)], options)


def operation(random: Random, state: ProjectState) -> Any:
    """An operation that may well fit the models there are."""
    there = [model.name for model in state.models.values()]
    left = [name for name in MODELS if name not in there]
    if (left and random.random() < 0.3) or not there:
        return creation(random, random.choice(left))
    model = random.choice(there)
    fields = [name for name in state.models["t", model.lower()].fields if name in COLUMNS] or ["b"]
    new = [name for name in COLUMNS if name not in fields]
    if new and random.random() < 0.4:
        made = column(random) if random.random() < 0.8 else relation(random, f"t.{random.choice(there)}")
        return migrations.AddField(model, random.choice(new), made)
    field = random.choice(fields)
    if random.random() < 0.5:
        return migrations.AlterField(model, field, column(random))
    other, name = random.choice(COLUMNS), random.choice(CHOSEN)
    is_referred_to = any(
        field.remote_field and field.remote_field.model.lower() == f"t.{model.lower()}"
        for one in state.models.values()
        for field in one.fields.values()
    )
    return random.choice(
        [
            *([] if is_referred_to else [migrations.DeleteModel(model)]),
            migrations.AddConstraint(model, models.UniqueConstraint(fields=[field], name=name)),
            migrations.AddIndex(model, models.Index(fields=[field], name=name)),
            migrations.RemoveField(model, field),
            migrations.RenameField(model, field, other),
            *(migrations.RenameModel(model, new) for new in left[:1]),
            migrations.AlterModelTable(model, random.choice(TABLES)),
            migrations.AlterModelOptions(model, random.choice([{"managed": False}, {"ordering": [field]}])),
            migrations.AlterUniqueTogether(model, [(field, other)]),
        ]
    )


@pytest.mark.usefixtures("enough")
def test_names_that_meet_are_given_in_the_same_order(sides: Sides) -> None:
    for number in range(CASES):
        random = Random(f"{SEED} {number}")  # noqa: S311
        sides.compare(("t", [operation(random, sides.state)]) for _number in range(random.randint(5, 25)))
