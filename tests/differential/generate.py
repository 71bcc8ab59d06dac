# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random migrations that Django accepts: each operation is drawn from what the models are at that point, and written as source."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import hypothesis
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

# How tests draw cases. The seed is printed, so that a run can be had again.
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "4"))
DRAWN = hypothesis.settings(
    deadline=None,
    database=None,
    # A case tells enough as it is, and a smaller one would take minutes to find.
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
    report_multiple_bugs=False,
)

# Kind: the class with its own arguments, still open, and defaults that are the same for all schemas.
KINDS: dict[str, tuple[str, list[str]]] = {
    "char": ("models.CharField(max_length=40", ["''", "'a'", "'it\\'s 50% \"x\"; -- %s'"]),
    "text": ("models.TextField(", ["''", "'y\\n\\\\z'"]),
    "slug": ("models.SlugField(max_length=40", ["''", "'s'"]),
    "email": ("models.EmailField(", ["'a@b.example'"]),
    "url": ("models.URLField(", ["'http://x.example/?q=%20'"]),
    "file": ("models.FileField(upload_to='x'", ["''"]),
    "integer": ("models.IntegerField(", ["0", "-7"]),
    "small": ("models.SmallIntegerField(", ["3"]),
    "big": ("models.BigIntegerField(", ["5000000000"]),
    "positive": ("models.PositiveIntegerField(", ["4"]),
    "smallpos": ("models.PositiveSmallIntegerField(", ["2"]),
    "float": ("models.FloatField(", ["0.5"]),
    "decimal": ("models.DecimalField(max_digits=12, decimal_places=3", ["decimal.Decimal('1.125')", "0"]),
    "bool": ("models.BooleanField(", ["False", "True"]),
    "date": ("models.DateField(", ["datetime.date(2020, 2, 29)"]),
    "datetime": ("models.DateTimeField(", ["datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)"]),
    "time": ("models.TimeField(", ["datetime.time(1, 2, 3)"]),
    "duration": ("models.DurationField(", ["datetime.timedelta(days=1, seconds=2)"]),
    "uuid": ("models.UUIDField(", ["uuid.UUID('12345678123456781234567812345678')"]),
    "binary": ("models.BinaryField(", ["b''", "b'\\x00%s\\xff'"]),
    "json": ("models.JSONField(", ["dict", "list"]),
    "ip": ("models.GenericIPAddressField(", ["'10.0.0.1'"]),
    "array": ("django.contrib.postgres.fields.ArrayField(models.IntegerField()", ["list"]),
    "range": ("django.contrib.postgres.fields.IntegerRangeField(", ["(1, 5)"]),
}
_TEXTS = ("char", "text", "slug", "email", "url")
_NUMBERS = ("integer", "small", "big", "positive", "smallpos", "float", "decimal")
# Types that PostgreSQL turns into each other with a cast.
_CASTS = {
    "small": ["integer", "big", "text", "decimal"],
    "integer": ["big", "float", "text", "char", "decimal"],
    "big": ["text", "decimal"],
    "positive": ["integer", "big"],
    "char": ["text", "email", "url"],
    "text": ["char"],
    "slug": ["char", "text"],
    "bool": ["text"],
    "date": ["datetime", "text"],
    "uuid": ["text"],
    "decimal": ["float", "text"],
    "float": ["decimal"],
}
_DB_DEFAULTS = {
    "char": "'db'",
    "text": "Value('50% \"v\"')",
    "integer": "7",
    "bool": "True",
    "datetime": "Now()",
    "big": "Value(2) + Value(3)",
}
_VOLATILE = {"uuid": "uuid.uuid4", "datetime": "django.utils.timezone.now"}


@dataclass
class Column:
    """A field as it is now."""

    kind: str
    options: dict[str, str] = field(default_factory=dict)
    to: str | None = None
    # The text in full, where it is no plain column.
    special: str | None = None

    def source(self) -> str:
        if self.special:
            head = self.special
        elif self.to:
            head = f"models.{self.kind}({self.to!r}, models.{'SET_NULL' if self.options.get('null') else 'CASCADE'}, related_name='+'"
        else:
            head = KINDS[self.kind][0]
        extra = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{head}{'' if head.endswith('(') or not extra else ', '}{extra})"


@dataclass
class Model:
    """A model as it is now."""

    fields: dict[str, Column] = field(default_factory=dict)
    indexes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constraints: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    together: tuple[str, ...] = ()
    ordered: bool = False
    fixed: bool = False
    # A proxy or an unmanaged model, which has no table to work on.
    real: bool = True

    def used(self) -> set[str]:
        """Fields that an index, a constraint or a generated field names."""
        names = {name for part in self.indexes.values() for name in part}
        names |= {name for part, _text in self.constraints.values() for name in part}
        names |= {"amount"} if any(column.kind == "generated" for column in self.fields.values()) else set()
        return names | {name for name, column in self.fields.items() if column.kind in ("generated", "base")}


@dataclass
class World:
    """The models of ``things`` as the migrations so far leave them."""

    models: dict[str, Model] = field(default_factory=dict)
    number: int = 0

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def referred(self, model: str) -> bool:
        return any(
            column.to in (f"things.{model}", "self") and (owner != model)
            for owner, item in self.models.items()
            for column in item.fields.values()
        )


def first_world() -> World:
    """What ``0001_initial`` makes."""
    item = {
        "name": Column("char"),
        "code": Column("char", {"null": "True", "db_index": "True"}),
        "amount": Column("integer", {"default": "0"}),
        "price": Column("decimal", {"null": "True"}),
        "note": Column("text", {"default": "''"}),
        "made": Column("datetime", {"null": "True"}),
        "country": Column("ForeignKey", {"null": "True"}, to="places.Country"),
        "tags": Column("base"),
    }
    part = {
        "label": Column("slug"),
        "number": Column("integer", {"null": "True"}),
        "item": Column("base", to="things.Item"),
    }
    return World(
        {
            "Tag": Model({"title": Column("base")}, fixed=True),
            "Item": Model(item),
            "Part": Model(part, together=("item", "label"), fixed=True),
        }
    )


class Author:
    """Draws operations and keeps the world up with them. Each method returns the source of one operation, or None where nothing fits."""

    def __init__(self, random: Random, world: World) -> None:
        self.random, self.world = random, world
        self.body: list[str] = []

    def pick(self, values: Any) -> Any:
        return self.random.choice(sorted(values))

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def model(self, wanted: Callable[[Model], bool] = lambda model: True) -> str | None:
        names = [name for name, model in self.world.models.items() if model.real and wanted(model)]
        return self.pick(names) if names else None

    def plain(self, model: str, kinds: Any = None) -> list[str]:
        item = self.world.models[model]
        return [name for name, column in item.fields.items() if column.kind in (kinds or KINDS)]

    # Fields

    def column(self, *, fresh: bool) -> tuple[str, Column]:
        """A new column with its name.

        :param fresh: the table may have rows, so it is nullable or has a default.
        """
        kind = self.pick(KINDS)
        options: dict[str, str] = {}
        name = self.world.name("f")
        how = self.random.randint(0, 11)
        if fresh and kind in _VOLATILE and how < 1:
            return self.world.name("vol_"), Column(kind, {"default": _VOLATILE[kind]})
        if fresh and kind in _DB_DEFAULTS and how < 5:
            options["db_default"] = _DB_DEFAULTS[kind]
            if kind == "datetime":
                name = self.world.name("vol_")
        elif how < 8:
            options["default"] = self.random.choice(KINDS[kind][1])
            if self.chance(25):
                options["null"] = "True"
        elif fresh or how < 10:
            options["null"] = "True"
            if self.chance(20) and kind not in ("json", "array", "binary", "range", "bool"):
                options["unique"] = "True"
        if kind not in ("json", "binary") and "unique" not in options and self.chance(20):
            options["db_index"] = "True"
        if self.chance(15):
            options["db_column"] = repr(self.pick([f"{name}_col", f"{name} Odd", f"{name} of"]))
        if self.chance(10):
            options["db_comment"] = repr(self.pick(["it's a column", "--"]))
        if self.chance(10):
            options["verbose_name"] = repr(self.pick(["Größe", "50%"]))
        return name, Column(kind, options)

    def add_field(self) -> str | None:
        model = self.model()
        if not model:
            return None
        name, column = self.column(fresh=True)
        self.world.models[model].fields[name] = column
        return f"migrations.AddField({model!r}, {name!r}, {column.source()})"

    def add_relation(self) -> str | None:
        model = self.model()
        if not model:
            return None
        kind = self.pick(["ForeignKey", "OneToOneField"])
        to = self.pick(
            ["places.Country", "self", *(f"things.{name}" for name, item in self.world.models.items() if item.real)]
        )
        name, column = self.world.name("r"), Column(kind, {"null": "True"}, to=to)
        if self.chance(20):
            column.options["db_constraint"] = "False"
        if self.chance(20) and kind == "ForeignKey":
            column.options["db_index"] = "False"
        self.world.models[model].fields[name] = column
        return f"migrations.AddField({model!r}, {name!r}, {column.source()})"

    def add_many(self) -> str | None:
        model = self.model()
        if not model:
            return None
        to = self.pick(["places.Country", *(f"things.{name}" for name, item in self.world.models.items() if item.real)])
        name = self.world.name("m")
        table = f", db_table={name + ' table'!r}" if self.chance(20) else ""
        column = Column("many", to=to, special=f"models.ManyToManyField({to!r}, related_name='+'{table}")
        self.world.models[model].fields[name] = column
        return f"migrations.AddField({model!r}, {name!r}, {column.source()})"

    def add_generated(self) -> str | None:
        model = self.model(lambda item: "amount" in item.fields)
        if not model:
            return None
        expression = self.pick(["F('amount') * 2", "F('amount') % 7"])
        name = self.world.name("g")
        special = (
            f"models.GeneratedField(expression={expression}, output_field=models.BigIntegerField(), db_persist=True"
        )
        self.world.models[model].fields[name] = column = Column("generated", special=special)
        return f"migrations.AddField({model!r}, {name!r}, {column.source()})"

    def add_auto_now(self) -> str | None:
        model = self.model()
        if not model:
            return None
        name, column = self.world.name("vol_"), Column("datetime", {"auto_now": "True"})
        self.world.models[model].fields[name] = column
        # Later alterations would have to know that it is no plain one.
        column.kind, column.special = "generated", "models.DateTimeField("
        return f"migrations.AddField({model!r}, {name!r}, {column.source()})"

    def remove_field(self) -> str | None:
        model = self.model()
        if not model:
            return None
        item = self.world.models[model]
        names = [
            name
            for name, column in item.fields.items()
            if name not in item.used()
            and name not in item.together
            and column.kind != "generated"
            and (model != "Item" or name != "amount")
        ]
        if not names:
            return None
        name = self.pick(names)
        del item.fields[name]
        return f"migrations.RemoveField({model!r}, {name!r})"

    def alter_field(self) -> str | None:
        model = self.model()
        names = [name for name in self.plain(model) if not name.startswith("vol_")] if model else []
        if not model or not names:
            return None
        item = self.world.models[model]
        name = self.pick(names)
        column = copy.deepcopy(item.fields[name])
        what = self.random.randint(0, 9)
        if what < 3:
            if column.options.pop("null", None) is None:
                column.options["null"] = "True"
            elif "db_default" not in column.options and self.chance(85):
                column.options["default"] = self.random.choice(KINDS[column.kind][1])
        elif what < 5 and column.kind in _CASTS and name not in item.used():
            kind = self.pick(_CASTS[column.kind])
            column = Column(
                kind, {name: value for name, value in column.options.items() if name not in ("default", "db_default")}
            )
        elif what < 6:
            for option in ("default", "db_default"):
                column.options.pop(option, None)
            if self.chance(50):
                column.options["default"] = self.random.choice(KINDS[column.kind][1])
        elif what < 7 and column.kind in _DB_DEFAULTS and column.kind != "datetime":
            column.options.pop("default", None)
            column.options["db_default"] = _DB_DEFAULTS[column.kind]
        elif what < 8 and column.kind not in ("json", "binary") and "unique" not in column.options:
            if column.options.pop("db_index", None) is None:
                column.options["db_index"] = "True"
        elif what < 9:
            column.options["db_column"] = repr(self.world.name("other_"))
        else:
            column.options["help_text"] = repr("what it's for, 100%")
            column.options["db_comment"] = repr(self.world.name("note "))
        item.fields[name] = column
        keep = ", preserve_default=False" if "default" in column.options and self.chance(30) else ""
        if keep:
            item.fields[name] = Column(
                column.kind, {key: value for key, value in column.options.items() if key != "default"}
            )
        return f"migrations.AlterField({model!r}, {name!r}, {column.source()}{keep})"

    def rename_field(self) -> str | None:
        model = self.model(lambda item: not item.fixed)
        if not model:
            return None
        item = self.world.models[model]
        names = [name for name in item.fields if name not in item.used() and name != "amount"]
        if not names:
            return None
        old = self.pick(names)
        new = self.world.name("vol_" if old.startswith("vol_") else "n")
        item.fields = {(new if name == old else name): column for name, column in item.fields.items()}
        item.together = tuple(new if name == old else name for name in item.together)
        return f"migrations.RenameField({model!r}, {old!r}, {new!r})"

    # Models

    def create_model(self) -> str | None:
        name = self.world.name("Model")
        item = Model()
        for _number in range(self.random.randint(1, 4)):
            column_name, column = self.column(fresh=False)
            item.fields[column_name] = column
        if self.chance(50):
            to = self.pick(
                ["places.Country", *(f"things.{other}" for other, model in self.world.models.items() if model.real)]
            )
            item.fields["parent"] = Column("ForeignKey", {"null": "True"}, to=to)
        if self.chance(30):
            item.fields["amount"] = Column("integer", {"default": "1"})
        options = []
        kinds = [column_name for column_name, column in item.fields.items() if column.kind in _TEXTS + _NUMBERS]
        if len(kinds) > 1 and self.chance(40):
            item.together = tuple(kinds[:2])
            options.append(f"'unique_together': {{{item.together!r}}}")
        if kinds and self.chance(30):
            index = self.world.name("idx_")
            item.indexes[index] = (kinds[0],)
            options.append(f"'indexes': [models.Index(fields=[{kinds[0]!r}], name={index!r})]")
        if self.chance(30):
            options.append(f"'db_table': {self.world.name('table of ')!r}")
        if self.chance(20):
            options.append("'db_table_comment': \"what it's for\"")
        options += self.options()
        self.world.models[name] = item
        fields = ", ".join(
            [
                "('id', models.BigAutoField(primary_key=True))",
                *(f"({key!r}, {column.source()})" for key, column in item.fields.items()),
            ]
        )
        return f"migrations.CreateModel({name!r}, [{fields}], options={{{', '.join(options)}}})"

    def options(self) -> list[str]:
        """Options that content types and permissions are made from."""
        options = []
        if self.chance(30):
            options.append(f'\'permissions\': [({self.world.name("may_")!r}, "May do 50% of what\'s \\"it\\"")]')
        if self.chance(20):
            options.append("'default_permissions': ('add', 'view')")
        if self.chance(25):
            options.append(
                f"'verbose_name': {self.pick(['it is', chr(39) + 'quoted' + chr(39), '50% off', 'Größe'])!r}"
            )
        return options

    def create_other(self) -> str | None:
        """A model without a table of its own."""
        name = self.world.name("Other")
        if self.chance(50):
            self.world.models[name] = Model(real=False)
            return (
                f"migrations.CreateModel({name!r}, [('id', models.BigAutoField(primary_key=True))],"
                f" options={{'managed': False, 'db_table': 'elsewhere', {', '.join(self.options())}}})"
            )
        self.world.models[name] = Model(real=False)
        return f"migrations.CreateModel({name!r}, [], options={{'proxy': True, {', '.join(self.options())}}}, bases=('things.tag',))"

    def delete_model(self) -> str | None:
        names = [
            name
            for name, item in self.world.models.items()
            if not item.fixed and not self.world.referred(name) and name != "Item"
        ]
        if not names:
            return None
        name = self.pick(names)
        del self.world.models[name]
        return f"migrations.DeleteModel({name!r})"

    def rename_model(self) -> str | None:
        old = self.model(lambda item: not item.fixed)
        if not old or old == "Item":
            return None
        new = self.world.name("Renamed")
        self.world.models[new] = self.world.models.pop(old)
        for item in self.world.models.values():
            for column in item.fields.values():
                if column.to == f"things.{old}":
                    column.to = f"things.{new}"
                    if column.special:
                        column.special = column.special.replace(f"things.{old}'", f"things.{new}'")
        return f"migrations.RenameModel({old!r}, {new!r})"

    def alter_table(self) -> str | None:
        # RunSQL names the tables of the first release.
        model = self.model(lambda item: not item.fixed)
        return f"migrations.AlterModelTable({model!r}, {self.world.name('Tab le ')!r})" if model else None

    def alter_table_comment(self) -> str | None:
        model = self.model()
        return (
            f"migrations.AlterModelTableComment({model!r}, {self.pick(['it is', chr(39) + '--'])!r})" if model else None
        )

    def alter_options(self) -> str | None:
        model = self.pick(list(self.world.models))
        return f"migrations.AlterModelOptions({model!r}, {{{', '.join(self.options())}}})"

    def alter_managers(self) -> str | None:
        model = self.model()
        return f"migrations.AlterModelManagers({model!r}, [('things', models.Manager())])" if model else None

    def alter_unique_together(self) -> str | None:
        model = self.model(lambda item: not item.fixed)
        if not model:
            return None
        item = self.world.models[model]
        names = self.plain(model, _TEXTS + _NUMBERS)
        if item.together:
            item.together = ()
            return f"migrations.AlterUniqueTogether({model!r}, set())"
        if len(names) < 2:
            return None
        item.together = tuple(self.random.sample(names, 2))
        return f"migrations.AlterUniqueTogether({model!r}, {{{item.together!r}}})"

    def alter_order(self) -> str | None:
        model = self.model(lambda item: not item.fixed)
        relations = (
            [name for name, column in self.world.models[model].fields.items() if column.kind == "ForeignKey"]
            if model
            else []
        )
        if not model or not relations:
            return None
        item = self.world.models[model]
        item.fixed = True
        if item.ordered:
            item.ordered = False
            return f"migrations.AlterOrderWithRespectTo({model!r}, None)"
        item.ordered = True
        name = self.pick(relations)
        item.indexes[self.world.name("order")] = (name,)
        return f"migrations.AlterOrderWithRespectTo({model!r}, {name!r})"

    # Indexes and constraints

    def add_index(self) -> str | None:
        model = self.model()
        names = self.plain(model, _TEXTS + _NUMBERS) if model else []
        if not model or not names:
            return None
        one = self.pick(names)
        name = self.world.name("idx_")
        texts = [text for text in names if self.world.models[model].fields[text].kind in _TEXTS]
        used: tuple[str, ...] = (one,)
        what = self.random.randint(0, 5)
        if what == 0 and texts:
            used = (texts[0],)
            index = f"models.Index(Lower({texts[0]!r}).desc(), name={name!r})"
        elif what == 1:
            index = f"models.Index(fields=[{'-' + one!r}], name={name!r}, condition=Q({one}__isnull=False))"
        elif what == 2:
            used = (one, names[0])
            index = f"models.Index(fields=[{one!r}], include=[{names[0]!r}], name={name!r})" if one != names[0] else ""
        elif what == 3 and texts:
            used = (texts[0],)
            index = f"models.Index(fields=[{texts[0]!r}], name={name!r}, condition=~Q({texts[0]}__contains='50%'))"
        elif what == 4:
            index = f"django.contrib.postgres.indexes.BrinIndex(fields=[{one!r}], name={name!r})"
        else:
            index = f"models.Index(fields={list(dict.fromkeys([one, names[0]]))!r}, name={name!r})"
            used = (one, names[0])
        if not index:
            return None
        self.world.models[model].indexes[name] = used
        return f"migrations.AddIndex({model!r}, {index})"

    def remove_index(self) -> str | None:
        model = self.model(lambda item: any(name.startswith("idx_") for name in item.indexes))
        if not model:
            return None
        name = self.pick([name for name in self.world.models[model].indexes if name.startswith("idx_")])
        del self.world.models[model].indexes[name]
        return f"migrations.RemoveIndex({model!r}, {name!r})"

    def rename_index(self) -> str | None:
        model = self.model(lambda item: any(name.startswith("idx_") for name in item.indexes))
        if not model:
            return None
        item = self.world.models[model]
        old, new = self.pick([name for name in item.indexes if name.startswith("idx_")]), self.world.name("idx_")
        item.indexes[new] = item.indexes.pop(old)
        return f"migrations.RenameIndex({model!r}, new_name={new!r}, old_name={old!r})"

    def add_constraint(self) -> str | None:
        model = self.model()
        names = self.plain(model, _TEXTS + _NUMBERS) if model else []
        if not model or not names:
            return None
        one, name = self.pick(names), self.world.name("con_")
        texts = [text for text in names if self.world.models[model].fields[text].kind in _TEXTS]
        what = self.random.randint(0, 5)
        used: tuple[str, ...] = (one,)
        if what < 2 and texts:
            used = (texts[0],)
            value = self.pick(["50% off", "it's", '"x"', "%s"])
            text = f"models.CheckConstraint(condition=~Q({texts[0]}__contains={value!r}), name={name!r})"
        elif what == 2 and texts:
            used = (texts[0],)
            text = f"models.UniqueConstraint(Upper({texts[0]!r}), 'id', name={name!r})"
        elif what == 3:
            text = f"models.UniqueConstraint(fields=['id', {one!r}], name={name!r}, condition=Q({one}__isnull=False))"
        elif what == 4:
            text = (
                f"models.UniqueConstraint(fields=['id', {one!r}], name={name!r}, deferrable=models.Deferrable.DEFERRED)"
            )
        else:
            text = f"models.CheckConstraint(condition=Q({one}__isnull=True) | Q(id__gt=0), name={name!r})"
        self.world.models[model].constraints[name] = (used, text)
        return f"migrations.AddConstraint({model!r}, {text})"

    def remove_constraint(self) -> str | None:
        model = self.model(lambda item: bool(item.constraints))
        if not model:
            return None
        name = self.pick(self.world.models[model].constraints)
        del self.world.models[model].constraints[name]
        return f"migrations.RemoveConstraint({model!r}, {name!r})"

    def alter_constraint(self) -> str | None:
        model = self.model(lambda item: bool(item.constraints))
        if not model:
            return None
        item = self.world.models[model]
        name = self.pick(item.constraints)
        used, text = item.constraints[name]
        if "violation_error_message" in text or "deferrable" in text:
            return None
        text = f"{text[:-1]}, violation_error_message='not 100%')"
        item.constraints[name] = (used, text)
        return f"migrations.AlterConstraint({model!r}, {name!r}, {text})"

    # SQL and Python

    def run_sql(self) -> str | None:
        number = self.world.name("")
        texts = [
            f"CREATE TABLE hand{number} (id integer PRIMARY KEY, v text DEFAULT 'a;b%') -- at the end",
            f"CREATE TABLE hand{number} (id integer); INSERT INTO hand{number} VALUES (1), (2); ALTER TABLE hand{number} ADD v text DEFAULT 'it''s -- %s'",
            f"CREATE VIEW view{number} AS SELECT id, title FROM things_tag WHERE title LIKE '%;%'",
            f"CREATE FUNCTION fun{number}() RETURNS integer LANGUAGE sql AS $$ SELECT 1; $$",
            "UPDATE things_tag SET title = title || '%' WHERE id % 2 = 0; -- even ones",
            "INSERT INTO things_tag (title) SELECT 'more ' || count(*) || random()::int * 0 FROM things_tag",
            "DELETE FROM things_part WHERE id % 3 = 0",
            "/* nothing */",
            f"COMMENT ON TABLE things_tag IS 'note {number}'",
        ]
        text = self.random.choice(texts)
        if self.chance(15):
            return (
                f"migrations.RunSQL([{text!r}, ('UPDATE things_tag SET title = title || %s WHERE id = %s', ['%', 1])])"
            )
        return (
            f"migrations.RunSQL({text!r}, migrations.RunSQL.noop)"
            if self.chance(50)
            else f"migrations.RunSQL([{text!r}])"
        )

    def select_sql(self) -> str:
        """SQL that may do something else in every schema."""
        return f"migrations.RunSQL({self.pick(_SELECTS)!r})"

    def run_python(self) -> str:
        name = self.world.name("work")
        what = self.random.randint(0, 3)
        if what == 0:
            lines = ["tag = apps.get_model('things', 'Tag')", "tag.objects.create(title=f'from {tag.objects.count()}')"]
        elif what == 1:
            lines = [
                "tag = apps.get_model('things', 'Tag')",
                "for one in tag.objects.filter(title__contains='tag'):",
                "    one.title = f'{one.title}/{one.pk}'",
                "    one.save()",
            ]
        elif what == 2:
            lines = [
                "kind = apps.get_model('contenttypes', 'ContentType').objects.get_for_model(apps.get_model('things', 'Tag'))",
                "apps.get_model('things', 'Tag').objects.create(title=f'kind {kind.pk} {schema_editor.connection.schema_name}')",
            ]
        else:
            lines = [
                "kinds = apps.get_model('contenttypes', 'ContentType').objects",
                "if apps.get_model('things', 'Tag').objects.count() > 2:",
                f"    kinds.get_or_create(app_label='things', model='many{name}')",
            ]
        self.body.append(f"def {name}(apps, schema_editor):\n" + "".join(f"    {line}\n" for line in lines))
        return f"migrations.RunPython({name}, migrations.RunPython.noop)"

    def separate(self) -> str | None:
        if self.chance(50):
            table = self.world.name("apart")
            model = self.world.name("Apart")
            self.world.models[model] = Model({"value": Column("integer")})
            return (
                f"migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL('CREATE TABLE {table} "
                f"(id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, value integer NOT NULL)')], "
                f"state_operations=[migrations.CreateModel({model!r}, [('id', models.BigAutoField(primary_key=True)), "
                f"('value', models.IntegerField())], options={{'db_table': {table!r}}})])"
            )
        inner = self.add_field()
        return f"migrations.SeparateDatabaseAndState(database_operations=[{inner}], state_operations=[{inner}])"

    def several(self) -> list[str]:
        """The operations of one migration. What Python does stands in a migration of its own, as in most projects."""
        if self.chance(9):
            alone = self.random.choice([self.run_python, self.rename_model, self.select_sql, self.add_auto_now])
            found = alone()
            return [found] if found else []
        operations = []
        for _number in range(self.random.randint(1, 5)):
            choice = self.random.choice(_CHOICES)
            operation = getattr(self, choice)()
            if operation:
                operations.append(operation)
        return operations


_SELECTS = (
    "SELECT setval('things_tag_id_seq', 5000)",
    "SELECT setval(oid::regclass, 7000) FROM pg_class WHERE relname = 'things_tag_id_seq' AND relnamespace = current_schema()::regnamespace",
    "WITH gone AS (DELETE FROM things_part WHERE id = 1 RETURNING id) SELECT * FROM gone",
    "DO $$ BEGIN IF (SELECT count(*) FROM things_tag) > 2 THEN CREATE TABLE IF NOT EXISTS many (id int); END IF; END $$",
)

_CHOICES = [
    *["add_field"] * 6,
    *["alter_field"] * 6,
    *["create_model"] * 4,
    *["add_index", "add_constraint", "run_sql", "remove_field", "rename_field", "add_relation"] * 2,
    *[
        "add_many",
        "add_generated",
        "create_other",
        "delete_model",
        "alter_table",
        "alter_table_comment",
        "alter_options",
    ],
    *["alter_managers", "alter_unique_together", "alter_order", "remove_index", "rename_index", "remove_constraint"],
    *["alter_constraint", "separate"],
]


# Releases, each of migrations, each of operations and what stands before them.
Case = "list[list[tuple[list[str], str]]]"


@st.composite
def cases(draw: Any) -> Any:
    """One to three releases of one to four migrations."""
    random = draw(st.randoms(use_true_random=True))
    world = first_world()
    releases = []
    for _release in range(random.randint(1, 3)):
        migrations = []
        for _number in range(random.randint(2, 6)):
            author = Author(random, world)
            operations = author.several()
            if operations:
                migrations.append((operations, "\n\n".join(author.body)))
        if migrations:
            releases.append(migrations)
    return releases
