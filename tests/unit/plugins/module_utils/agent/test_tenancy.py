# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.errors import TenancyProblem
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.tenancy import (
    detect,
    domain_candidates,
    tenant_candidates,
)
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Model = type[models.Model]


@pytest.fixture
def model() -> Iterator[Callable[..., Any]]:
    """``model(name, **fields)``: a model of a project of its own."""
    with isolate_apps("directory"):

        def make(name: str, **fields: Any) -> Model:
            return type(name, (models.Model,), {"__module__": "directory.models", **fields})

        yield make


def link(to: Any, **options: Any) -> Any:
    return models.ForeignKey(to, models.CASCADE, related_name="+", **options)


def names(found: list[Model]) -> list[str]:
    return [model.__name__ for model in found]


def test_a_model_that_is_called_tenant_holds_the_tenants(model: Callable[..., Any]) -> None:
    assert names(tenant_candidates([model("Invoice"), model("Tenant"), model("TenantUser")])) == ["Tenant"]


def test_what_foreign_keys_called_tenant_point_at_holds_the_tenants(model: Callable[..., Any]) -> None:
    company = model("Company")
    others = [model("Invoice", tenant=link(company)), model("Plant", tenant=link(company), town=models.TextField())]
    assert names(tenant_candidates([*others, company])) == ["Company"]


def test_a_plain_field_called_tenant_points_at_nothing(model: Callable[..., Any]) -> None:
    assert tenant_candidates([model("Invoice", tenant=models.CharField(max_length=9))]) == []


def test_a_foreign_key_to_an_app_that_is_not_installed_leads_nowhere(model: Callable[..., Any]) -> None:
    tenant = model("Tenant", site=link("sites.Site"))
    domain = model("Domain", tenant=link(tenant), site=link("sites.Site"))
    assert tenant_candidates([model("Invoice", tenant=link("gone.Tenant"))]) == []
    assert domain_candidates([domain, tenant], tenant) == [domain]


def test_every_model_that_could_hold_the_tenants_is_a_candidate(model: Callable[..., Any]) -> None:
    company = model("Company")
    assert names(tenant_candidates([model("Tenant"), company, model("Plant", tenant=link(company))])) == [
        "Company",
        "Tenant",
    ]


def test_a_model_called_domain_with_a_foreign_key_to_the_tenant_holds_the_domains(model: Callable[..., Any]) -> None:
    tenant = model("Tenant")
    domain = model("TenantDomain", owner=link(tenant), domain=models.TextField())
    alias = model("Alias", tenant=link(tenant), host=models.TextField(unique=True))
    assert domain_candidates([alias, domain, tenant], tenant) == [domain]


def test_a_unique_host_name_and_a_foreign_key_to_the_tenant_make_a_domain_model(model: Callable[..., Any]) -> None:
    tenant = model("Tenant")
    alias = model("Alias", tenant=link(tenant), hostname=models.TextField(unique=True))
    log = model("Visit", tenant=link(tenant), hostname=models.TextField())
    assert domain_candidates([tenant, log, alias], tenant) == [alias]


def test_a_one_to_one_field_links_a_domain_as_well(model: Callable[..., Any]) -> None:
    tenant = model("Tenant")
    domain = model(
        "Domain", tenant=models.OneToOneField(tenant, models.CASCADE, related_name="+"), domain=models.TextField()
    )
    assert domain_candidates([tenant, domain], tenant) == [domain]


def test_a_domain_that_belongs_to_something_else_is_a_candidate_so_that_its_fault_is_named(
    model: Callable[..., Any],
) -> None:
    tenant, other = model("Tenant"), model("Account")
    stray = model("Domain", account=link(other), domain=models.TextField(unique=True))
    assert domain_candidates([tenant, other, stray], tenant) == [stray]


def test_a_project_may_have_no_domain_model(model: Callable[..., Any]) -> None:
    tenant = model("Tenant")
    assert domain_candidates([tenant, model("Invoice", tenant=link(tenant))], tenant) == []


def test_a_project_without_django_tenants_has_row_tenancy_and_says_with_which_models() -> None:
    found = detect(None, None, None)
    assert found.facts() == {
        "kind": "row",
        "database": "default",
        "engine": "django.db.backends.sqlite3",
        "router": [],
        "tenant_model": "directory.Tenant",
        "domain_model": "directory.Domain",
        "public_schema": None,
    }
    assert (found.domain_field, found.domain_tenant_field, found.primary_field) == ("domain", "tenant", "is_primary")
    assert found.by_schema is False
    assert found.type_field is None


def test_the_models_can_be_named_by_the_task_or_by_the_settings() -> None:
    assert detect(None, "directory.Owner", "directory.Tenant").facts()["tenant_model"] == "directory.Owner"
    with override_settings(TENANT_MODEL="directory.Owner", TENANT_DOMAIN_MODEL="directory.Tenant"):
        by_settings = detect(None, None, None)
        by_task = detect(None, "directory.Tenant", "directory.Domain")
    assert (by_settings.tenant.__name__, by_settings.domain_tenant_field) == ("Owner", "owner")
    assert by_task.tenant.__name__ == "Tenant"


@pytest.mark.parametrize(
    ("tenant", "domain", "message"),
    [
        ("directory.Nobody", None, "^tenant_model: there is no model 'directory.Nobody'"),
        ("Tenant", None, "^tenant_model: there is no model 'Tenant'"),
        (None, "directory.Nobody", "^domain_model: there is no model 'directory.Nobody'"),
        (None, "directory.Tag", "directory.Tag has no foreign key to the tenant model directory.Tenant .*at all"),
        ("directory.Tag", "directory.Domain", "directory.Domain has no foreign key to .*tenant → directory.Tenant"),
    ],
)
def test_a_model_that_is_not_there_or_does_not_fit_is_named(
    tenant: str | None, domain: str | None, message: str
) -> None:
    with pytest.raises(TenancyProblem, match=message):
        detect(None, tenant, domain)


def test_an_alias_that_is_not_in_the_settings_is_named_with_those_that_are() -> None:
    with pytest.raises(TenancyProblem, match=r"there is no alias 'tenants' in DATABASES \(default\)"):
        detect("tenants", None, None)


def test_several_candidates_are_an_error_that_names_them_all(
    model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    company = model("Company")
    project = [model("Tenant"), company, model("Plant", tenant=link(company))]
    monkeypatch.setattr("django.apps.apps.get_models", lambda: project)
    with pytest.raises(TenancyProblem, match=r"directory\.Company and directory\.Tenant") as caught:
        detect(None, None, None)
    assert "tenant_model: app.Model" in str(caught.value.details["hint"])


def test_a_project_without_any_tenant_model_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.apps.apps.get_models", list)
    with pytest.raises(TenancyProblem, match="No model looks like the tenant"):
        detect(None, None, None)


def test_half_a_schema_tenancy_is_told_what_is_there_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.apps import apps

    is_installed = apps.is_installed
    monkeypatch.setattr(apps, "is_installed", lambda name: name == "django_tenants" or is_installed(name))
    with (
        override_settings(SETTINGS_MODULE="config.settings.uat"),
        pytest.raises(TenancyProblem, match=r"The settings config.settings.uat mix two tenancies: .*but not an engine"),
    ):
        detect(None, None, None)
