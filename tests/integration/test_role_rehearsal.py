# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role rehearses the whole deploy before its first task that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.deployment import deployment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database
    from tests.support.samples import Sample

# The last that the last tenant's step would run, long after what is shared.
BROKEN = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("plants", "{after}"), ("contacts", "{contacts}")]
    operations = [migrations.RunSQL("UPDATE plants_plant SET colour = 'red'")]
"""


@pytest.mark.parametrize(
    ("name", "after", "contacts", "variables"),
    [
        ("schema_tenants", "0003_plant_city_plant_plant_supplier_idx", "0003_contact_display_name", {}),
        (
            "schema_tenants",
            "0003_plant_city_plant_plant_supplier_idx",
            "0003_contact_display_name",
            {"tenancy_audit": False},
        ),
        ("row_tenants", "0004_alter_plant_tenant", "0004_alter_contact_tenant", {}),
    ],
    ids=["schemas", "schemas, without the audit", "rows"],
)
def test_what_fails_in_the_last_step_stops_the_deploy_before_its_first_write(
    sample: Callable[..., Sample],
    database: Database,
    tmp_path: Path,
    name: str,
    after: str,
    contacts: str,
    variables: dict[str, Any],
) -> None:
    project = sample(name)
    file = project.directory / "plants" / "migrations" / "0009_broken.py"
    file.write_text(BROKEN.format(after=after, contacts=contacts), encoding="utf-8")
    empty = database.dump()
    run = deployment(project, "dev", tmp_path).deploy(succeed=False, **variables)
    assert "The rehearsal failed, so nothing was written: plants.0009_broken" in run.output
    assert "colour" in run.output
    assert run.changed == 0
    assert database.dump() == empty
