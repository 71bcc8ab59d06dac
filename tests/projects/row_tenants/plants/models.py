"""Where the meat comes from."""

from django.db import models


class Plant(models.Model):
    """A supplier's plant, and who fetches from it."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="plants")
    name = models.CharField(max_length=200)
    establishment = models.CharField(max_length=20)
    supplier = models.ForeignKey("suppliers.Supplier", on_delete=models.PROTECT, related_name="plants")
    carriers = models.ManyToManyField("carriers.Carrier", related_name="plants")

    def __str__(self):
        return self.name
