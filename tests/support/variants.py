# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variants of the sample projects: few apps, so that a tenant is made in a moment, and other settings and models."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import checkout

if TYPE_CHECKING:
    from pathlib import Path

    from .databases import Database
    from .samples import Sample

PUBLIC = {
    "schema": "public",
    "defaults": {"name": "Public", "paid_until": "2099-12-31", "on_trial": False},
    "domains": ["localhost"],
}

_FEW_APPS = {
    "schema_tenants": """
SHARED_APPS = ["django_tenants", "tenants", "django.contrib.contenttypes", "django.contrib.auth"]
TENANT_APPS = ["django.contrib.contenttypes", "carriers"]
INSTALLED_APPS = [*SHARED_APPS, "carriers"]
""",
    "row_tenants": """
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "tenants", "carriers"]
""",
}


@dataclass
class Variant:
    """A sample of a test's own, changed as the test wants it, with its database and the real modules."""

    sample: Sample
    database: Database | None

    @property
    def settings_file(self) -> str:
        return "config/settings/dev.py" if self.sample.name == "schema_tenants" else "config/settings.py"

    def settings(self, text: str) -> Variant:
        """Let the settings end with this."""
        return self.append(self.settings_file, text)

    def append(self, path: str, text: str) -> Variant:
        file = self.sample.directory / path
        file.write_text(file.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")
        return self

    def replace(self, path: str, old: str, new: str) -> Variant:
        file = self.sample.directory / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")
        return self

    def write(self, path: str, text: str) -> Variant:
        file = self.sample.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self

    def migration(self, app: str, name: str, after: str, operations: str, body: str = "") -> Variant:
        """Add a migration file to an app."""
        return self.write(
            f"{app}/migrations/{name}.py",
            f"""from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [({app!r}, {after!r})]
    {body}
    operations = [{operations}]
""",
        )

    def module(self, name: str, **options: Any) -> dict[str, Any]:
        return checkout.run_module(name, **{**self.sample.options(), **options})

    def tenants(self, *tenants: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        """What django_tenant answers, failed ones included."""
        return self.module("django_tenant", check=check, diff=True, tenants=list(tenants), **options)

    def ensure(self, *tenants: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Ensure tenants, and prove on the way what always holds.

        Check mode writes nothing and says exactly what the real run then does; a second run changes nothing.
        """
        before = self.dump()
        foretold = self.tenants(*tenants, check=True, **options)
        assert not foretold.get("failed"), foretold
        assert self.dump() == before
        result = self.tenants(*tenants, **options)
        assert not result.get("failed"), result
        assert foretold["changed"] == result["changed"]
        assert foretold["tenants"] == result["tenants"]
        assert foretold["diff"] == result["diff"]
        again = self.tenants(*tenants, **options)
        assert not again["changed"], again
        return result

    def refused(self, *tenants: dict[str, Any], **options: Any) -> dict[str, Any]:
        """The answer of a task that fails, in check mode as in the real one, and writes nothing."""
        before = self.dump()
        foretold = self.tenants(*tenants, check=True, **options)
        result = self.tenants(*tenants, **options)
        assert result.get("failed"), result
        assert foretold["msg"] == result["msg"]
        assert self.dump() == before
        return result

    def dump(self) -> str:
        if self.database:
            return self.database.dump()
        with sqlite3.connect(self.file) as connection:
            return "\n".join(connection.iterdump())

    @property
    def file(self) -> Path:
        """The database of the row sample on SQLite."""
        return self.sample.directory / "db.sqlite3"

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if self.database:
            return self.database.query(statement)
        with sqlite3.connect(self.file) as connection:
            return connection.execute(statement).fetchall()

    def execute(self, statement: str) -> None:
        if self.database:
            self.database.execute(statement)
            return
        with sqlite3.connect(self.file) as connection:
            connection.execute(statement)
            connection.commit()

    def domains(self) -> dict[str, tuple[str, bool]]:
        """Each domain with its tenant's name and whether it is primary."""
        table, name = (
            ("tenants_client", "schema_name") if self.sample.name == "schema_tenants" else ("tenants_tenant", "slug")
        )
        rows = self.query(
            f"SELECT d.domain, t.{name}, d.is_primary FROM tenants_domain d JOIN {table} t ON t.id = d.tenant_id ORDER BY d.id"
        )
        return {domain: (tenant, bool(primary)) for domain, tenant, primary in rows}


def few_apps(sample: Sample) -> Sample:
    """Take most apps out of a sample, and the views that show them, so that its own commands still run."""
    Variant(sample, None).settings(_FEW_APPS[sample.name]).write("config/urls.py", "urlpatterns = []\n")
    return sample
