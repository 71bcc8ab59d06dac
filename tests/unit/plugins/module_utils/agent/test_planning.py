# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.errors import OptionProblem
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fleet import Fleet, SchemaState
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.planning import choose

FLEET = Fleet("public", schemas={name: SchemaState(name, exists=True) for name in ("public", "globex", "acme")})
ROWS = Fleet("main", schemas={"main": SchemaState("main", exists=True)})


def chosen(fleet: Fleet = FLEET, by_schema: bool = True, planned: tuple[str, ...] = (), **options: Any) -> list[str]:
    given = {"scope": "all", "schemas": [], "exclude": [], **options}
    return [state.name for state in choose(fleet, given, by_schema=by_schema, planned=set(planned))]


def test_all_is_the_public_schema_and_then_the_tenants_in_the_order_of_the_fleet() -> None:
    assert chosen() == ["public", "globex", "acme"]


def test_what_is_shared_is_the_public_schema_alone() -> None:
    assert chosen(scope="shared") == ["public"]


def test_the_tenants_are_all_but_the_public_schema() -> None:
    assert chosen(scope="tenants") == ["globex", "acme"]


def test_named_schemas_are_taken_in_the_order_of_the_fleet() -> None:
    assert chosen(schemas=["acme", "public"]) == ["public", "acme"]


def test_a_named_schema_that_the_scope_does_not_cover_is_left_out() -> None:
    assert chosen(scope="tenants", schemas=["acme", "public"]) == ["acme"]


def test_excluded_schemas_are_left_out_also_where_they_are_named() -> None:
    assert chosen(exclude=["acme"]) == ["public", "globex"]
    assert chosen(schemas=["acme", "globex"], exclude=["acme"]) == ["globex"]


@pytest.mark.parametrize("option", ["schemas", "exclude"])
def test_a_name_that_no_tenant_has_is_an_error_that_names_it_and_what_there_is(option: str) -> None:
    with pytest.raises(OptionProblem, match=f"^{option}: no tenant has the schema 'nobody', 'who'") as caught:
        chosen(**{option: ["who", "acme", "nobody"]})
    assert "acme, globex, public" in str(caught.value.details["hint"])


def test_an_error_does_not_list_a_fleet_of_thousands() -> None:
    fleet = Fleet("public", schemas={f"t{number:04}": SchemaState(f"t{number:04}", True) for number in range(3000)})
    with pytest.raises(OptionProblem) as caught:
        chosen(fleet, schemas=["who"])
    assert "t0019 and 2980 more" in str(caught.value.details["hint"])


def test_schemas_that_a_check_would_have_made_are_known_and_have_nothing_left_to_do() -> None:
    fleet = Fleet("public", schemas={**FLEET.schemas, "new": SchemaState("new", exists=False)})
    assert chosen(fleet, planned=("new",), schemas=["new", "acme", "globex"]) == ["globex", "acme"]


def test_schemas_that_exist_are_looked_at_also_where_a_check_would_have_touched_their_tenant() -> None:
    assert chosen(planned=("acme", "unheard of"), scope="tenants") == ["globex", "acme"]


def test_the_public_schema_stays_chosen_also_where_a_check_would_have_made_its_tenant() -> None:
    assert chosen(planned=("public",), scope="shared") == ["public"]


@pytest.mark.parametrize("scope", ["shared", "tenants", "all"])
def test_under_row_tenancy_every_scope_is_the_one_schema(scope: str) -> None:
    assert chosen(ROWS, by_schema=False, scope=scope, planned=("acme",)) == ["main"]


def test_under_row_tenancy_the_one_schema_can_be_excluded() -> None:
    assert chosen(ROWS, by_schema=False, exclude=["main"]) == []
