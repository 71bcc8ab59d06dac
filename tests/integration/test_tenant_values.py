# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""django_tenant and the tenant's row: what is kept, what is set once, what is checked before anything is written."""

from __future__ import annotations

import shutil

import pytest

ACME = {
    "key": {"slug": "acme"},
    "attributes": {"name": "Acme"},
    "defaults": {"contact_email": "ops@acme.example"},
    "domains": ["acme.example"],
}
OWNER = """
class Owner(models.Model):
    email = models.EmailField(unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)

Tenant.add_to_class("owner", models.ForeignKey(Owner, null=True, on_delete=models.PROTECT))
"""


def rows(project, what="name, contact_email, is_active"):
    return project.query(f"SELECT {what} FROM tenants_tenant ORDER BY slug")


def test_attributes_are_kept_and_defaults_are_for_a_creation_only(row_variant):
    declared = {
        **ACME,
        "attributes": {"name": "Acme", "is_active": False},
        "defaults": {"contact_email": "a@acme.example", "paid_until": "2099-12-31", "on_trial": False},
    }
    line = row_variant.ensure(declared)["tenants"][0]
    assert line["state"] == "created"
    assert line["unused_defaults"] == ["paid_until", "on_trial"]
    assert rows(row_variant) == [("Acme", "a@acme.example", 0)]
    row_variant.execute("UPDATE tenants_tenant SET name = 'Other', contact_email = 'b@acme.example'")
    result = row_variant.ensure(declared)
    assert result["tenants"][0]["actions"] == ["set name: Other → Acme"]
    assert result["diff"][0]["before"]["row"] == {"name": "Other"}
    assert result["diff"][0]["after"]["row"] == {"name": "Acme"}
    assert rows(row_variant) == [("Acme", "b@acme.example", 0)]


def test_all_that_is_wrong_is_one_error_before_anything_is_written(row_variant):
    good = {"key": {"slug": "good"}, "defaults": {"name": "Good", "contact_email": "a@b.example"}}
    result = row_variant.refused(
        good,
        {
            "key": {"slug": "acme"},
            "attributes": {"nmae": "Acme", "is_active": "perhaps"},
            "domains": [f"{'x' * 250}.example"],
        },
        {"key": {"slug": "not a slug"}, "attributes": {"contact_email": "nobody", "name": "N", "users": []}},
        {"key": {"slug": "globex"}, "attributes": {"name": "x" * 300}},
    )
    parts = (
        "acme: nmae: tenants.Tenant has no such field (it has: contact_email,",
        "acme: is_active: 'perhaps' does not fit BooleanField",
        "acme: name: is required, and has no value.",
        "acme: contact_email: is required, and has no value.",
        "acme: domain 'xxx",
        "not a slug: key: slug: 'not a slug' does not fit",
        "not a slug: users: tenants.Tenant has no such field",
        "not a slug: contact_email: 'nobody' does not fit EmailField",
        "globex: name: 'xxx",
        "globex: contact_email: is required",
    )
    assert all(part in result["msg"] for part in parts), result["msg"]
    assert len(result["errors"]) == len(parts)


@pytest.mark.parametrize(
    ("tenants", "message"),
    [
        ([{"schema": "acme"}], "say which tenant with key:"),
        ([{"key": {"slgu": "acme"}}], "key: tenants.Tenant has no field 'slgu' (it has:"),
        ([{"key": {"id": "no-uuid"}}], "key: id: 'no-uuid' does not fit"),
        ([ACME, ACME], "acme: declared more than once."),
        ([ACME, {**ACME, "key": {"slug": "b"}}], "b: the domain 'acme.example' is also declared for acme."),
        ([{**ACME, "domains": ["a.example", "A.Example"]}], "the domain 'a.example' is declared twice."),
        (
            [{**ACME, "domains": [{"domain": "a", "primary": True}, {"domain": "b", "primary": True}]}],
            "more than one domain is marked",
        ),
        ([{**ACME, "domains": [{"domain": "a", "primary": "perhaps"}]}], "is true or false, not 'perhaps'"),
        ([{**ACME, "domains": [{"name": "a"}]}], "a domain is a host name, or {domain: host name, primary: true}"),
        ([{**ACME, "defaults": {"slug": "other"}}], "slug says which tenant it is"),
        ([{**ACME, "grant_to": ["app"]}], "grant_to: the project keeps its tenants as rows"),
    ],
)
def test_a_declaration_that_contradicts_itself_or_the_model_is_refused(row_variant, tenants, message):
    result = row_variant.tenants(*tenants)
    assert result["failed"]
    assert message in result["msg"]
    assert rows(row_variant) == []


def test_what_the_model_itself_refuses_is_found_before_anything_is_written(row_variant):
    row_variant.append(
        "tenants/models.py",
        """
def clean(self):
    from django.core.exceptions import ValidationError
    if self.name.startswith("Evil"):
        raise ValidationError("We do not serve the wicked.")

Tenant.clean = clean
""",
    )
    row_variant.replace(
        "tenants/models.py",
        "name = models.CharField(max_length=255)",
        "name = models.CharField(max_length=255, unique=True)",
    )
    row_variant.tenants(ACME)
    result = row_variant.refused(
        {**ACME, "attributes": {"name": "Evil"}},
        {"key": {"slug": "copy"}, "attributes": {"name": "Acme"}, "defaults": {"contact_email": "a@b.example"}},
    )
    assert "acme: We do not serve the wicked." in result["msg"]
    assert "copy: name: Tenant with this Name already exists." in result["msg"]


def test_a_foreign_key_finds_its_row_or_makes_it_with_what_that_needs(row_variant):
    row_variant.append("tenants/models.py", OWNER)
    for statement in (
        "CREATE TABLE tenants_owner (id integer PRIMARY KEY AUTOINCREMENT, email varchar(254) UNIQUE, user_id integer)",
        "ALTER TABLE tenants_tenant ADD COLUMN owner_id integer",
    ):
        row_variant.execute(statement)
    owner = {"email": "ops@acme.example"}
    refused = row_variant.refused({**ACME, "attributes": {"name": "Acme", "owner": owner}})
    assert "owner: there is no tenants.Owner(email=ops@acme.example). Give create:" in refused["msg"]
    for wrong, message in (
        ("ops", "is given as a mapping that finds the row"),
        (
            {**owner, "create": {"user_id": 1}},
            "user_id: name the foreign key itself, with a mapping that finds its row: user: {pk: …}.",
        ),
        ({"emial": "x"}, "emial: tenants.Owner has no such field"),
        ({**owner, "create": {}}, "create: needs a value for user to make it"),
        ({**owner, "create": {"user": {"username": "ops"}}}, "user: there is no auth.User(username=ops)"),
    ):
        answer = row_variant.tenants({**ACME, "attributes": {"name": "Acme", "owner": wrong}})
        assert message in answer["msg"]
    user = {"username": "ops", "create": {"email": "ops@acme.example", "password": "a secret of ours"}}
    made = {**owner, "create": {"user": user}}
    result = row_variant.ensure(
        {**ACME, "attributes": {"name": "Acme", "owner": made}},
        {
            "key": {"slug": "globex"},
            "defaults": {"name": "G", "contact_email": "a@b.example"},
            "attributes": {"owner": made},
        },
    )
    assert result["diff"][0]["after"]["row"]["owner"] == "tenants.Owner(email=ops@acme.example)"
    assert "a secret of ours" not in str(result)
    assert row_variant.query("SELECT email FROM tenants_owner") == [("ops@acme.example",)]
    assert row_variant.query("SELECT substr(password, 1, 6) FROM auth_user") == [("pbkdf2",)]
    assert len(set(rows(row_variant, "owner_id"))) == 1

    columns = "password, last_login, is_superuser, last_name, email, is_staff, is_active, date_joined, first_name"
    row_variant.execute(f"INSERT INTO auth_user (id, username, {columns}) SELECT 9, 'nine', {columns} FROM auth_user")
    row_variant.execute("INSERT INTO tenants_owner (email, user_id) VALUES ('new@acme.example', 9)")
    several = row_variant.tenants({**ACME, "attributes": {"owner": {"user": {"email": "ops@acme.example"}}}})
    assert "more than one auth.User(email=ops@acme.example) was found" in several["msg"]
    changed = row_variant.ensure({**ACME, "attributes": {"owner": {"user": {"username": "nine"}}}})
    assert changed["tenants"][0]["actions"] == ["set owner: 1 → tenants.Owner(user=auth.User(username=nine))"]


def test_what_the_projects_signals_make_on_save_is_not_made_twice(row_variant):
    row_variant.append(
        "tenants/models.py",
        """
from django.db.models.signals import post_save

def welcome(sender, instance, created, **kwargs):
    Domain.objects.get_or_create(tenant=instance, domain=instance.slug + ".example", defaults={"is_primary": True})
    Domain.objects.get_or_create(tenant=instance, domain=instance.slug + ".internal", defaults={"is_primary": True})
    TenantInvitation.objects.create(tenant=instance, email=instance.contact_email)

post_save.connect(welcome, sender=Tenant)
""",
    )
    row_variant.ensure({**ACME, "domains": ["shop.example", "acme.example"]})
    assert row_variant.domains() == {
        "acme.example": ("acme", False),
        "acme.internal": ("acme", False),
        "shop.example": ("acme", True),
    }
    assert row_variant.query("SELECT email FROM tenants_tenantinvitation") == [("ops@acme.example",)]
    row_variant.execute("DELETE FROM tenants_domain WHERE domain = 'acme.internal'")
    row_variant.ensure({**ACME, "attributes": {"name": "New"}, "domains": ["acme.example"], "exclusive_domains": True})
    assert row_variant.domains() == {"acme.example": ("acme", True)}


def test_a_project_that_changes_what_was_set_is_warned_about(row_variant):
    row_variant.append(
        "tenants/models.py",
        """
def save(self, *args, **kwargs):
    self.name = self.name.upper()
    super(Tenant, self).save(*args, **kwargs)

Tenant.save = save
""",
    )
    result = row_variant.tenants(ACME)
    assert "name was set, but the project's own code left 'ACME'" in str(result["warnings"])
    assert row_variant.tenants(ACME, check=True)["changed"]


def test_a_tenant_with_rows_of_its_own_is_removed_only_when_that_is_confirmed(row_variant):
    row_variant.ensure(ACME)
    absent = {"key": {"slug": "acme"}, "state": "absent"}
    row_variant.execute(
        "INSERT INTO carriers_carrier (tenant_id, name, mc_number) SELECT id, 'C', '' FROM tenants_tenant"
    )
    result = row_variant.refused(absent)
    assert "deleting the row would delete 1 carriers.Carrier with it" in result["msg"]
    assert "confirm" in result["hint"]
    shutil.copy(row_variant.file, row_variant.file.with_suffix(".copy"))
    assert row_variant.ensure({**absent, "confirm": "acme"})["tenants"][0]["actions"] == ["delete the row and 1 domain"]
    assert row_variant.query("SELECT count(*) FROM carriers_carrier") == [(0,)]
    shutil.copy(row_variant.file.with_suffix(".copy"), row_variant.file)
    row_variant.execute("DELETE FROM carriers_carrier")
    result = row_variant.ensure(absent)
    assert result["tenants"][0]["state"] == "removed"
    assert result["msg"] == "acme: delete the row and 1 domain."
    assert row_variant.tenants(absent)["tenants"][0]["state"] == "absent"
