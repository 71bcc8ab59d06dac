"""Who is served, under which host names, and which users work for them.

All tenants share the tables of one schema: every business row has a foreign key to the
row of its tenant here.
"""

import uuid

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """What a user may do for a tenant."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"


class Tenant(models.Model):
    """A company whose rows are kept apart from the others' by a foreign key."""

    id = models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True)
    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=100, unique=True)
    contact_email = models.EmailField(max_length=254)
    # Left from the days of a schema a tenant. Nothing reads it any more.
    schema_name = models.CharField(blank=True, max_length=63, null=True, unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.slug


class Domain(models.Model):
    """A host name that leads to one tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253, unique=True)
    is_primary = models.BooleanField(default=False)

    def __str__(self):
        return self.domain


class TenantUser(models.Model):
    """A user's part in a tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="tenant_memberships",
    )
    role = models.CharField(choices=Role.choices, default=Role.MEMBER, max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="tenantuser_tenant_user"),
        ]

    def __str__(self):
        return f"{self.user} of {self.tenant}"


class TenantInvitation(models.Model):
    """A part in a tenant, offered to somebody who may not be a user yet."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    token = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    role = models.CharField(choices=Role.choices, default=Role.MEMBER, max_length=20)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        blank=True,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    accepted_at = models.DateTimeField(blank=True, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "email"], name="invitation_tenant_email"),
        ]

    def __str__(self):
        return self.email
