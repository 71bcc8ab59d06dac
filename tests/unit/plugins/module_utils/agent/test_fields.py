# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fields import (
    Finder,
    Values,
    checked,
    get_or_create,
    missing_required,
    same,
    settable_fields,
)
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.structure import read_columns
from directory.models import Domain, Owner, Tenant
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("tables")

FIELDS = settable_fields(Tenant)


def finder() -> Finder:
    return Finder("default", lambda table: read_columns(connection, "main", [table])[table])


def values(attributes: dict[str, Any] | None = None, defaults: dict[str, Any] | None = None) -> Values:
    return checked(Tenant, finder(), attributes or {}, defaults or {})


def test_what_a_task_can_set_is_what_has_a_column_and_is_not_made_by_the_database() -> None:
    assert set(FIELDS) == {
        "id",
        "slug",
        "name",
        "owner",
        "contact",
        "plan",
        "on_trial",
        "paid_until",
        "opened_at",
        "fee",
        "seats",
        "features",
        "remark",
        "created_at",
        "changed_at",
    }
    assert set(settable_fields(Domain)) == {"tenant", "domain", "is_primary"}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("name", "Acme", "Acme"),
        ("name", 42, "42"),
        ("plan", "full", "full"),
        ("on_trial", "False", False),
        ("on_trial", True, True),
        ("paid_until", "2099-12-31", datetime.date(2099, 12, 31)),
        ("paid_until", None, None),
        ("fee", "12.50", Decimal("12.50")),
        ("fee", 12, Decimal(12)),
        ("seats", "7", 7),
        ("features", {"edi": True}, {"edi": True}),
        ("remark", "", ""),
        ("id", "0b6f0ba0-9d3b-4c5e-8a53-a5b1b0c3a111", uuid.UUID("0b6f0ba0-9d3b-4c5e-8a53-a5b1b0c3a111")),
    ],
)
def test_a_value_is_taken_as_the_field_takes_it(name: str, given: Any, expected: Any) -> None:
    result = values({name: given})
    assert (result.errors, result.attributes) == ([], {name: expected})


def test_a_time_without_a_zone_is_taken_in_that_of_the_project() -> None:
    result = values({"opened_at": "2026-11-21 08:00"})
    assert result.attributes["opened_at"] == datetime.datetime(2026, 11, 21, 8, 0, tzinfo=ZoneInfo("America/Chicago"))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("name", "x" * 21),
        ("name", ""),
        ("name", None),
        ("slug", "no blanks"),
        ("plan", "golden"),
        ("on_trial", "perhaps"),
        ("on_trial", None),
        ("paid_until", "2099-13-31"),
        ("fee", "12.505"),
        ("fee", [1]),
        ("seats", "many"),
        ("id", "7"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_that_names_the_field(name: str, given: Any) -> None:
    result = values({name: given})
    assert name not in result.attributes
    assert [error.partition(":")[0] for error in result.errors] == [name]


def test_all_that_is_wrong_is_listed_at_once() -> None:
    result = values({"nome": 1, "name": "", "seats": "x"}, {"fee": "much"})
    assert [error.partition(":")[0] for error in result.errors] == ["nome", "name", "seats", "fee"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nome", "directory.Tenant has no such field (it has: changed_at, contact, created_at, "),
        ("tags", "a many-to-many field"),
        ("shout", "can't be set; it is made by the database"),
        ("domain", "can't be set; it is made by the database or belongs to another model"),
        ("changed_at", "auto_now"),
    ],
)
def test_a_name_that_is_no_settable_field_is_told_why(name: str, reason: str) -> None:
    (error,) = values({name: "x"}).errors
    assert error.startswith(f"{name}: ")
    assert reason in error


def test_defaults_that_the_model_does_not_have_are_left_unused_and_named() -> None:
    result = values({}, {"paid_until": "2099-12-31", "on_vacation": False, "shout": "X"})
    assert result.errors == []
    assert result.defaults == {"paid_until": datetime.date(2099, 12, 31)}
    assert result.unused_defaults == ["on_vacation", "shout"]


def test_an_attribute_goes_before_a_default_of_that_name() -> None:
    result = values({"name": "Kept"}, {"name": "Not this"})
    assert (result.attributes, result.defaults, result.unused_defaults) == ({"name": "Kept"}, {}, [])


def test_a_new_row_needs_what_neither_the_model_nor_the_database_gives() -> None:
    assert missing_required(Tenant, set()) == ["slug", "name", "owner", "on_trial"]
    assert missing_required(Tenant, {"slug", "name", "owner", "on_trial"}) == []


def test_a_foreign_key_finds_the_one_row_that_is_meant() -> None:
    owner = Owner.objects.create(email="ops@acme.example", name="Ops")
    Owner.objects.create(email="ops@globex.example", name="Ops")
    for mapping in ({"email": "ops@acme.example"}, {"id": owner.pk}, {"pk": str(owner.pk)}):
        result = values({"owner": mapping})
        assert (result.errors, result.attributes["owner"].value) == ([], owner.pk)


def test_a_foreign_key_that_finds_several_rows_is_refused() -> None:
    Owner.objects.create(email="a@acme.example", name="Ops")
    Owner.objects.create(email="b@acme.example", name="Ops")
    (error,) = values({"owner": {"name": "Ops"}}).errors
    assert error == "owner: more than one directory.Owner(name=Ops) was found."


def test_a_foreign_key_that_finds_no_row_says_how_to_make_one() -> None:
    (error,) = values({"owner": {"email": "ops@acme.example"}}).errors
    assert error.startswith("owner: there is no directory.Owner(email=ops@acme.example)")
    assert "create:" in error


@pytest.mark.parametrize("given", ["ops@acme.example", 7, [], {}, {"create": {"name": "Ops"}}])
def test_a_foreign_key_is_given_as_a_mapping_that_finds_a_row(given: Any) -> None:
    (error,) = values({"owner": given}).errors
    assert error.startswith("owner: a foreign key to directory.Owner is given as a mapping")


def test_null_is_taken_where_the_column_takes_it_whatever_forms_want() -> None:
    found = values({"opened_at": None})
    assert (found.errors, found.attributes) == ([], {"opened_at": None})


def test_a_foreign_key_may_be_empty_where_the_field_may() -> None:
    assert values({"contact": None}).attributes == {"contact": None}
    assert values({"owner": None}).errors == ["owner: this field can't be empty."]


def test_a_row_that_is_to_be_made_is_checked_before_it_is() -> None:
    (error,) = values({"owner": {"email": "ops@acme.example", "create": {"nome": "x", "town": "y" * 51}}}).errors
    assert "nome: directory.Owner has no such field" in error
    assert "town: " in error
    (error,) = values({"owner": {"email": "no address", "create": {"name": "Ops"}}}).errors
    assert "email: " in error
    (error,) = values({"owner": {"email": "ops@acme.example", "create": {"town": "Fargo"}}}).errors
    assert "create: needs a value for name" in error
    assert Owner.objects.count() == 0


def test_a_row_that_is_to_be_made_is_made_once() -> None:
    row = values({"owner": {"email": "ops@acme.example", "create": {"name": "Ops"}}}).attributes["owner"]
    assert row.value is None
    made = get_or_create(row, "default")
    assert (made.email, made.name) == ("ops@acme.example", "Ops")
    assert get_or_create(row, "default") == made
    again = values({"owner": {"email": "ops@acme.example", "create": {"name": "Changed"}}}).attributes["owner"]
    assert again.value == made.pk
    assert get_or_create(again, "default").name == "Ops"


def test_a_user_is_made_with_a_hashed_password_or_with_none_that_works() -> None:
    def made(**create: Any) -> Any:
        row = values({"contact": {"username": f"user{len(create)}", "create": create}}).attributes["contact"]
        return get_or_create(row, "default")

    assert not made().has_usable_password()
    with_password = made(password="hunter22")
    assert with_password.check_password("hunter22")
    assert "hunter22" not in with_password.password
    assert User.objects.count() == 2


def test_a_row_whose_table_or_column_is_still_to_come_is_one_that_is_to_be_made() -> None:
    Owner.objects.create(email="ops@acme.example", name="Ops")
    for columns in (set(), {"id", "name"}):
        blind = Finder("default", lambda table, columns=columns: columns)
        mapping = {"email": "ops@acme.example", "create": {"name": "Ops"}}
        result = checked(Tenant, blind, {"owner": mapping}, {})
        assert (result.errors, result.attributes["owner"].value) == ([], None)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("fee", Decimal("1.50"), Decimal("1.5")),
        ("fee", "1.50", Decimal("1.5")),
        ("paid_until", "2099-12-31", datetime.date(2099, 12, 31)),
        ("seats", "5", 5),
        ("features", {"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ("id", "0b6f0ba0-9d3b-4c5e-8a53-a5b1b0c3a111", uuid.UUID("0b6f0ba09d3b4c5e8a53a5b1b0c3a111")),
    ],
)
def test_values_that_are_one_to_the_database_are_the_same(name: str, left: Any, right: Any) -> None:
    assert same(FIELDS[name], left, right)
    assert same(FIELDS[name], right, left)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [("name", "a", "A"), ("name", "", None), ("seats", 5, None), ("seats", 5, "five"), ("on_trial", True, False)],
)
def test_values_that_the_database_tells_apart_are_not_the_same(name: str, left: Any, right: Any) -> None:
    assert not same(FIELDS[name], left, right)


@given(st.decimals(-9999, 9999, places=2), st.dates(), st.booleans(), st.text("abc", min_size=1, max_size=20))
def test_a_value_that_was_written_is_the_same_as_the_one_declared(
    fee: Decimal, day: datetime.date, flag: bool, name: str
) -> None:
    """Otherwise a second run would change it again."""
    declared = {"fee": str(fee), "paid_until": day.isoformat(), "on_trial": flag, "name": name}
    result = values(declared)
    assert result.errors == []
    owner, _made = Owner.objects.get_or_create(email="ops@acme.example", name="Ops")
    tenant = Tenant.objects.create(slug=uuid.uuid4().hex, owner=owner, **result.attributes)
    (stored,) = Tenant.objects.filter(pk=tenant.pk).values(*declared)
    assert all(same(FIELDS[field], stored[field], result.attributes[field]) for field in declared)
