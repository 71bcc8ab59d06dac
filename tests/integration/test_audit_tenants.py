# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's rules on tenants, their domains and their schemas: each finds its fault, and its hint clears it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.variants import Variant

TENANTS = (
    "public-tenant",
    "tenant-without-domain",
    "primary-domain",
    "domain-case",
    "www-domain",
    "schema-name",
    "tenant-without-schema",
    "schema-without-tenant",
)
CLIENT = {"name": "Acme", "paid_until": "2099-12-31"}
ROW = {"name": "Acme", "contact_email": "a@b.example"}


def client(variant: Variant, schema: str, *domains: str) -> None:
    """A tenant's row, and its domains, with no schema."""
    variant.execute(
        "INSERT INTO tenants_client (schema_name, name, paid_until, on_trial, created_on)"
        f" VALUES ('{schema}', 'A', '2099-12-31', false, '2026-01-01')"
    )
    for domain in domains:
        variant.execute(
            f"INSERT INTO tenants_domain (domain, is_primary, tenant_id) SELECT '{domain}', true, id"
            f" FROM tenants_client WHERE schema_name = '{schema}'"
        )


def row(variant: Variant, slug: str, *domains: str) -> None:
    variant.execute(
        "INSERT INTO tenants_tenant (id, name, slug, contact_email, is_active, created_at)"
        f" VALUES ('{slug.encode().hex():0<32}', 'A', '{slug}', 'a@b.example', 1, '2026-01-01')"
    )
    for number, domain in enumerate(domains):
        variant.execute(
            f"INSERT INTO tenants_domain (domain, is_primary, tenant_id) SELECT '{domain}', {int(not number)}, id"
            f" FROM tenants_tenant WHERE slug = '{slug}'"
        )


def run_task(variant: Variant, hint: str, fill: dict[str, str] | None = None) -> None:
    """Run the task that a hint gives, with its places for a value filled in; what the model wants besides is the test's."""
    text = re.search(r"django_tenant: (\{(?:[^{}]|\{[^{}]*\})*\})", hint)
    assert text, hint
    task: dict[str, Any] = yaml.safe_load(fill_in(text[1], fill))
    defaults = CLIENT if "schema" in task else ROW
    answer = variant.tenants({**task, "defaults": defaults})
    assert not answer.get("failed"), answer


def run_sql(variant: Variant, hint: str, fill: dict[str, str] | None = None) -> None:
    """Run the statements that a hint ends with."""
    start = re.search(r"\b(DELETE FROM|UPDATE|ALTER|DROP) ", hint)
    assert start, hint
    for statement in filter(None, map(str.strip, fill_in(hint[start.start() :], fill).split(";"))):
        variant.execute(statement)


def fill_in(text: str, fill: dict[str, str] | None) -> str:
    for place, value in (fill or {}).items():
        assert f"<{place}>" in text, text
        text = text.replace(f"<{place}>", value)
    assert "<" not in text, text
    return text


@pytest.mark.parametrize("stack", ["current", "oldest"])
def test_no_public_tenant_is_an_error_until_it_is_planned_or_made(
    schema_variant: Callable[..., Variant], stack: str
) -> None:
    variant = schema_variant(stack=stack)
    variant.execute("DELETE FROM tenants_domain; DELETE FROM tenants_client")
    finding = only(audit(variant, *TENANTS))
    assert (finding["rule"], finding["severity"], finding["place"]) == ("public-tenant", "error", "public")
    assert "no tenants.Client has the schema 'public'" in finding["message"]
    assert audit(variant, *TENANTS, planned=["public"]) == []
    run_task(variant, finding["hint"], {"the host name of this environment": "localhost"})
    assert audit(variant, *TENANTS) == []


def test_a_public_tenant_before_its_table_is_an_error_until_it_is_planned_or_made(
    schema_variant: Callable[..., Variant],
) -> None:
    variant = schema_variant(template=None)
    finding = only(audit(variant, *TENANTS, domain="app.example"))
    assert "public.tenants_client of the tenants does not exist yet" in finding["message"]
    assert audit(variant, *TENANTS, planned=["public"]) == []
    assert not variant.module("django_migrate_schemas", scope="shared").get("failed")
    run_task(variant, finding["hint"])
    assert audit(variant, *TENANTS, domain="app.example") == []


def test_a_public_tenant_without_a_domain_is_an_error(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    variant.execute("DELETE FROM tenants_domain")
    finding = only(audit(variant, *TENANTS, domain="app.example"))
    assert (finding["severity"], finding["message"]) == (
        "error",
        "The public tenant 'public' has no domain, so no request would be routed to it.",
    )
    run_task(variant, finding["hint"])
    assert audit(variant, *TENANTS, domain="app.example") == []


def test_the_domain_of_another_environment_is_a_warning(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    assert audit(variant, *TENANTS, domain="localhost") == []
    finding = only(audit(variant, *TENANTS, domain="app.example"))
    assert (finding["rule"], finding["severity"]) == ("public-tenant", "warning")
    assert "has the domains localhost, but not app.example" in finding["message"]
    run_task(variant, finding["hint"])
    assert audit(variant, *TENANTS, domain="app.example") == []


def test_tenants_of_one_schema_each_with_faults_of_their_domains(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    variant.settings('TENANT_BASE_SCHEMA = "model"')
    for schema, domains in {
        "bare": [],
        "twice": ["1.example", "2.example"],
        "loud": ["LOUD.example"],
        "echo": ["Echo.example", "echo.example"],
        "web": ["www.web.example"],
        "web_too": ["www.too.example", "too.example"],
        "fine": ["fine.example"],
    }.items():
        client(variant, schema, *domains)
        variant.execute(f"CREATE SCHEMA {schema}")
    for domain in ("echo.example", "too.example"):
        variant.execute(f"UPDATE tenants_domain SET is_primary = false WHERE domain = '{domain}'")
    found = audit(variant, *TENANTS)
    assert {finding["severity"] for finding in found} == {"warning"}
    assert {(finding["rule"], finding["place"]) for finding in found} == {
        ("tenant-without-domain", "bare"),
        ("primary-domain", "twice"),
        ("domain-case", "LOUD.example"),
        ("domain-case", "echo.example"),
        ("www-domain", "www.web.example"),
        ("www-domain", "www.too.example"),
    }
    # What later tasks ensure is not missed now.
    assert {item["place"] for item in audit(variant, *TENANTS, planned=["bare", "twice"])}.isdisjoint({"bare", "twice"})
    for finding in found:
        if finding["rule"] == "tenant-without-domain":
            run_task(variant, finding["hint"], {"its host name": "bare.example"})
        elif finding["rule"] == "primary-domain":
            run_task(variant, finding["hint"])
        else:
            run_sql(variant, finding["hint"])
    # Two of the hints left the other domain of a tenant, which was not its primary one.
    left = audit(variant, *TENANTS)
    assert {(finding["rule"], finding["place"]) for finding in left} == {
        ("primary-domain", "echo"),
        ("primary-domain", "web_too"),
    }
    for finding in left:
        run_task(variant, finding["hint"])
    assert audit(variant, *TENANTS) == []
    names = ("1", "2", "bare", "echo", "fine", "loud", "too", "web")
    assert set(variant.domains()) == {"localhost", *(f"{name}.example" for name in names)}
    assert variant.domains()["1.example"][1]


def test_tenants_as_rows_with_faults_of_their_domains(row_variant: Variant) -> None:
    row(row_variant, "bare")
    assert audit(row_variant, *TENANTS) == [], "nobody has a domain, so tenants are told apart by something else"
    row(row_variant, "loud", "LOUD.example")
    row(row_variant, "echo", "Echo.example", "echo.example")
    row(row_variant, "web", "www.web.example")
    row(row_variant, "none", "none.example")
    row_variant.execute("UPDATE tenants_domain SET is_primary = 0 WHERE domain = 'none.example'")
    found = audit(row_variant, *TENANTS)
    assert {(finding["rule"], finding["severity"], finding["place"]) for finding in found} == {
        ("tenant-without-domain", "warning", "bare"),
        ("primary-domain", "warning", "none"),
        ("domain-case", "warning", "echo.example"),
        ("www-domain", "notice", "www.web.example"),
    }
    assert {item["place"] for item in audit(row_variant, *TENANTS, planned=["bare", "none"])}.isdisjoint(
        {"bare", "none"}
    )
    for finding in found:
        if finding["rule"] == "tenant-without-domain":
            run_task(row_variant, finding["hint"], {"its host name": "bare.example"})
        elif finding["rule"] == "primary-domain":
            run_task(row_variant, finding["hint"])
        else:
            run_sql(row_variant, finding["hint"])
    left = only(audit(row_variant, *TENANTS))
    assert (left["rule"], left["place"]) == ("primary-domain", "echo")
    run_task(row_variant, left["hint"])
    assert audit(row_variant, *TENANTS) == []


def test_rows_without_schemas_schemas_without_rows_and_names_that_collide(
    schema_variant: Callable[..., Variant],
) -> None:
    variant = schema_variant()
    long = "ü" * 40
    for schema in ("nowhere", "acme", "ACME", "pg_acme", long):
        client(variant, schema, f"{schema.encode().hex()[:20]}.example")
    # PostgreSQL cuts the long name off.
    for schema in ("acme", "ACME", long[:31], "left_over"):
        variant.execute(f'CREATE SCHEMA "{schema}"')
        variant.execute(f'CREATE TABLE "{schema}".django_migrations (LIKE django_migrations INCLUDING ALL)')
    found = audit(variant, *TENANTS)
    assert {(finding["rule"], finding["severity"], finding["place"]) for finding in found} == {
        ("tenant-without-schema", "error", "nowhere"),
        ("schema-name", "error", "ACME"),
        ("schema-name", "error", "pg_acme"),
        ("schema-name", "error", long),
        ("schema-without-tenant", "warning", "left_over"),
        ("schema-without-tenant", "warning", long[:31]),
    }
    planned = audit(variant, *TENANTS, planned=["nowhere", "left_over"])
    assert {finding["place"] for finding in planned} == {"ACME", "pg_acme", long, long[:31]}
    for finding in found:
        if finding["rule"] == "tenant-without-schema":
            run_task(variant, finding["hint"])
        elif finding["rule"] == "schema-name":
            run_sql(variant, finding["hint"], {"new name": f"new_{finding['place'].encode().hex()[:8].lower()}"})
        elif finding["place"] == "left_over":
            run_sql(variant, finding["hint"])
    # The name that PostgreSQL would not take never had a schema.
    left = only(audit(variant, *TENANTS))
    assert left["rule"] == "tenant-without-schema"
    run_task(variant, left["hint"])
    assert audit(variant, *TENANTS) == []


def test_a_schema_without_a_row_gets_one_by_its_hint(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    variant.tenants({"schema": "acme", "defaults": CLIENT, "domains": ["a.example"]})
    variant.execute("DELETE FROM tenants_domain WHERE domain = 'a.example'")
    variant.execute("DELETE FROM tenants_client WHERE schema_name = 'acme'")
    finding = only(audit(variant, *TENANTS))
    assert (finding["rule"], finding["place"]) == ("schema-without-tenant", "acme")
    run_task(variant, finding["hint"])
    assert [item["rule"] for item in audit(variant, *TENANTS)] == ["tenant-without-domain"]


def test_many_alike_are_one_line_after_the_first_twenty(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    variant.execute(
        "INSERT INTO tenants_client (schema_name, name, paid_until, on_trial, created_on)"
        " SELECT 't' || n, 'A', '2099-12-31', false, '2026-01-01' FROM generate_series(100, 149) AS n"
    )
    found = audit(variant, "tenant-without-schema")
    assert len(found) == 20
    assert found[-1]["count"] == 31
    assert found[-1]["message"].endswith("The same is true of 30 others.")


def test_folders_names_are_no_host_names(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant().settings('TENANT_SUBFOLDER_PREFIX = "clients"')
    client(variant, "acme", "ACME")
    variant.execute("CREATE SCHEMA acme")
    assert audit(variant, *TENANTS) == []
