"""Who sells the meat."""

from django.db import models


class Supplier(models.Model):
    """A company that runs plants."""

    name = models.CharField(max_length=200, unique=True)
    email = models.EmailField(blank=True, max_length=254)
    is_active = models.BooleanField(default=True)
    country = models.CharField(default="US", max_length=2)

    class Meta:
        indexes = [
            models.Index(fields=["country", "name"], name="supplier_country_name_idx"),
        ]

    def __str__(self):
        return self.name
