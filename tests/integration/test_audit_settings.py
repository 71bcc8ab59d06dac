# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules on settings: two tenancies mixed, and environments that disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.audits import audit, only
from tests.support.refusals import require_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.variants import Variant

MIXED = "tenancies-mixed"
DEV = "config/settings/dev.py"
PLAIN = "DATABASES['default']['ENGINE'] = 'django.db.backends.postgresql'"


def place_of(variant: Variant, path: str, text: str) -> str:
    lines = (variant.sample.directory / path).read_text("utf-8").splitlines()
    return f"{path}:{max(number for number, line in enumerate(lines, 1) if text in line)}"


def test_the_engine_of_one_tenancy_with_the_app_of_the_other_is_an_error(
    schema_variant: Callable[..., Variant],
) -> None:
    variant = schema_variant().settings(PLAIN)
    found = only(audit(variant, MIXED))
    assert (found["severity"], found["place"]) == ("error", place_of(variant, DEV, PLAIN))
    assert (
        "mix two tenancies: 'django_tenants' in INSTALLED_APPS, but not an engine of django-tenants" in found["message"]
    )
    variant.settings("DATABASES['default']['ENGINE'] = 'django_tenants.postgresql_backend'")
    assert audit(variant, MIXED) == []


def test_the_router_of_the_other_tenancy_is_an_error_and_no_module_works_with_it(
    schema_variant: Callable[..., Variant],
) -> None:
    """Rows as tenants in a database of PostgreSQL, with django-tenants' router left in the settings."""
    variant = schema_variant().settings(
        "INSTALLED_APPS = [app for app in INSTALLED_APPS if app != 'django_tenants']\n" + PLAIN
    )
    found = only(audit(variant, MIXED))
    assert (found["severity"], found["place"]) == (
        "error",
        place_of(variant, "config/settings/base.py", "DATABASE_ROUTERS ="),
    )
    assert "DATABASE_ROUTERS has django_tenants.routers.TenantSyncRouter of django-tenants" in found["message"]
    require_refusal(variant.module("django_migrate_schemas"), "DATABASE_ROUTERS has", "no migration can run")
    variant.settings("DATABASE_ROUTERS = []\nTENANT_DOMAIN_MODEL = TENANT_DOMAIN_MODEL")
    left = sorted(audit(variant, MIXED), key=lambda item: (item["severity"], item["message"]))
    assert [(item["severity"], item["place"].rpartition(":")[0]) for item in left] == [
        ("error", "tenants/models.py"),
        ("error", "tenants/models.py"),
        ("warning", "config/settings/base.py"),
    ]
    assert left[0]["message"].startswith("tenants.Client is a TenantMixin of django-tenants")
    assert left[2]["hint"] == "Take 'django_tenants.middleware.main.TenantMainMiddleware' out of MIDDLEWARE."
    variant.settings("MIDDLEWARE = MIDDLEWARE[1:]")
    variant.replace("tenants/models.py", "(TenantMixin)", "(models.Model)")
    variant.replace("tenants/models.py", "(DomainMixin)", "(models.Model)")
    variant.append("tenants/models.py", "\nDomain.add_to_class('tenant', models.ForeignKey(Client, models.CASCADE))\n")
    assert audit(variant, MIXED) == []


def test_a_tenant_model_or_a_domain_that_belongs_to_something_else_is_an_error_at_the_model(
    schema_variant: Callable[..., Variant],
) -> None:
    variant = schema_variant().settings("TENANT_MODEL = 'carriers.Carrier'")
    found = only(audit(variant, MIXED))
    assert found["place"] == place_of(variant, "carriers/models.py", "class Carrier(")
    assert "carriers.Carrier is not a TenantMixin" in found["message"]
    variant.settings("TENANT_MODEL = 'tenants.Client'\nTENANT_DOMAIN_MODEL = 'auth.Permission'")
    found = only(audit(variant, MIXED))
    assert "The domain model auth.Permission has no foreign key to the tenant model" in found["message"]
    variant.settings("TENANT_DOMAIN_MODEL = 'tenants.Domain'")
    assert audit(variant, MIXED) == []


def test_apps_in_no_list_or_the_wrong_one_are_found_at_the_setting(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant().settings(
        "SHARED_APPS = ['django_tenants', 'django.contrib.contenttypes', 'django.contrib.nowhere']\n"
        "TENANT_APPS = ['django.contrib.auth', 'tenants']"
    )
    found = {item["message"].partition(":")[0]: item for item in audit(variant, MIXED)}
    assert {name: item["severity"] for name, item in found.items()} == {
        "carriers is in INSTALLED_APPS, and in neither SHARED_APPS nor TENANT_APPS": "error",
        "tenants.Client is in the app tenants, which is not in SHARED_APPS": "error",
        "tenants.Domain is in the app tenants, which is not in SHARED_APPS": "error",
        "SHARED_APPS has 'django.contrib.nowhere', which is not in INSTALLED_APPS": "warning",
        "TENANT_APPS has django.contrib.auth, and not django.contrib.contenttypes": "warning",
    }
    places = {item["place"] for item in found.values()}
    assert {
        place_of(variant, DEV, "SHARED_APPS = ['django"),
        place_of(variant, DEV, "TENANT_APPS = ['django"),
    } <= places
    assert found["carriers is in INSTALLED_APPS, and in neither SHARED_APPS nor TENANT_APPS"]["hint"] == (
        "Add 'carriers' to SHARED_APPS if all tenants share its rows, else to TENANT_APPS."
    )
    variant.settings(
        "SHARED_APPS = ['django_tenants', 'django.contrib.contenttypes', 'tenants']\n"
        "TENANT_APPS = ['django.contrib.auth', 'django.contrib.contenttypes', 'carriers']"
    )
    assert audit(variant, MIXED) == []


def test_a_shared_model_that_points_at_a_tenants_table_is_an_error(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant().append(
        "tenants/models.py",
        "class Contract(models.Model):\n    carrier = models.ForeignKey('carriers.Carrier', models.CASCADE)\n",
    )
    found = only(audit(variant, MIXED))
    assert (found["severity"], found["place"]) == ("error", place_of(variant, "tenants/models.py", "class Contract"))
    assert found["message"].startswith(
        "tenants.Contract.carrier points at carriers.Carrier, whose table is not in the public schema"
    )
    variant.replace("tenants/models.py", "models.CASCADE)", "models.CASCADE, db_constraint=False)")
    assert audit(variant, MIXED) == []


def test_what_only_breaks_routing_is_a_warning(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant().settings("MIDDLEWARE = MIDDLEWARE[1:]\ndel TENANT_DOMAIN_MODEL")
    no_domain, no_middleware = audit(variant, MIXED)
    assert {no_domain["severity"], no_middleware["severity"]} == {"warning"}
    assert no_middleware["hint"] == "Put 'django_tenants.middleware.main.TenantMainMiddleware' first in MIDDLEWARE."
    variant.settings(
        "MIDDLEWARE = ['django_tenants.middleware.main.TenantMainMiddleware', *MIDDLEWARE]\nTENANT_DOMAIN_MODEL = 'tenants.Domain'"
    )
    assert audit(variant, MIXED) == []


def test_a_leftover_column_is_no_fault(row_variant: Variant) -> None:
    """The sample of tenants as rows has kept its schema_name."""
    assert audit(row_variant, MIXED) == []


def test_environments_that_disagree_are_a_warning_that_names_both(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    same = (variant.sample.directory / DEV).read_text("utf-8").rpartition("SHARED_APPS = ")[2]
    for name in ("uat", "prod"):
        variant.append(f"config/settings/{name}.py", "SHARED_APPS = " + same)
    compared = ["config.settings.uat", "config.settings.prod"]
    assert audit(variant, "environments-differ", compare_settings=compared) == []
    variant.append("config/settings/uat.py", PLAIN + "\nTENANT_APPS = ['carriers']")
    variant.append("config/settings/prod.py", "raise RuntimeError('no licence')")
    elsewhere = variant.module("django_tenant_info")["project"]
    assert (elsewhere["settings"], elsewhere["database"]["role"]) == (
        "config.settings.dev",
        variant.query("SELECT current_user")[0][0],
    )
    assert elsewhere["database"]["alias"] == "default"
    elsewhere["facts"]["Django"] = "4.2.1"
    findings = audit(variant, "environments-differ", compare_settings=compared, compare={"staging": elsewhere})
    assert {item["severity"] for item in findings} == {"warning"}
    said = {item["message"].partition(" ")[0]: item for item in findings}
    assert said["ENGINE"]["message"] == (
        "ENGINE is django_tenants.postgresql_backend in config.settings.dev and staging and django.db.backends.postgresql in config.settings.uat."
    )
    assert said["TENANT_APPS"]["message"] == (
        "TENANT_APPS has django.contrib.contenttypes in config.settings.dev and staging, and not in config.settings.uat."
    )
    assert said["TENANT_APPS"]["place"] == place_of(variant, DEV, "TENANT_APPS = [")
    assert said["Django"]["message"].endswith("in config.settings.dev and config.settings.uat and 4.2.1 in staging.")
    assert "no licence" in said["config.settings.prod"]["message"]
    variant.append(
        "config/settings/uat.py",
        "DATABASES['default']['ENGINE'] = 'django_tenants.postgresql_backend'\nTENANT_APPS = SHARED_APPS[2:3] + ['carriers']",
    )
    assert audit(variant, "environments-differ", compare_settings=compared[:1]) == []
