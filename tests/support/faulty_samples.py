# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What faulty releases are made of: small samples, and rows for the database that they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import samples
from .variants import Variant, few_apps

if TYPE_CHECKING:
    from pathlib import Path

    from .databases import Database

ROWS = {
    "schema_tenants": """
        INSERT INTO acme.carriers_carrier (name, slug, mc_number, created_at)
            VALUES ('First', 'first', '1', now()), ('Second', 'second', '1', now());
        INSERT INTO globex.carriers_carrier (name, slug, mc_number, created_at)
            VALUES ('Third', 'third', '', now()), ('Fourth', 'fourth', '', now())""",
    "row_tenants": """
        INSERT INTO carriers_carrier (name, mc_number, tenant_id)
            SELECT slug || number, '1', id FROM tenants_tenant, generate_series(1, 2) number""",
}


def released(name: str, directory: Path, database: Database) -> Variant:
    """Release 1 of a sample with few apps, and without the addresses of those that are gone."""
    sample = samples.copy_sample(
        name, directory, release="1", stack="current", environment="dev", database_url=database.url
    )
    release = Variant(few_apps(sample), database)
    return release.settings("ROOT_URLCONF = 'config.no_urls'\nPUBLIC_SCHEMA_URLCONF = ROOT_URLCONF").write(
        "config/no_urls.py", "urlpatterns = []\n"
    )
