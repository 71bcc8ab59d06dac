# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configured Django with two small apps, on an SQLite in memory, for what reads models and migrations."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import hypothesis
import pytest
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "apps"))
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(HERE.parents[1] / "build" / "hypothesis"))

# The same examples in every run: what fails here fails again.
hypothesis.settings.register_profile("unit", derandomize=True, max_examples=100, deadline=None)
hypothesis.settings.load_profile("unit")

if not settings.configured:
    settings.configure(
        SECRET_KEY="unit",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "directory", "ledger"],
        TIME_ZONE="America/Chicago",
        USE_TZ=True,
    )
    django.setup()


@pytest.fixture(scope="session")
def _tables() -> None:
    """The tables of the app ``directory`` and of Django's users."""
    from django.apps import apps
    from django.contrib.auth.models import User
    from django.db import connection

    with connection.schema_editor() as editor:
        for model in (User, *apps.get_app_config("directory").get_models()):
            editor.create_model(model)


@pytest.fixture
def tables(_tables: None) -> Iterator[None]:
    """Empty tables, and what a test writes to them is gone after it."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def tenancy() -> Callable[..., Any]:
    """``tenancy(kind, **changes)``: how a project with the models of ``directory`` keeps its tenants apart."""
    from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.tenancy import Tenancy
    from directory.models import Domain, Tenant

    def make(kind: str, **changes: Any) -> Tenancy:
        fields: dict[str, Any] = {
            "kind": kind,
            "database": "default",
            "engine": "django.db.backends.sqlite3",
            "routers": (),
            "tenant": Tenant,
            "domain": Domain,
            "domain_field": "domain",
            "domain_tenant_field": "tenant",
            "primary_field": "is_primary",
            "public_schema": "public" if kind == "schema" else None,
        }
        return Tenancy(**{**fields, **changes})

    return make
