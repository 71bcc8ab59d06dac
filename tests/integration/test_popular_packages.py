# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The migrations of popular packages, in one project: no false alarm, and a deploy that ends well."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.support import checkout, samples
from tests.support.deployment import deployment
from tests.support.variants import Variant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.databases import Database


def packages() -> set[str]:
    """The packages of the stack, as its requirements name them."""
    text = (checkout.ROOT / "tests" / "stacks" / "packages.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w-]+)(?:\[\w+\])?==", text, re.MULTILINE))


def test_a_project_of_popular_packages_is_deployed_without_a_false_alarm(database: Database, tmp_path: Path) -> None:
    assert len(packages()) >= 20
    sample = samples.copy_sample(
        "packages", tmp_path / "project", release="1", stack="packages", environment="dev", database_url=database.url
    )
    project = deployment(sample, "dev", tmp_path)
    # One tenant: each costs as much as all the packages' migrations.
    acme = {"schema": "acme", "defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["acme.localhost"]}
    project.variables |= {"tenancy_settings": sample.settings, "tenancy_tenants": [acme]}
    audited = Variant(sample, database).module("django_tenancy_check", planned=["acme"], planned_public=True)
    assert [finding for finding in audited["findings"] if finding["severity"] == "error"] == [], json.dumps(audited)

    first = project.deploy()
    assert first.changed > 0
    for schema, tables in {
        "public": {"axes_accesslog", "procrastinate_jobs", "oauth2_provider_accesstoken"},
        "acme": {"account_emailaddress", "filer_file", "taggit_tag", "waffle_flag"},
    }.items():
        assert tables < set(database.tables(schema))
    deployed = database.dump()
    assert project.deploy().changed == 0
    assert database.dump() == deployed
