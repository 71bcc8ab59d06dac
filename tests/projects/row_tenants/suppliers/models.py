"""Who sells the meat."""

from django.db import models


class Supplier(models.Model):
    """A company that runs plants and sells to a tenant."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="suppliers")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True, max_length=254)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "name"], name="supplier_tenant_name_idx"),
        ]

    def __str__(self):
        return self.name
