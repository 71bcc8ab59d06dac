# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.desired import (
    Desired,
    contradictions,
    desired,
    schema_name_error,
)
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.errors import OptionProblem
from django.test import override_settings

if TYPE_CHECKING:
    from collections.abc import Callable

# What Ansible fills in where a task says nothing.
UNSAID: dict[str, Any] = {
    "schema": None,
    "key": None,
    "attributes": {},
    "defaults": {},
    "domains": [],
    "exclusive_domains": False,
    "move_domains": False,
    "state": "present",
    "drop_schema": False,
    "confirm": None,
    "grant_to": [],
    "migrate": True,
}


@pytest.fixture
def by_schema(tenancy: Callable[..., Any]) -> Callable[..., Desired]:
    """``by_schema(**options)``: a tenant called acme as it is declared under schema tenancy."""
    return lambda **options: desired(tenancy("schema"), {**UNSAID, "schema": "acme", **options})


@pytest.fixture
def by_row(tenancy: Callable[..., Any]) -> Callable[..., Desired]:
    """``by_row(**options)``: a tenant called acme as it is declared under row tenancy."""
    return lambda **options: desired(tenancy("row"), {**UNSAID, "key": {"slug": "acme"}, **options})


def domains(item: Desired) -> list[tuple[str, bool]]:
    return [(domain.name, domain.primary) for domain in item.domains]


def test_a_schema_tells_which_tenant_it_is(by_schema: Callable[..., Desired]) -> None:
    item = by_schema(attributes={"name": "Acme"}, grant_to=["app"], migrate=False)
    assert (item.identity, item.schema, item.label) == ({"schema_name": "acme"}, "acme", "acme")
    assert (item.attributes, item.grant_to, item.present, item.migrate) == ({"name": "Acme"}, ["app"], True, False)


def test_a_key_tells_which_tenant_it_is(by_row: Callable[..., Desired]) -> None:
    item = by_row(key={"slug": "acme", "region": 7}, state="absent")
    assert (item.identity, item.schema, item.label) == ({"slug": "acme", "region": 7}, None, "acme, 7")
    assert item.present is False


@pytest.mark.parametrize("options", [{"schema": None}, {"schema": ""}, {"key": {"slug": "acme"}}])
def test_under_schema_tenancy_a_tenant_has_a_schema_and_no_key(
    by_schema: Callable[..., Desired], options: dict[str, Any]
) -> None:
    with pytest.raises(OptionProblem, match="say which tenant with schema:, not with key:"):
        by_schema(**options)


@pytest.mark.parametrize("options", [{"key": None}, {"key": {}}, {"schema": "acme"}])
def test_under_row_tenancy_a_tenant_has_a_key_and_no_schema(
    by_row: Callable[..., Desired], options: dict[str, Any]
) -> None:
    with pytest.raises(OptionProblem, match=r"as rows of directory.Tenant: say which tenant with key:"):
        by_row(**options)


def test_what_says_which_tenant_it_is_can_not_be_an_attribute_as_well(by_row: Callable[..., Desired]) -> None:
    with pytest.raises(OptionProblem, match=r"^acme: slug says which tenant it is"):
        by_row(attributes={"slug": "other", "name": "Acme"})


def test_what_says_which_tenant_it_is_can_not_be_a_default_as_well(by_row: Callable[..., Desired]) -> None:
    with pytest.raises(OptionProblem, match=r"^acme: slug says which tenant it is"):
        by_row(defaults={"slug": "other"})


def test_the_first_domain_is_the_primary_one(by_schema: Callable[..., Desired]) -> None:
    assert domains(by_schema(domains=["a.example", {"domain": "b.example"}])) == [
        ("a.example", True),
        ("b.example", False),
    ]
    assert domains(by_schema()) == []


@pytest.mark.parametrize("mark", [True, "true", "yes", "True"])
def test_the_marked_domain_is_the_primary_one(by_schema: Callable[..., Desired], mark: Any) -> None:
    marked = by_schema(domains=["a.example", {"domain": "b.example", "primary": mark}])
    assert domains(marked) == [("a.example", False), ("b.example", True)]


@pytest.mark.parametrize("mark", [False, "false", "no", "False"])
def test_a_domain_that_is_marked_as_not_primary_is_not_for_its_mark(
    by_schema: Callable[..., Desired], mark: Any
) -> None:
    item = by_schema(domains=["a.example", {"domain": "b.example", "primary": mark}])
    assert domains(item) == [("a.example", True), ("b.example", False)]


def test_two_primary_domains_are_refused(by_schema: Callable[..., Desired]) -> None:
    both = [{"domain": name, "primary": True} for name in ("a.example", "b.example")]
    with pytest.raises(OptionProblem, match=r"more than one domain is marked as primary \(a.example, b.example\)"):
        by_schema(domains=both)


def test_host_names_are_the_same_in_any_case(by_schema: Callable[..., Desired]) -> None:
    assert domains(by_schema(domains=[" ACME.Example "])) == [("acme.example", True)]
    with pytest.raises(OptionProblem, match=r"the domain 'acme.example' is declared twice"):
        by_schema(domains=["acme.example", "ACME.example"])


def test_folders_names_are_taken_as_given(by_schema: Callable[..., Desired]) -> None:
    with override_settings(TENANT_SUBFOLDER_PREFIX="clients"):
        item = by_schema(domains=["Acme", "acme"])
    assert domains(item) == [("Acme", True), ("acme", False)]


@pytest.mark.parametrize(
    "item", [7, None, "", "  ", [], {}, {"primary": True}, {"domain": 7}, {"domain": "a", "is": 1}]
)
def test_what_is_no_domain_is_refused(by_schema: Callable[..., Desired], item: Any) -> None:
    with pytest.raises(OptionProblem, match=r"^acme: a domain is a host name"):
        by_schema(domains=[item])


def test_domains_are_refused_where_the_project_has_no_domain_model(tenancy: Callable[..., Any]) -> None:
    without = tenancy("schema", domain=None, domain_field=None, domain_tenant_field=None, primary_field=None)
    with pytest.raises(OptionProblem, match="the project has no domain model"):
        desired(without, {**UNSAID, "schema": "acme", "domains": ["acme.example"]})
    assert desired(without, {**UNSAID, "schema": "acme"}).domains == []


def test_tenants_that_have_nothing_in_common_do_not_contradict_each_other(by_schema: Callable[..., Desired]) -> None:
    assert contradictions([by_schema(domains=["a.example"]), by_schema(schema="globex", domains=["b.example"])]) == []


def test_a_tenant_that_is_declared_twice_is_named(
    by_schema: Callable[..., Desired], by_row: Callable[..., Desired]
) -> None:
    assert contradictions([by_schema(), by_schema(state="absent")]) == ["acme: declared more than once."]
    assert contradictions([by_row(), by_row()]) == ["acme: declared more than once."]


def test_schemas_that_differ_in_case_only_are_named_and_keys_may(
    by_schema: Callable[..., Desired], by_row: Callable[..., Desired]
) -> None:
    assert contradictions([by_schema(), by_schema(schema="ACME")]) == ["ACME: differs only in case from acme."]
    assert contradictions([by_row(), by_row(key={"slug": "ACME"})]) == []


def test_a_domain_that_two_tenants_declare_is_named_with_both(by_schema: Callable[..., Desired]) -> None:
    first, second = by_schema(domains=["a.example"]), by_schema(schema="globex", domains=["b.example", "A.example"])
    assert contradictions([first, second]) == ["globex: the domain 'a.example' is also declared for acme."]


def test_a_tenant_that_is_to_go_claims_no_domain(by_schema: Callable[..., Desired]) -> None:
    leaving = by_schema(schema="globex", domains=["a.example"], state="absent")
    assert contradictions([leaving, by_schema(domains=["a.example"])]) == []


@pytest.mark.parametrize("name", ["acme", "Acme Meats", "ünïcödé", "1acme", "acme-2", "x" * 63, "é" * 31, "public"])
def test_names_that_postgresql_and_django_tenants_take_are_taken(name: str) -> None:
    assert schema_name_error(name, ["public", "globex"]) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x" * 64, "is 64 bytes long"),
        ("é" * 32, "is 64 bytes long"),
        ("pg_acme", "PostgreSQL's own"),
        ("PG_ACME", "PostgreSQL's own"),
        ("information_schema", "PostgreSQL's own"),
        ('a"b', "django-tenants refuses"),
        ("a\nb", "django-tenants refuses"),
        ("a\tb", "django-tenants refuses"),
        ("", "django-tenants refuses"),
    ],
)
def test_a_name_that_one_of_them_would_refuse_is_told_which_and_why(name: str, reason: str) -> None:
    assert reason in (schema_name_error(name, []) or "")


def test_a_name_that_differs_from_another_in_case_only_is_refused() -> None:
    assert "differs only in case from 'Acme'" in (schema_name_error("acme", ["globex", "Acme"]) or "")
    assert schema_name_error("Acme", ["Acme", "globex"]) is None
