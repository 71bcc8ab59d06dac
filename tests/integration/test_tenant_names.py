# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of schemas: those that are legal work, and those that would be cut off, refused or mistaken are named."""

from __future__ import annotations

import pytest

VALUES = {"defaults": {"name": "A tenant", "paid_until": "2099-12-31"}}


def tenant(schema):
    return {"schema": schema, **VALUES}


@pytest.mark.parametrize(("stack", "more"), [("current", []), ("oldest", ['say "hi"'])])
def test_names_with_blanks_capitals_dots_and_letters_of_any_alphabet_work(schema_variant, stack, more):
    project = schema_variant(stack)
    names = ["Fleischerei Müller", "肉 & co", "100%", "a.b", "ü" * 31, "select", *more]
    result = project.ensure(*map(tenant, names))
    assert [line["tenant"] for line in result["tenants"]] == names
    for name in names:
        assert "carriers_carrier" in project.database.tables(name)
    assert project.module("django_tenant_info")["missing"] == []
    gone = [{"schema": name, "state": "absent", "drop_schema": True, "confirm": name} for name in names]
    project.ensure(*gone)
    assert project.database.schemas() == ["public"]


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_names_that_can_not_be_are_listed_in_one_error(schema_variant, stack):
    project = schema_variant(stack)
    project.execute("CREATE SCHEMA globex")
    names = [
        "ü" * 32,
        "x" * 64,
        "pg_temp",
        "PG_mine",
        "information_schema",
        "O'Neill",
        "Globex",
        "PUBLIC",
        "acme",
        "Acme",
        "new\nline",
    ]
    result = project.refused(*map(tenant, names))
    for part in (
        f"{'ü' * 32}: the schema name is 64 bytes long; PostgreSQL keeps 63.",
        f"{'x' * 64}: the schema name is 64 bytes long",
        "pg_temp: the schema name is PostgreSQL's own.",
        "PG_mine: the schema name is PostgreSQL's own.",
        "information_schema: the schema name is PostgreSQL's own.",
        "O'Neill: ",
        "Globex: the schema name differs only in case from 'globex'",
        "PUBLIC: the schema name differs only in case from 'public'",
        "Acme: differs only in case from acme.",
    ):
        assert part in result["msg"], part
    assert len(result["errors"]) == 10
    if stack == "current":
        assert "django-tenants refuses this schema name" in project.refused(tenant('say "hi"'))["msg"]
