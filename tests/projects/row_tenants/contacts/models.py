"""Whom to call."""

from django.db import models


class Contact(models.Model):
    """A person at a supplier or at a customer of a tenant."""

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True, max_length=254)
    supplier = models.ForeignKey(
        "suppliers.Supplier",
        blank=True,
        null=True,
        on_delete=models.CASCADE,
        related_name="contacts",
    )
    customer = models.ForeignKey(
        "customers.Customer",
        blank=True,
        null=True,
        on_delete=models.CASCADE,
        related_name="contacts",
    )

    def __str__(self):
        return self.name
