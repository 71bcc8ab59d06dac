# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._result import (
    info_result,
    migration_result,
    tenant_result,
)

TENANCY = {"kind": "schema"}


def line(tenant: str, state: str, *actions: str, **more: Any) -> dict[str, Any]:
    """A tenant's line as the agent replies it."""
    return {
        "tenant": tenant,
        "state": state,
        "actions": list(actions),
        "migrations": [],
        "domains": [],
        "unused_defaults": [],
        "before": {"row": None, "of": tenant},
        "after": {"row": {}, "of": tenant},
        **more,
    }


def tenants(*lines: dict[str, Any], check: bool = False, diff: bool = False) -> dict[str, Any]:
    return tenant_result(
        {"tenancy": TENANCY, "tenants": list(lines), "planned": ["acme"], "warnings": []}, check=check, diff=diff
    )


CREATED = line("acme", "created", "create the row", "add the domain acme.localhost")
UPDATED = line("globex", "updated", "set name: A → B")
UNCHANGED = line("initech", "unchanged")
FAILED = line(
    "hooli",
    "failed",
    "create the row",
    error={"message": "no such table", "migration": "plants.0002", "sqlstate": "42P01", "hint": "Migrate."},
)


def test_tenants_that_are_as_declared_change_nothing() -> None:
    result = tenants(UNCHANGED, line("gone", "absent"), diff=True)
    assert (result["changed"], result["diff"]) == (False, [])
    assert result["msg"] == "All 2 tenants are as declared."
    assert "failed" not in result


def test_one_tenant_that_is_as_declared_is_named() -> None:
    assert tenants(UNCHANGED)["msg"] == "initech is as declared."


def test_no_tenant_declared_is_no_change() -> None:
    assert tenants()["changed"] is False


def test_the_one_tenant_that_changes_is_told_in_full() -> None:
    result = tenants(CREATED, UNCHANGED)
    assert result["changed"] is True
    assert result["msg"] == "acme: create the row; add the domain acme.localhost."


def test_a_check_says_would() -> None:
    assert tenants(CREATED, check=True)["msg"] == "acme: would create the row; add the domain acme.localhost."
    assert tenants(CREATED, UPDATED, check=True)["msg"] == "2 of 2 tenants: 1 to be created, 1 to be updated."


def test_several_tenants_that_change_are_counted() -> None:
    another = line("umbrella", "created", "create the row")
    assert tenants(CREATED, UPDATED, another, UNCHANGED)["msg"] == "3 of 4 tenants: 2 created, 1 updated."


def test_every_state_is_counted_also_where_no_tenant_has_it() -> None:
    assert tenants(CREATED, UPDATED, UNCHANGED)["summary"] == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "removed": 0,
        "absent": 0,
        "failed": 0,
    }


def test_the_difference_shows_the_tenants_that_change_and_no_others() -> None:
    assert tenants(CREATED, UNCHANGED, FAILED, diff=True)["diff"] == [
        {"before_header": "acme", "after_header": "acme", "before": CREATED["before"], "after": CREATED["after"]}
    ]


def test_before_and_after_stand_in_the_difference_only() -> None:
    result = tenants(CREATED)
    assert "diff" not in result
    assert not {"before", "after"} & set(result["tenants"][0])
    assert result["tenants"][0]["actions"] == CREATED["actions"]


def test_a_tenant_that_failed_fails_the_task_and_is_told_in_full() -> None:
    result = tenants(FAILED, UNCHANGED)
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["msg"] == ("1 of 2 tenants failed: hooli: plants.0002: no such table (SQLSTATE 42P01). Migrate.")


def test_of_several_that_failed_the_first_is_told_and_the_others_are_named() -> None:
    other = line("umbrella", "failed", error={"message": "refused."})
    result = tenants(CREATED, other, FAILED)
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["msg"] == "2 of 3 tenants failed: umbrella: refused. Failed as well: hooli."


def test_of_many_that_failed_a_few_are_named_and_the_others_are_counted() -> None:
    many = [line(f"t{number}", "failed", error={"message": "refused."}) for number in range(9)]
    assert tenants(*many)["msg"] == (
        "9 of 9 tenants failed: t0: refused. Failed as well: t1, t2, t3, t4, t5 and 3 more."
    )


def group(migrations: list[str], schemas: list[str]) -> dict[str, Any]:
    return {"migrations": migrations, "schemas": schemas, "count": len(schemas)}


def migrations(check: bool = False, diff: bool = False, **changes: Any) -> dict[str, Any]:
    counts = {"schemas": 3, "migrated": 0, "pending": 0, "failed": 0, "up_to_date": 3, **changes.pop("counts", {})}
    lists = {"pending": [], "migrated": [], "failed": [], "through_django": [], "warnings": []}
    return migration_result({"tenancy": TENANCY, "counts": counts, **lists, **changes}, check=check, diff=diff)


GROUP = group(["a.0001", "a.0002"], ["acme", "globex"])
FAILURE = {
    "schema": "acme",
    "migration": "a.0001",
    "statement": "ALTER …",
    "sqlstate": "42701",
    "message": "column exists",
    "hint": None,
}


def test_schemas_that_are_up_to_date_change_nothing() -> None:
    result = migrations(diff=True)
    assert (result["changed"], result["diff"]) == (False, [])
    assert result["msg"] == "All 3 schemas are up to date."
    assert migrations(counts={"schemas": 1})["msg"] == "The schema is up to date."


def test_what_was_migrated_is_counted_over_all_schemas() -> None:
    result = migrations(migrated=[GROUP, group(["b.0001"], ["public"])], counts={"migrated": 3})
    assert result["changed"] is True
    assert result["msg"] == "5 migrations in 3 schemas applied."


def test_a_check_changes_where_something_is_pending() -> None:
    result = migrations(check=True, pending=[group(["a.0001"], ["acme"])], counts={"pending": 1})
    assert result["changed"] is True
    assert result["msg"] == "1 migration in 1 schema would be applied."


def test_what_stays_pending_after_a_run_is_no_change() -> None:
    result = migrations(pending=[GROUP], failed=[FAILURE], counts={"pending": 2, "failed": 1})
    assert (result["changed"], result["failed"]) == (False, True)


def test_a_schema_that_failed_fails_the_task_with_where_and_why() -> None:
    result = migrations(failed=[FAILURE, {**FAILURE, "schema": "globex"}], migrated=[GROUP], counts={"migrated": 1})
    assert (result["changed"], result["failed"], result["failures"][0]) == (True, True, FAILURE)
    assert result["msg"] == (
        "2 of 3 schemas failed: acme: a.0001: column exists (SQLSTATE 42701) (and 1 more, in failures) 1 schema migrated."
    )


@pytest.mark.parametrize(("check", "told"), [(False, "migrated"), (True, "pending")])
def test_the_difference_of_migrations_comes_from_the_plan_in_either_mode(check: bool, told: str) -> None:
    result = migrations(check=check, diff=True, **{told: [GROUP]}, counts={told: 2})
    assert result["diff"] == [
        {"before_header": "acme, globex", "after_header": "acme, globex", "before": "", "after": "a.0001\na.0002\n"}
    ]


def test_a_difference_names_a_few_schemas_and_counts_the_others() -> None:
    many = group(["a.0001"], [f"t{number}" for number in range(8)])
    result = migrations(diff=True, migrated=[many], counts={"migrated": 8})
    assert result["diff"][0]["before_header"] == "t0, t1, t2, t3, t4 and 3 more"


def info(**changes: Any) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "tenancy": TENANCY,
        "tenants": [],
        "schemas": [],
        "pending": [],
        "problems": [],
        "missing": [],
        "orphans": [],
    }
    return info_result({**reply, **changes})


def test_gathering_facts_changes_nothing_and_hands_on_the_reply() -> None:
    result = info(orphans=["left"])
    assert (result["changed"], result["tenancy"], result["orphans"]) == (False, TENANCY, ["left"])
    assert result["msg"] == "0 tenants, 0 schemas with pending migrations, 0 tables missing."


def test_facts_are_counted() -> None:
    result = info(
        tenants=[{}],
        schemas=[{}, {}, {}, {}],
        pending=[GROUP, group(["b.0001"], ["public"])],
        problems=[{}],
        missing=["acme.a", "acme.b"],
        orphans=["left"],
    )
    assert result["summary"] == {
        "tenants": 1,
        "schemas": 4,
        "pending": 3,
        "problems": 1,
        "missing": 2,
        "orphans": 1,
    }
    assert result["msg"] == (
        "1 tenant, 3 schemas with pending migrations, 2 tables missing, 1 schema that can't be migrated."
    )
