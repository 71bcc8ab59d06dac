"""Who is served, and under which host name. These tables are in the public schema only."""

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    """A company with a schema of its own."""

    name = models.CharField(max_length=100)
    paid_until = models.DateField()
    on_trial = models.BooleanField(default=True)
    created_on = models.DateField(auto_now_add=True)

    # django-tenants drops a tenant's schema with its row only where this says so.
    auto_drop_schema = False


class Domain(DomainMixin):
    """A host name that leads to one client."""
