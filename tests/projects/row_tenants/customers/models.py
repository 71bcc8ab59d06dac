"""Who buys the meat."""

from django.db import models


class Customer(models.Model):
    """A buyer, and whose they are."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="customers")
    name = models.CharField(max_length=200)
    city = models.CharField(blank=True, default="", max_length=100)
    suppliers = models.ManyToManyField("suppliers.Supplier", related_name="customers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name", "city"], name="customer_tenant_name_city"),
        ]

    def __str__(self):
        return self.name
