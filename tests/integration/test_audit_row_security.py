# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's rule on row-level security, with real roles and policies, under both tenancies."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.variants import Variant

RULE = "row-level-security"
ROLE = f"plain_{os.getpid()}"
DEPLOYER = f"deployer_{os.getpid()}"
PASSWORD = "7f3e9a52"
TABLE = "carriers_carrier"
SECURED = f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY; ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY"
BY_SETTING = f"CREATE POLICY p ON {TABLE} USING (tenant_id = current_setting('app.tenant')::uuid)"
FILL = "migrations.RunPython(fill, migrations.RunPython.noop)"
FILL_CODE = """def fill(apps, schema_editor):
    apps.get_model("carriers", "Carrier").objects.filter(mc_number="").update(mc_number="0")


class Migration"""


@pytest.fixture
def plain(postgres_rows: Variant) -> Iterator[Variant]:
    """The row sample with a carrier; all of it belongs to a plain role, which the project logs in as."""
    postgres_rows.execute(
        "INSERT INTO carriers_carrier (name, mc_number, tenant_id) SELECT 'A', '', id FROM tenants_tenant;"
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON SCHEMA public TO {ROLE}"
    )
    for (table,) in postgres_rows.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        postgres_rows.execute(f'ALTER TABLE "{table}" OWNER TO {ROLE}')
    database = postgres_rows.database
    assert database
    postgres_rows.sample.environment["DATABASE_URL"] = database.postgres.url(
        database.name, user=ROLE, password=PASSWORD
    )
    yield postgres_rows
    postgres_rows.execute(f"DROP OWNED BY {ROLE} CASCADE; DROP ROLE {ROLE}")
    if postgres_rows.query(f"SELECT FROM pg_roles WHERE rolname = '{DEPLOYER}'"):
        postgres_rows.execute(f"DROP OWNED BY {DEPLOYER}; DROP ROLE {DEPLOYER}")


def sql_in(hint: str) -> list[str]:
    """The statements that a hint says to run, with a role that is this process's alone, since roles are the whole server's."""
    found = re.findall(r"(?:ALTER TABLE|ALTER DEFAULT|CREATE ROLE|GRANT)[^;]*;", hint)
    return [text.replace("tenancy_deploy", DEPLOYER).replace("…", PASSWORD) for text in found]


def fill(variant: Variant) -> None:
    variant.migration("carriers", "0005_fill", "0004_alter_carrier_tenant", FILL)
    variant.replace("carriers/migrations/0005_fill.py", "class Migration", FILL_CODE)


def test_what_is_not_forced_is_passed_by_whoever_has_the_owners_rights(plain: Variant) -> None:
    plain.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON {TABLE} USING (true)")
    found = only(audit(plain, RULE))
    assert (found["severity"], found["place"]) == ("warning", f"public.{TABLE}")
    assert f"{ROLE}, which the project logs in as, has the rights of the table's owner" in found["message"]
    (force,) = sql_in(found["hint"])
    plain.execute(force)
    assert audit(plain, RULE) == []
    # Whoever owns the table passes by design where the application is another.
    plain.execute(f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {TABLE} OWNER TO CURRENT_USER")
    plain.execute(f"GRANT ALL ON {TABLE} TO {ROLE}")
    assert audit(plain, RULE) == []


def test_what_has_no_policy_is_an_error_where_pending_code_works_on_it(plain: Variant) -> None:
    plain.execute(SECURED)
    found = only(audit(plain, RULE))
    assert (found["severity"], found["place"]) == ("warning", f"public.{TABLE}")
    assert "can neither read nor write a row" in found["message"]
    fill(plain)
    found = only(audit(plain, RULE))
    assert found["severity"] == "error"
    assert "carriers.0005_fill (carriers/migrations/0005_fill.py:11) works on its rows" in found["message"]
    (disable,) = sql_in(found["hint"])
    plain.execute(disable)
    assert audit(plain, RULE) == []


def test_a_policy_that_fails_without_a_setting(plain: Variant) -> None:
    plain.execute(f"{SECURED}; {BY_SETTING}")
    found = only(audit(plain, RULE))
    assert found["severity"] == "warning"
    assert 'since a policy fails: unrecognized configuration parameter "app.tenant"' in found["message"]
    fill(plain)
    found = only(audit(plain, RULE))
    assert found["severity"] == "error"

    assert "current_setting('…', true) and nullif(…, '')" in found["hint"]
    plain.execute(
        f"DROP POLICY p ON {TABLE}; CREATE POLICY p ON {TABLE}"
        " USING (nullif(current_setting('app.tenant', true), '') IS NULL OR tenant_id = nullif(current_setting('app.tenant', true), '')::uuid)"
    )
    assert audit(plain, RULE) == []


def test_a_policy_that_shows_the_deploying_role_nothing(plain: Variant) -> None:
    plain.execute(f"{SECURED}; {BY_SETTING.replace(')::', ', true)::')}; ANALYZE {TABLE}")
    found = only(audit(plain, RULE))
    assert found["severity"] == "warning"
    assert f"its policies show none of them to {ROLE}, which deploys" in found["message"]
    plain.migration(
        "carriers", "0005_fill", "0004_alter_carrier_tenant", f"migrations.RunSQL('UPDATE {TABLE} SET name = name')"
    )
    found = only(audit(plain, RULE))
    assert found["severity"] == "error"

    own = plain.sample.environment["DATABASE_URL"]
    for statement in sql_in(found["hint"]):
        plain.execute(statement)
    plain.sample.environment["DATABASE_URL"] = own.replace(ROLE, DEPLOYER)
    assert audit(plain, RULE) == []
    plain.sample.environment["DATABASE_URL"] = own
    assert only(audit(plain, RULE)) == found, "whoever logs in as before is held as before"


def test_an_owner_that_the_deploy_acts_as(plain: Variant) -> None:
    owner = f"owner_{os.getpid()}"
    plain.execute(
        f"{SECURED}; {BY_SETTING}; CREATE ROLE {owner}; GRANT {owner} TO {ROLE}; GRANT ALL ON SCHEMA public TO {owner}"
    )
    plain.execute(f"REASSIGN OWNED BY {ROLE} TO {owner}")
    try:
        found = only(audit(plain, RULE, session_role=owner))
        assert f"{owner}, which deploys, can't read public.{TABLE}" in found["message"]
        for statement in sql_in(found["hint"]):
            plain.execute(statement)
        assert audit(plain, RULE, session_role=DEPLOYER) == []
    finally:
        plain.execute(f"DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}")


def test_a_superuser_passes(postgres_rows: Variant) -> None:
    assert audit(postgres_rows, RULE) == []
    postgres_rows.execute(f"{SECURED}; {BY_SETTING}")
    fill(postgres_rows)
    assert audit(postgres_rows, RULE) == []


def test_a_database_that_knows_no_such_thing_has_no_finding(row_variant: Variant) -> None:
    assert audit(row_variant, RULE) == []


def test_the_schemas_of_tenants_are_looked_at_together(
    schema_variant: Callable[..., Variant], fleet_migrated: str
) -> None:
    variant = schema_variant(template=fleet_migrated)
    for schema in ("acme", "globex"):
        variant.execute(f"ALTER TABLE {schema}.{TABLE} ENABLE ROW LEVEL SECURITY")
    found = only(audit(variant, RULE))
    assert (found["place"], found["schemas"]) == (f"acme.{TABLE}", ["acme", "globex"])
    (disable,) = sql_in(found["hint"])
    for schema in found["schemas"]:
        variant.execute(disable.replace('"acme"', schema))
    assert audit(variant, RULE) == []
