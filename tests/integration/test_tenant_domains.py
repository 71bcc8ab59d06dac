# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""django_tenant and the domains of a tenant: which there are, whose they are, and which one is primary."""

from __future__ import annotations

import pytest

ACME = {"schema": "acme", "attributes": {"name": "Acme"}, "defaults": {"paid_until": "2099-12-31"}, "migrate": False}
GLOBEX = {**ACME, "schema": "globex"}


@pytest.fixture
def project(schema_variant):
    """Schemas without apps of their own: what is under test here is in the public one."""
    return schema_variant().settings('TENANT_APPS = ["django.contrib.contenttypes"]')


def test_the_first_domain_or_the_marked_one_is_primary_and_others_are_kept_unless_exclusive(project):
    project.ensure({**ACME, "domains": ["Acme.localhost", "b.localhost"]})
    assert project.domains() == {
        "localhost": ("public", True),
        "acme.localhost": ("acme", True),
        "b.localhost": ("acme", False),
    }
    marked = {"domain": "c.localhost", "primary": True}
    line = project.ensure({**ACME, "domains": ["b.localhost", marked]})["tenants"][0]
    assert line["actions"] == ["add the domain c.localhost", "make c.localhost the primary domain"]
    assert project.domains()["acme.localhost"] == ("acme", False)
    assert project.domains()["c.localhost"] == ("acme", True)

    result = project.ensure({**ACME, "domains": ["b.localhost"], "exclusive_domains": True})
    assert result["tenants"][0]["actions"] == [
        "remove the domain acme.localhost",
        "remove the domain c.localhost",
        "make b.localhost the primary domain",
    ]
    assert project.domains() == {"localhost": ("public", True), "b.localhost": ("acme", True)}
    assert result["diff"][0]["before"]["domains"] == ["acme.localhost", "b.localhost", "c.localhost (primary)"]
    assert result["diff"][0]["after"]["domains"] == ["b.localhost (primary)"]


def test_a_domain_of_another_tenant_is_moved_only_when_asked_and_its_owner_keeps_one_primary(project):
    project.ensure({**ACME, "domains": ["a.localhost", "b.localhost"]}, {**GLOBEX, "domains": ["g.localhost"]})
    project.execute("UPDATE tenants_domain SET domain = 'A.LocalHost' WHERE domain = 'a.localhost'")
    refusal = project.refused({**GLOBEX, "domains": ["g.localhost", "a.localhost"]})
    assert "'a.localhost' belongs to the tenant 'acme'" in refusal["msg"]
    assert "move_domains" in refusal["msg"]

    line = project.ensure({**GLOBEX, "domains": ["g.localhost", "a.localhost"], "move_domains": True})["tenants"][0]
    assert line["actions"] == ["move the domain a.localhost from acme"]
    assert project.domains() == {
        "localhost": ("public", True),
        "a.localhost": ("globex", False),
        "b.localhost": ("acme", True),
        "g.localhost": ("globex", True),
    }


def test_a_host_name_that_somebody_spelt_in_capitals_is_put_right_and_not_made_twice(project):
    project.ensure({**ACME, "domains": ["acme.example.com", "b.localhost"]})
    project.execute("UPDATE tenants_domain SET domain = 'Acme.Example.COM' WHERE domain = 'acme.example.com'")
    line = project.ensure({**ACME, "domains": ["acme.example.com"]})["tenants"][0]
    assert line["actions"] == ["rename the domain Acme.Example.COM to acme.example.com"]
    assert project.domains()["acme.example.com"] == ("acme", True)

    # Both spellings there: the right one is kept, the other one is not declared.
    project.execute(
        "INSERT INTO tenants_domain (domain, tenant_id, is_primary) SELECT 'ACME.example.com', tenant_id, false"
        " FROM tenants_domain WHERE domain = 'acme.example.com'"
    )
    result = project.ensure({**ACME, "domains": ["acme.example.com", "b.localhost"], "exclusive_domains": True})
    assert result["tenants"][0]["actions"] == ["remove the domain ACME.example.com"]


def test_domains_that_no_request_can_match_are_stored_with_a_warning(project):
    result = project.tenants({**ACME, "domains": ["www.acme.example", "acme.example", "acme.example:8000"]})
    assert len(result["warnings"]) == 2
    assert "www." in str(result["warnings"][0])
    assert "'acme.example:8000' is no bare host name" in str(result["warnings"][1])


def test_under_subfolder_routing_a_domain_is_a_folder_and_taken_as_given(project):
    project.settings(
        'MIDDLEWARE[0] = "django_tenants.middleware.TenantSubfolderMiddleware"\nTENANT_SUBFOLDER_PREFIX = "clients"'
    )
    result = project.ensure({**ACME, "domains": ["Acme", "www.acme"]}, {**GLOBEX, "domains": ["acme"]})
    assert not result.get("warnings")
    assert project.domains()["Acme"] == ("acme", True)
    assert project.domains()["acme"] == ("globex", True)
    line = project.ensure({**ACME, "domains": ["ACME"]})["tenants"][0]
    assert line["actions"][0] == "add the domain ACME"


def test_exactly_one_domain_is_primary_where_none_or_several_were(project):
    project.ensure({**ACME, "domains": ["a.localhost", "b.localhost", "c.localhost"]})
    project.execute("UPDATE tenants_domain SET is_primary = true")
    assert project.ensure(ACME)["tenants"][0]["actions"] == ["make a.localhost the primary domain"]
    project.execute("UPDATE tenants_domain SET is_primary = false")
    project.ensure(ACME)
    assert [name for name, (tenant, primary) in project.domains().items() if primary and tenant == "acme"] == [
        "a.localhost"
    ]


ROW = {"key": {"slug": "acme"}, "defaults": {"name": "Acme", "contact_email": "ops@acme.example"}}


def test_without_django_tenants_magic_one_domain_is_primary_even_under_a_unique_constraint(row_variant):
    row_variant.append(
        "tenants/models.py",
        """
Domain._meta.constraints.append(
    models.UniqueConstraint(fields=["tenant"], condition=models.Q(is_primary=True), name="one_primary")
)
""",
    )
    row_variant.execute("CREATE UNIQUE INDEX one_primary ON tenants_domain (tenant_id) WHERE is_primary")
    row_variant.ensure({**ROW, "domains": ["a.example", "b.example"]})
    row_variant.ensure({**ROW, "domains": ["b.example", "a.example"]})
    assert row_variant.domains() == {"a.example": ("acme", False), "b.example": ("acme", True)}


def test_a_save_that_makes_every_domain_primary_does_not_have_the_last_word(row_variant):
    row_variant.append(
        "tenants/models.py",
        """
def save(self, *args, **kwargs):
    self.is_primary = True
    super(Domain, self).save(*args, **kwargs)

Domain.save = save
""",
    )
    row_variant.ensure({**ROW, "domains": ["a.example", "b.example", "c.example"]})
    assert [primary for tenant, primary in row_variant.domains().values()] == [True, False, False]


def test_a_domain_model_without_a_mark_for_the_primary_one_serves(row_variant):
    row_variant.replace("tenants/models.py", "    is_primary = models.BooleanField(default=False)\n", "")
    row_variant.execute("ALTER TABLE tenants_domain DROP COLUMN is_primary")
    line = row_variant.ensure({**ROW, "domains": ["a.example", "b.example"]})["tenants"][0]
    assert line["actions"] == ["create the row", "add the domain a.example", "add the domain b.example"]
