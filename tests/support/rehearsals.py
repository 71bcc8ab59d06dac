# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearsals as tests ask for them, and what holds of every one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.scratch_names import number_in

from .variants import PUBLIC

if TYPE_CHECKING:
    from .databases import Database
    from .variants import Variant

ACME = {
    "schema": "acme",
    "defaults": {"name": "Acme", "paid_until": "2099-12-31", "on_trial": False},
    "domains": ["acme.localhost"],
}


def scratch_databases(database: Database) -> list[str]:
    """The scratch databases that there are of this one; others have theirs on the same server."""
    names = [name for (name,) in database.query("SELECT datname FROM pg_database")]
    return [name for name in names if number_in(name, database.name) is not None]


def rehearsed(variant: Variant, **options: Any) -> dict[str, Any]:
    """The answer of the task that migrates what is shared and rehearses the whole deploy before.

    Where it fails, or only checks, nothing was written.
    """
    before = variant.dump()
    result = variant.module(
        "django_migrate_schemas",
        **{"scope": "shared", "rehearse": "scratch", "rehearse_tenants": [PUBLIC, ACME], **options},
    )
    if result.get("failed") or options.get("check"):
        assert variant.dump() == before
    return result


def warnings(result: dict[str, Any]) -> list[str]:
    """The warnings of a module's answer, as newer and older versions of Ansible give them."""
    return [item if isinstance(item, str) else item["event"]["msg"] for item in result.get("warnings", [])]
