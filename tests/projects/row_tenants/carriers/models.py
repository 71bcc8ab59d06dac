"""Who drives the meat from a plant to a customer."""

from django.db import models


class Carrier(models.Model):
    """A haulage company that a tenant works with."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="carriers")
    name = models.CharField(max_length=200)
    mc_number = models.CharField(blank=True, max_length=20)

    def __str__(self):
        return self.name
