# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows a scratch database holds: what migrations always read, up to a number of others, and all that these point at."""

from __future__ import annotations

import pytest

from tests.support.scratch import ODD, copied, make_nasty


@pytest.fixture
def nasty(database):
    make_nasty(database)
    return database


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_rows_of_every_type_and_all_sequences_are_equal_in_the_end(stack, sample, nasty):
    dumps = []

    def dump(name):
        # A table that inherits may have its columns in another order.
        dumps.extend(
            nasty.postgres.dump(each, "--no-owner", "--exclude-table=*.derived") for each in (name, nasty.name)
        )

    inherited = f'SELECT id, what, more, late FROM "{ODD}".derived'
    reply = copied(
        sample("row_tenants", stack=stack), ODD, "public", "extra", rows=1000, queries=[inherited], meanwhile=dump
    )
    assert dumps[0].splitlines() == dumps[1].splitlines()
    assert reply["answers"] == [[list(row) for row in nasty.query(inherited)]]
    assert reply["notices"] == []


def test_with_a_limit_the_rows_that_are_pointed_at_come_along(sample, nasty):
    nasty.execute("INSERT INTO public.shared (id, code) SELECT i, i::text FROM generate_series(21, 40) i")
    # Of the parent the first two rows, but the last child points at the third.
    nasty.execute('DELETE FROM "Odd. Schema".child WHERE parent_id = 1')
    nasty.execute(
        "INSERT INTO \"Odd. Schema\".child VALUES ('00000000-0000-0000-0000-000000000003', 3, '00000000-0000-0000-0000-000000000003')"
    )
    reply = copied(
        sample("row_tenants"),
        ODD,
        "public",
        rows=1,
        queries=[
            f'SELECT id FROM "{ODD}"."Parent.t" ORDER BY 1',
            f'SELECT parent_id FROM "{ODD}".child',
            "SELECT id FROM public.shared ORDER BY 1",
            f'SELECT at::text FROM "{ODD}".measured ORDER BY 1',
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated",
            f"SELECT nextval('\"{ODD}\".\"by hand\"'), nextval('public.shared_id_seq')",
        ],
    )
    assert reply["notices"] == []
    parents, children, shared, measured, unvalidated, following = reply["answers"]
    assert children == [[2]]
    assert parents == [[1], [2]]
    # One by the limit, and those of the two parents and of the measured row.
    assert shared == [[7], [8], [9]]
    assert measured == [["2024-05-05"], ["2030-01-01"]]
    assert unvalidated == [[0]]
    real = nasty.query(f"SELECT nextval('\"{ODD}\".\"by hand\"'), nextval('public.shared_id_seq')")
    assert following == [list(real[0])]


def test_without_a_number_tenants_their_owners_recorders_and_content_types_are_there_and_nothing_else(schema_variant):
    variant = schema_variant()
    tenant = {"defaults": {"name": "Acme", "paid_until": "2099-12-31"}, "domains": ["acme.localhost"]}
    variant.ensure({"schema": "acme", **tenant})
    variant.execute(
        "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)"
        " SELECT i, '', false, 'user ' || i, '', '', '', false, true, now() FROM generate_series(1, 9) i"
    )
    variant.execute("ALTER TABLE tenants_client ADD owner_id integer REFERENCES auth_user (id)")
    variant.execute("UPDATE tenants_client SET owner_id = 5 WHERE schema_name = 'acme'")
    variant.execute(
        "INSERT INTO acme.carriers_carrier SELECT (r).* FROM (SELECT NULL::acme.carriers_carrier AS r) n WHERE false"
    )
    same = [
        "SELECT app, name, applied::text FROM public.django_migrations ORDER BY id",
        "SELECT app, name, applied::text FROM acme.django_migrations ORDER BY id",
        "SELECT id, schema_name, name, owner_id FROM tenants_client ORDER BY 1",
        "SELECT domain, tenant_id, is_primary FROM tenants_domain ORDER BY 1",
        "SELECT id, app_label, model FROM acme.django_content_type ORDER BY 1",
        "SELECT id, codename FROM auth_permission ORDER BY 1",
    ]
    reply = copied(variant.sample, "public", "acme", queries=[*same, "SELECT id FROM auth_user"])
    assert reply["notices"] == []
    assert reply["answers"][:-1] == [[list(row) for row in variant.query(query)] for query in same]
    assert reply["answers"][-1] == [[5]]


def test_what_the_role_may_not_read_is_told_without_a_word_of_what_is_in_it(sample, database, postgres):
    name = f"reader_{database.name}"
    database.execute(
        f"CREATE TABLE open (id integer); CREATE TABLE closed (secret text); CREATE TABLE guarded (secret text);"
        f" INSERT INTO open VALUES (1); INSERT INTO closed VALUES ('hush'); INSERT INTO guarded VALUES ('hush');"
        f" CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'l0gin-but-secret'; GRANT SELECT ON open, guarded TO {name};"
        f" ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON guarded USING (secret = current_setting('not.set'))"
    )
    try:
        url = postgres.url(database.name, user=name, password="l0gin-but-secret")
        reply = copied(
            sample("row_tenants", database_url=url),
            "public",
            rows=10,
            queries=["SELECT count(*) FROM open", "SELECT count(*) FROM closed", "SELECT count(*) FROM guarded"],
        )
    finally:
        database.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
    assert reply["differences"] == []
    assert reply["answers"] == [[[1]], [[0]], [[0]]]
    assert any("public.closed" in notice for notice in reply["notices"])
    assert any("public.guarded" in notice for notice in reply["notices"])
    assert "hush" not in str(reply)
