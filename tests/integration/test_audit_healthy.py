# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No false alarm: whole samples with Django's own apps, empty and between two releases, have no finding of the rules on the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import audit as rules

from tests.support.audits import audit
from tests.support.variants import PUBLIC, Variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Database
    from tests.support.samples import Sample

NAMES = list(rules.RULES)
CODE = NAMES[: NAMES.index("environments-differ") + 1]
CONTRIB = """
_MORE = [f"django.contrib.{app}" for app in ("admin", "messages", "sites", "flatpages", "redirects", "postgres")]
SHARED_APPS = [*globals().get("SHARED_APPS", []), *_MORE]
INSTALLED_APPS = [*INSTALLED_APPS, *_MORE]
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES[0]["OPTIONS"] = {"context_processors": ["django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}
SITE_ID = 1
"""
ACME = {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["acme.example"]}
TENANTS = {
    "schema_tenants": [PUBLIC, ACME],
    "row_tenants": [
        {
            "key": {"slug": "acme"},
            "defaults": {"name": "Acme", "contact_email": "a@acme.example"},
            "domains": ["acme.example"],
        }
    ],
}


@pytest.mark.parametrize("stack", ["current", "oldest"])
@pytest.mark.parametrize("name", ["schema_tenants", "row_tenants"])
def test_a_whole_project_has_no_finding_on_its_code(
    name: str, stack: str, sample: Callable[..., Sample], database: Database
) -> None:
    variant = Variant(sample(name, stack=stack), database).settings(CONTRIB)
    assert audit(variant, *CODE) == []
    for step in ({"scope": "shared"}, TENANTS[name], {"scope": "all"}):
        done = variant.module("django_migrate_schemas", **step) if isinstance(step, dict) else variant.tenants(*step)
        assert not done.get("failed"), done["msg"]
    variant.sample.upgrade("2")
    answer = variant.module("django_tenancy_check", rules=CODE, fail_on="warning")
    assert not answer.get("failed"), answer
    assert answer["findings"] == [], answer
    assert answer["not_run"] == {}
