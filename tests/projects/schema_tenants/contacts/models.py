"""Whom to call."""

from django.conf import settings
from django.db import models


class Contact(models.Model):
    """A person at a supplier or at a customer."""

    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    display_name = models.CharField(blank=True, default="", max_length=201)
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
    # A user of the same tenant: users are in every tenant's schema.
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        blank=True,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    def __str__(self):
        return self.display_name
