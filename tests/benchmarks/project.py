# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Django project of the benchmarks, written by this generator: as many tables and migrations as a grown-up one has.

Two sizes: ``business`` (43 tables and 75 recorded migrations a tenant) and ``small`` (8 tables). Releases on top of either
are what is pending in a benchmark: ``fields`` (three AddFields with an index) and ``python`` (a RunPython that updates rows).
The variant ``smart`` is the same project as django-tenants-smart-executor wants it.
"""

from __future__ import annotations

import compileall
import os
from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Each has four models, Group, Item, Line and Note, and seven migrations.
BUSINESS = ("catalog", "crm", "sales", "purchasing", "stock", "billing", "shipping", "staff")
# These have a many-to-many relation as well.
RELATED = ("billing", "shipping", "staff")
SMALL = ("catalog", "crm")

RELEASES = ("1", "fields", "python")


@dataclass(frozen=True)
class Shape:
    """How large a project is."""

    name: str
    apps: tuple[str, ...]
    with_auth: bool

    def models(self, app: str) -> tuple[str, ...]:
        # Seven tables and the recorder make eight.
        return ("group", "item", "line") if not self.with_auth and app != self.apps[0] else MODELS


MODELS = ("group", "item", "line", "note")
SHAPES = {"business": Shape("business", BUSINESS, True), "small": Shape("small", SMALL, False)}


def write_project(directory: Path, shape: Shape, release: str, smart: bool = False) -> Path:
    """Write the project as of a release, byte-code included, so that nobody compiles while being measured."""
    files = _settings(shape, smart) | _tenants()
    for app in shape.apps:
        files |= _app(shape, app, release)
    files |= _release(shape, release)
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(_IMPORT, _SMART_IMPORT) if smart else text, encoding="utf-8")
    for package in {file.parent for file in directory.rglob("*.py")} - {directory}:
        (package / "__init__.py").touch()
    compileall.compile_dir(directory, quiet=1)
    return directory


_IMPORT = "from django.db import migrations, models"
_SMART_IMPORT = "from django.db import models\nfrom django_tenants_smart_executor import migrations"

_MANAGE = """\
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""

_SETTINGS = """\
import os
from urllib.parse import unquote, urlsplit

_url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "HOST": _url.hostname,
        "PORT": _url.port,
        "USER": unquote(_url.username),
        "PASSWORD": unquote(_url.password),
        "NAME": _url.path[1:],
    }
}
SECRET_KEY = "for benchmarks only"
TENANT_MODEL = "tenants.Client"
TENANT_DOMAIN_MODEL = "tenants.Domain"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TENANT_MULTIPROCESSING_MAX_PROCESSES = {cores}
"""
# As many processes as ours would start; the default, 2, would hold a peer back on a larger machine.
CORES = len(os.sched_getaffinity(0))


def _settings(shape: Shape, smart: bool) -> dict[str, str]:
    both = ["django.contrib.contenttypes", "django.contrib.auth"] if shape.with_auth else []
    # django-tenants itself imports the model of content types.
    shared = ["django_tenants", "tenants", *(both or ["django.contrib.contenttypes"])]
    tenant = [*both, *shape.apps]
    text = _SETTINGS.replace("{cores}", str(CORES)) + f"SHARED_APPS = {shared}\nTENANT_APPS = {tenant}\n"
    text += "INSTALLED_APPS = list(dict.fromkeys(SHARED_APPS + TENANT_APPS))\n"
    if smart:
        text += 'GET_EXECUTOR_FUNCTION = "django_tenants_smart_executor.load_executor"\n'
        text += 'SMART_EXECUTOR_LIMIT_STATE_TO_SCHEMA = "full"\n'
    return {"manage.py": _MANAGE, "config/settings.py": text}


def _migration(dependencies: list[tuple[str, str]], operations: str, before: str = "") -> str:
    return f"""\
import django.db.models.deletion
from django.conf import settings
{_IMPORT}

{before}
class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = [
{indent(operations, " " * 8)}    ]
"""


_ID = 'models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")'


def _create(model: str, fields: dict[str, str]) -> str:
    lines = "".join(f"        ({name!r}, {field}),\n" for name, field in {"id": _ID, **fields}.items())
    return f"migrations.CreateModel(\n    name={model!r},\n    fields=[\n{lines}    ],\n),\n"


def _key(to: str, extra: str = "") -> str:
    return f"models.ForeignKey({to}, on_delete=django.db.models.deletion.CASCADE{extra})"


_GROUP = {"created": "models.DateTimeField(null=True)", "active": "models.BooleanField(default=True)"}
_ITEM = {
    "name": "models.CharField(max_length=100, db_index=True)",
    "price": "models.DecimalField(max_digits=12, decimal_places=2, default=0)",
    "quantity": "models.IntegerField(default=0)",
    "description": "models.TextField(blank=True)",
}
_LINE = {
    "number": "models.PositiveIntegerField(default=0)",
    "amount": "models.DecimalField(max_digits=12, decimal_places=2, default=0)",
    "created": "models.DateTimeField(null=True)",
}
_NOTE = {"text": "models.TextField()", "written": "models.DateTimeField(null=True)"}
_AUTHOR = _key("settings.AUTH_USER_MODEL", ', null=True, related_name="+"')


def _app(shape: Shape, app: str, release: str) -> dict[str, str]:
    """An app's models and its migrations as they came about over time."""

    def to(model: str) -> str:
        return repr(f"{app}.{model}")

    author = {"author": _AUTHOR} if shape.with_auth else {}
    steps: list[tuple[str, str]] = [
        (
            "initial",
            _create("Group", {"name": "models.CharField(max_length=100)", **_GROUP})
            + _create("Item", {"group": _key(to("group")), **_ITEM}),
        ),
        ("line", _create("Line", {"item": _key(to("item")), **_LINE})),
        (
            "item_code",
            'migrations.AddField("item", "code", models.CharField(max_length=20, default="", blank=True)),\n',
        ),
        (
            "item_index",
            f'migrations.AddIndex("item", models.Index(fields=["group", "name"], name="{app}_item_idx")),\n',
        ),
        ("note", _create("Note", {"group": _key(to("group")), **_NOTE, **author})),
        (
            "line_unique",
            f'migrations.AddConstraint("line", {_unique(app)}),\n',
        ),
        ("group_name", 'migrations.AlterField("group", "name", models.CharField(max_length=200)),\n'),
    ]
    if app in RELATED and shape.with_auth:
        related = f'models.ManyToManyField({to("group")}, related_name="+")'
        steps.append(("item_related", f'migrations.AddField("item", "related", {related}),\n'))
    if "note" not in shape.models(app):
        steps = [step for step in steps if step[0] != "note"]
    files = {f"{app}/models.py": _models(shape, app, release)}
    previous = ""
    for number, (name, operations) in enumerate(steps, 1):
        dependencies = [(app, previous)] if previous else []
        if name == "note" and author:
            dependencies.append(("auth", "0012_alter_user_first_name_max_length"))
        previous = f"{number:04}_{name}"
        files[f"{app}/migrations/{previous}.py"] = _migration(dependencies, operations)
    return files


def _models(shape: Shape, app: str, release: str) -> str:
    added = [new for new in _FIELDS[shape.name] if new.app == app] if release == "fields" else []

    def model(name: str, fields: dict[str, str], meta: str = "") -> str:
        fields |= {new.field: new.definition for new in added if new.model == name.lower()}
        lines = "".join(f"    {field} = {value}\n" for field, value in fields.items())
        return f"\n\nclass {name}(models.Model):\n{lines}{meta}"

    item = {"group": _key('"group"'), **_ITEM, "code": 'models.CharField(max_length=20, default="", blank=True)'}
    if app in RELATED and shape.with_auth:
        item["related"] = 'models.ManyToManyField("group", related_name="+")'
    text = "import django.db.models.deletion\nfrom django.conf import settings\nfrom django.db import models\n"
    text += model("Group", {"name": "models.CharField(max_length=200)", **_GROUP})
    index = f'models.Index(fields=["group", "name"], name="{app}_item_idx")'
    text += model("Item", item, f"\n    class Meta:\n        indexes = [{index}]\n")
    text += model(
        "Line", {"item": _key('"item"'), **_LINE}, f"\n    class Meta:\n        constraints = [{_unique(app)}]\n"
    )
    if "note" in shape.models(app):
        author = {"author": _AUTHOR} if shape.with_auth else {}
        text += model("Note", {"group": _key('"group"'), **_NOTE, **author})
    return text


def _unique(app: str) -> str:
    return f'models.UniqueConstraint(fields=["item", "number"], name="{app}_line_number")'


def _tenants() -> dict[str, str]:
    return {
        "tenants/models.py": """\
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    name = models.CharField(max_length=100)
    paid_until = models.DateField(null=True)
    auto_create_schema = True


class Domain(DomainMixin):
    pass
""",
        "tenants/migrations/0001_initial.py": _migration(
            [],
            _create(
                "Client",
                {
                    "schema_name": "models.CharField(db_index=True, max_length=63, unique=True,"
                    " validators=[django_tenants.postgresql_backend.base._check_schema_name])",
                    "name": "models.CharField(max_length=100)",
                },
            ).replace("    ],\n)", '    ],\n    options={"abstract": False},\n)')
            + _create(
                "Domain",
                {
                    "domain": "models.CharField(db_index=True, max_length=253, unique=True)",
                    "is_primary": "models.BooleanField(db_index=True, default=True)",
                    "tenant": _key('"tenants.client"', ', db_index=True, related_name="domains"'),
                },
            ).replace("    ],\n)", '    ],\n    options={"abstract": False},\n)'),
        ).replace("import django.db", "import django_tenants.postgresql_backend.base\nimport django.db", 1),
        "tenants/migrations/0002_client_paid_until.py": _migration(
            [("tenants", "0001_initial")],
            'migrations.AddField("client", "paid_until", models.DateField(null=True)),\n',
        ),
    }


_FILL = '''
def fill(apps, schema_editor):
    """As people write it: row by row."""
    for item in apps.get_model("catalog", "item").objects.filter(code=""):
        item.code = f"{item.name[:12].upper()}-{item.pk}"
        item.save(update_fields=["code"])


'''


def _release(shape: Shape, release: str) -> dict[str, str]:
    """The migrations that a release adds."""
    if release == "fields":
        last = {app: _last(shape, app) for app in shape.apps}
        files = {}
        for new in _FIELDS[shape.name]:
            files[new.file] = new.migration(last[new.app])
            last[new.app] = new.name
        return files
    if release == "python":
        operation = "migrations.RunPython(fill, migrations.RunPython.noop),\n"
        fill = _migration([("catalog", _last(shape, "catalog"))], operation, _FILL)
        return {"catalog/migrations/0008_fill_item_code.py": fill}
    return {}


def added(shape: Shape, release: str) -> list[tuple[str, str]]:
    """The migrations that are pending when a release comes: app and name."""
    if release == "fields":
        return [(new.app, new.name) for new in _FIELDS[shape.name]]
    return [("catalog", "0008_fill_item_code")] if release == "python" else []


def _last(shape: Shape, app: str) -> str:
    if "note" not in shape.models(app):
        return "0006_group_name"
    return "0008_item_related" if app in RELATED and shape.with_auth else "0007_group_name"


@dataclass(frozen=True)
class NewField:
    """A field with an index that the release ``fields`` adds, in a migration of its own."""

    app: str
    model: str
    field: str
    definition: str

    @property
    def name(self) -> str:
        return f"0009_{self.model}_{self.field}"

    @property
    def file(self) -> str:
        return f"{self.app}/migrations/{self.name}.py"

    def migration(self, after: str) -> str:
        operation = f"migrations.AddField({self.model!r}, {self.field!r}, {self.definition}),\n"
        return _migration([(self.app, after)], operation)


_RANK = ("item", "rank", "models.IntegerField(default=0, db_index=True)")
_REFERENCE = ("line", "reference", 'models.CharField(max_length=30, default="", db_index=True)')
_CLOSED = ("group", "closed", "models.DateTimeField(null=True, db_index=True)")
_FIELDS = {
    "business": (NewField("crm", *_RANK), NewField("sales", *_REFERENCE), NewField("stock", *_CLOSED)),
    "small": (NewField("catalog", *_RANK), NewField("catalog", *_CLOSED), NewField("crm", *_REFERENCE)),
}
