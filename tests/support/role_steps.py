# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that the role runs, in the role's order, for tests that have no need of ansible-playbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import deployment

if TYPE_CHECKING:
    from .variants import Variant

SCHEMA_TENANTS = [
    {
        "schema": schema,
        "defaults": {"name": f"{schema.title()} Foods", "paid_until": "2099-12-31", "on_trial": False},
        "domains": [f"{schema}.localhost"],
        "migrate": False,
    }
    for schema in ("acme", "globex")
]
PUBLIC = {
    "schema": "public",
    "defaults": {"name": "MeatsCentral", "paid_until": "2099-12-31", "on_trial": False},
    "domains": ["localhost"],
    "migrate": False,
}


def declared(release: Variant) -> list[dict[str, Any]]:
    """What the inventory of dev declares of the sample."""
    return SCHEMA_TENANTS if release.sample.name == "schema_tenants" else deployment.row_tenants("dev")


def deploy(release: Variant, old: bool = False, **variables: Any) -> dict[str, Any]:
    """The answer of the step that failed, or else of the last one.

    :param old: whether the tenants are there already, so that the steps that make them can be left out.
    :param variables: those of the role that the tests set.
    """
    answer: dict[str, Any] = {}
    skipped: dict[str, str] = {}
    for name, options in _steps(release, old, variables):
        answer = release.module(name, **options)
        if answer.get("failed"):
            return answer
        skipped |= answer.get("not_run", {})
    # A rule that can't cope with a project that is right is a rule to mend.
    assert "could not cope" not in str(skipped), skipped
    return answer


def _steps(release: Variant, old: bool, variables: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    by_schema = release.sample.name == "schema_tenants"
    declared_tenants = variables.get("tenancy_tenants", declared(release))
    tenants = [*([PUBLIC] if by_schema else []), *declared_tenants]
    audit = {
        "planned": [item.get("schema") or item["key"]["slug"] for item in declared_tenants],
        "planned_public": True,
        **({"domain": "localhost"} if by_schema else {}),
    }
    rehearsal = {
        "rehearse": "auto",
        "rehearse_rows": variables.get("tenancy_rehearse_rows", 0),
        "rehearse_tenants": tenants,
    }
    if old:
        return [
            ("django_tenancy_check", audit),
            ("django_migrate_schemas", {"scope": "all", **rehearsal}),
            ("django_tenant_info", {}),
        ]
    return [
        ("django_tenancy_check", audit),
        ("django_migrate_schemas", {"scope": "shared", **rehearsal}),
        *([("django_tenant", {"tenants": tenants})] if tenants else []),
        # A schema that has just been made lacks nothing.
        *([] if by_schema else [("django_migrate_schemas", {"scope": "tenants"})]),
        ("django_tenant_info", {}),
    ]
