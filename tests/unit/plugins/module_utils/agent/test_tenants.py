# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import datetime
import decimal
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.desired import Desired, DesiredDomain
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fields import (
    ForeignRow,
    Values,
    settable_fields,
)
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.tenants import (
    Current,
    CurrentDomain,
    Steps,
    before_and_after,
    decide,
    sentences,
    shown,
)
from directory.models import Owner, Tenant
from hypothesis import given
from hypothesis import strategies as st

FIELDS = settable_fields(Tenant)
NO_VALUES = Values()


def acme(*domains: str, **changes: Any) -> Desired:
    """The tenant acme as it is declared; the first of its domains is the primary one."""
    declared = [DesiredDomain(name, name == domains[0]) for name in domains]
    return replace(Desired(identity={"schema_name": "acme"}, schema="acme", domains=declared), **changes)


def a_row(*domains: str, **changes: Any) -> Desired:
    return replace(acme(*domains), identity={"slug": "acme"}, schema=None, **changes)


def there(*domains: str, **changes: Any) -> Current:
    """The tenant as it is, whole; the first of its domains is the primary one."""
    own = [CurrentDomain(number, name, number == 0, owner=1) for number, name in enumerate(domains)]
    return replace(Current(row={"name": "Acme"}, pk=1, domains=own, schema_exists=True, has_recorder=True), **changes)


def steps_of(
    desired: Desired,
    current: Current,
    values: Values = NO_VALUES,
    pending: tuple[str, ...] = (),
    marks_primary: bool = True,
) -> Steps:
    return decide(desired, current, values, pending, FIELDS, marks_primary)


def test_a_tenant_that_is_as_declared_needs_no_step() -> None:
    steps = steps_of(acme("a.example", "b.example"), there("a.example", "b.example"))
    assert not steps
    assert sentences(acme(), there(), steps) == []


def test_a_tenant_that_is_not_there_is_made_whole() -> None:
    desired = acme("a.example", "b.example", grant_to=["app"])
    values = Values(attributes={"name": "Acme"}, defaults={"name": "Not this", "seats": 5})
    steps = steps_of(desired, Current(), values, pending=("a.0001", "b.0001"))
    assert steps.values == {"name": "Acme", "seats": 5}
    assert sentences(desired, Current(), steps) == [
        "create the row",
        "create the schema acme",
        "apply 2 migrations",
        "grant the use of the schema to app",
        "add the domain a.example",
        "add the domain b.example",
    ]


def test_a_row_without_a_schema_gets_its_schema() -> None:
    current = there(schema_exists=False, has_recorder=False)
    assert sentences(acme(), current, steps_of(acme(), current, pending=("a.0001",))) == [
        "create the schema acme",
        "apply 1 migration",
    ]


def test_a_schema_without_a_row_gets_its_row() -> None:
    current = Current(schema_exists=True, has_recorder=True)
    assert sentences(acme(), current, steps_of(acme(), current)) == ["create the row"]


def test_a_schema_that_is_half_migrated_is_completed_unless_that_is_left_to_another_task() -> None:
    assert steps_of(acme(), there(), pending=("a.0002",)).migrations == ("a.0002",)
    assert not steps_of(acme(migrate=False), there(), pending=("a.0002",))


def test_a_new_schema_is_migrated_in_any_case() -> None:
    steps = steps_of(acme(migrate=False), there(schema_exists=False), pending=("a.0001",))
    assert (steps.make_schema, steps.migrations) == (True, ("a.0001",))


def test_under_row_tenancy_there_is_no_schema_to_make() -> None:
    current = Current()
    assert sentences(a_row(), current, steps_of(a_row(), current)) == ["create the row"]


def test_attributes_are_kept_and_defaults_are_for_a_creation_only() -> None:
    values = Values(attributes={"name": "Acme Meats", "plan": "basic"}, defaults={"seats": 5})
    current = there(row={"name": "Acme", "plan": "basic", "seats": 9})
    steps = steps_of(acme(), current, values)
    assert steps.changes == {"name": ("Acme", "Acme Meats")}
    assert sentences(acme(), current, steps) == ["set name: Acme → Acme Meats"]


def test_an_attribute_whose_column_is_still_to_come_is_set() -> None:
    steps = steps_of(acme(), there(), Values(attributes={"seats": 5}))
    assert steps.changes == {"seats": (None, 5)}


def test_a_value_that_the_database_gives_back_otherwise_is_no_change() -> None:
    values = Values(attributes={"fee": decimal.Decimal("1.5"), "paid_until": datetime.date(2099, 12, 31)})
    assert not steps_of(acme(), there(row={"fee": decimal.Decimal("1.50"), "paid_until": "2099-12-31"}), values)


def foreign_row(value: Any) -> ForeignRow:
    return ForeignRow(Owner, {"email": "ops@acme.example"}, None, value=value)


def test_a_foreign_key_that_points_at_the_declared_row_is_no_change() -> None:
    assert not steps_of(acme(), there(row={"owner": 7}), Values(attributes={"owner": foreign_row(7)}))


@pytest.mark.parametrize("value", [8, None])
def test_a_foreign_key_that_points_elsewhere_is_set(value: Any) -> None:
    current = there(row={"owner": 7})
    steps = steps_of(acme(), current, Values(attributes={"owner": foreign_row(value)}))
    assert sentences(acme(), current, steps) == ["set owner: 7 → directory.Owner(email=ops@acme.example)"]


def test_roles_that_lack_the_use_of_the_schema_get_it() -> None:
    desired, current = acme(grant_to=["app", "report"]), there(grants_missing=["report"])
    steps = steps_of(desired, current)
    assert sentences(desired, current, steps) == ["grant the use of the schema to report"]
    before, after = before_and_after(desired, current, steps)
    assert (before["lacking grants"], after["lacking grants"]) == (["report"], [])


def test_domains_that_are_not_declared_are_kept_unless_they_are_to_go() -> None:
    current = there("a.example", "old.example")
    assert not steps_of(acme("a.example"), current)
    desired = acme("a.example", exclusive_domains=True)
    assert sentences(desired, current, steps_of(desired, current)) == ["remove the domain old.example"]


def test_a_domain_that_is_spelt_otherwise_is_renamed_and_not_added() -> None:
    desired, current = acme("acme.example", exclusive_domains=True), there("ACME.example")
    steps = steps_of(desired, current)
    assert sentences(desired, current, steps) == ["rename the domain ACME.example to acme.example"]


def test_folders_that_are_spelt_otherwise_are_other_folders() -> None:
    desired, current = acme("acme", fold_domains=False), there("Acme")
    assert steps_of(desired, current).add_domains == ["acme"]


def test_a_domain_of_another_tenant_is_moved() -> None:
    claimed = {"a.example": (CurrentDomain(9, "a.example", True, owner=2), "globex")}
    desired, current = acme("a.example", move_domains=True), there(claimed=claimed)
    steps = steps_of(desired, current)
    assert sentences(desired, current, steps) == [
        "move the domain a.example from globex",
        "make a.example the primary domain",
    ]


def test_another_domain_becomes_the_primary_one_where_it_is_declared() -> None:
    desired, current = acme("b.example", "a.example"), there("a.example", "b.example")
    steps = steps_of(desired, current)
    assert sentences(desired, current, steps) == ["make b.example the primary domain"]
    before, after = before_and_after(desired, current, steps)
    assert before["domains"] == ["a.example (primary)", "b.example"]
    assert after["domains"] == ["a.example", "b.example (primary)"]


@pytest.mark.parametrize("marks", [[], [0, 1]])
def test_where_no_domain_is_declared_exactly_one_is_primary_afterwards(marks: list[int]) -> None:
    own = [CurrentDomain(number, f"{number}.example", number in marks) for number in range(2)]
    assert sentences(acme(), there(), steps_of(acme(), there(domains=own))) == ["make 0.example the primary domain"]


def test_where_the_primary_domain_is_removed_another_takes_its_place() -> None:
    own = [CurrentDomain(1, "old.example", True), CurrentDomain(2, "a.example", False)]
    desired, current = acme("a.example", exclusive_domains=True), there(domains=own)
    assert sentences(desired, current, steps_of(desired, current)) == [
        "remove the domain old.example",
        "make a.example the primary domain",
    ]


def test_a_domain_model_without_a_mark_has_no_primary_domain_to_set() -> None:
    own = [CurrentDomain(1, "a.example", False)]
    assert not steps_of(acme("a.example"), there(domains=own), marks_primary=False)


def test_a_tenant_that_is_to_go_and_is_gone_needs_no_step() -> None:
    assert not steps_of(acme(present=False, drop_schema=True), Current())


def test_a_tenant_that_is_to_go_keeps_its_schema_unless_that_is_asked_for() -> None:
    current = there("a.example", "b.example")
    for drop, lines in ((False, []), (True, ["drop the schema acme"])):
        desired = acme(present=False, drop_schema=drop)
        steps = steps_of(desired, current)
        assert sentences(desired, current, steps) == ["delete the row and 2 domains", *lines]
        before, after = before_and_after(desired, current, steps)
        assert before["domains"] == ["a.example (primary)", "b.example"]
        assert after == {"row": None, "domains": [], "schema": "absent" if drop else "present"}


def test_a_schema_that_was_left_behind_is_dropped_where_that_is_asked_for() -> None:
    desired, current = acme(present=False, drop_schema=True), Current(schema_exists=True)
    assert sentences(desired, current, steps_of(desired, current)) == ["drop the schema acme"]


def test_before_and_after_show_what_is_touched_and_no_more() -> None:
    values = Values(attributes={"name": "Acme Meats", "plan": "basic"})
    current = there("a.example", row={"name": "Acme", "plan": "basic", "seats": 9})
    desired = acme("a.example", "b.example")
    before, after = before_and_after(desired, current, steps_of(desired, current, values, pending=("a.0002",)))
    assert before == {
        "row": {"name": "Acme"},
        "domains": ["a.example (primary)"],
        "schema": "present",
        "pending migrations": 1,
    }
    assert after == {
        "row": {"name": "Acme Meats"},
        "domains": ["a.example (primary)", "b.example"],
        "schema": "present",
        "pending migrations": 0,
    }


def test_a_tenant_that_is_made_is_shown_as_not_there_before() -> None:
    values = Values(attributes={"name": "Acme"})
    before, after = before_and_after(a_row("a.example"), Current(), steps_of(a_row("a.example"), Current(), values))
    assert before == {"row": None, "domains": []}
    assert after == {"row": {"name": "Acme"}, "domains": ["a.example (primary)"]}


@pytest.mark.parametrize("name", ["password", "smtp_password", "API_TOKEN", "client_secret", "private_key"])
def test_the_value_of_a_field_whose_name_is_secret_is_never_shown(name: str) -> None:
    assert shown(name, "hunter22") == "(not shown)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), (True, True), (7, 7), (1.5, 1.5), ({"a": 1}, {"a": 1}), (datetime.date(2099, 12, 31), "2099-12-31")],
)
def test_other_values_are_shown_as_json_can_hold_them(value: Any, expected: Any) -> None:
    assert shown("name", value) == expected


# A tenant in any state, declared in any way; and what the steps make of it.

HOSTS = st.sampled_from(["a.example", "b.example", "c.example"])
SPELT = HOSTS | HOSTS.map(str.upper) | HOSTS.map(str.title)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Acme", "Globex"]),
        "on_trial": st.booleans(),
        "fee": st.sampled_from([decimal.Decimal("1.5"), decimal.Decimal("1.50"), decimal.Decimal(2)]),
    },
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Desired, Current, Values, tuple[str, ...], bool]:
    schema = draw(st.sampled_from(["acme", None]))
    marks_primary = draw(st.booleans())
    names = draw(st.lists(HOSTS, unique=True))
    roles = draw(st.lists(st.sampled_from(["app", "report"]), unique=True)) if schema else []
    desired = replace(
        acme(*draw(st.permutations(names))),
        schema=schema,
        present=draw(st.booleans()),
        exclusive_domains=draw(st.booleans()),
        drop_schema=draw(st.booleans()) and schema is not None,
        migrate=draw(st.booleans()),
        grant_to=roles,
        fold_domains=draw(st.booleans()),
    )
    row = draw(st.none() | ROWS)
    own = draw(st.lists(SPELT, unique=True)) if row is not None else []
    claims = draw(st.lists(HOSTS, unique=True))
    exists = draw(st.booleans()) and schema is not None
    current = Current(
        row=row,
        pk=None if row is None else 1,
        domains=[CurrentDomain(pk, name, marks_primary and draw(st.booleans()), 1) for pk, name in enumerate(own)],
        claimed={name: (CurrentDomain(90, name, True, 2), "globex") for name in claims if name not in own},
        schema_exists=exists,
        has_recorder=exists and draw(st.booleans()),
        grants_missing=draw(st.lists(st.sampled_from(roles), unique=True)) if exists and roles else [],
    )
    values = Values(attributes=draw(ROWS), defaults=draw(ROWS))
    pending = draw(st.sampled_from([(), ("a.0001",), ("a.0001", "b.0001")])) if schema else ()
    return desired, current, values, pending, marks_primary


def taken(desired: Desired, before: Current, steps: Steps, marks_primary: bool) -> Current:
    """The tenant after the steps: what each of them means, and nothing else."""
    after = copy.deepcopy(before)
    if steps.delete:
        after.row, after.pk, after.domains = None, None, []
    if steps.drop_schema:
        after.schema_exists = after.has_recorder = False
    if steps.create:
        after.row, after.pk = dict(steps.values), 1
    for name, (_old, new) in steps.changes.items():
        after.row = {**(after.row or {}), name: new}
    kept = [domain for domain in after.domains if domain.name not in steps.remove_domains]
    kept = [replace(domain, name=steps.rename_domains.get(domain.name, domain.name)) for domain in kept]
    kept += [CurrentDomain(100 + n, name, False, 1) for n, name in enumerate([*steps.add_domains, *steps.move_domains])]
    if steps.set_primary and marks_primary:
        kept = [replace(domain, primary=domain.name == steps.primary) for domain in kept]
    after.domains = kept
    after.claimed = {name: claim for name, claim in before.claimed.items() if name not in steps.move_domains}
    if steps.builds_schema:
        after.schema_exists = after.has_recorder = True
    after.grants_missing = [role for role in after.grants_missing if role not in steps.grants]
    return after


@given(situations())
def test_after_the_steps_no_step_is_left(
    situation: tuple[Desired, Current, Values, tuple[str, ...], bool],
) -> None:
    desired, before, values, pending, marks_primary = situation
    steps = decide(desired, before, values, pending, FIELDS, marks_primary)
    after = taken(desired, before, steps, marks_primary)
    left = () if steps.migrations else pending
    again = decide(desired, after, values, left, FIELDS, marks_primary)
    assert not again
    assert sentences(desired, after, again) == []


@given(situations())
def test_after_the_steps_the_tenant_is_what_was_declared(
    situation: tuple[Desired, Current, Values, tuple[str, ...], bool],
) -> None:
    desired, before, values, pending, marks_primary = situation
    steps = decide(desired, before, values, pending, FIELDS, marks_primary)
    after = taken(desired, before, steps, marks_primary)
    names = [domain.name for domain in after.domains]
    if not desired.present:
        assert (after.row, names) == (None, [])
        assert after.schema_exists == (before.schema_exists and not desired.drop_schema)
        return
    assert after.row is not None
    assert {name: after.row[name] for name in values.attributes} == values.attributes
    if before.row is not None:
        untouched = before.row.keys() - values.attributes.keys()
        assert {name: after.row[name] for name in untouched} == {name: before.row[name] for name in untouched}
    declared = {domain.name for domain in desired.domains}
    assert declared <= set(names)
    assert len(set(names)) == len(names)
    if desired.exclusive_domains:
        assert set(names) == declared
    else:
        assert {name.lower() for name in names} >= {domain.name.lower() for domain in before.domains}
    if marks_primary and names:
        (primary,) = [domain.name for domain in after.domains if domain.primary]
        assert primary in ([domain.name for domain in desired.domains if domain.primary] or names)
    assert after.schema_exists == (desired.schema is not None)
    assert after.grants_missing == []


@given(situations())
def test_there_are_steps_exactly_where_there_is_something_to_say_and_to_show(
    situation: tuple[Desired, Current, Values, tuple[str, ...], bool],
) -> None:
    desired, before, values, pending, marks_primary = situation
    steps = decide(desired, before, values, pending, FIELDS, marks_primary)
    lines = sentences(desired, before, steps)
    then, now = before_and_after(desired, before, steps)
    assert bool(steps) == bool(lines) == (then != now)
    assert len(set(lines)) == len(lines)


@given(situations())
def test_the_difference_shows_the_domains_as_the_steps_leave_them(
    situation: tuple[Desired, Current, Values, tuple[str, ...], bool],
) -> None:
    desired, before, values, pending, marks_primary = situation
    steps = decide(desired, before, values, pending, FIELDS, marks_primary)
    left = taken(desired, before, steps, marks_primary).domains
    _then, now = before_and_after(desired, before, steps)
    assert sorted(now["domains"]) == sorted(f"{item.name} (primary)" if item.primary else item.name for item in left)
