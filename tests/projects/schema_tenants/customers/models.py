"""Who buys the meat."""

from django.db import models


class Customer(models.Model):
    """A buyer, and how far they are trusted."""

    name = models.CharField(max_length=200)
    city = models.CharField(blank=True, default="", max_length=100)
    credit_limit = models.DecimalField(decimal_places=2, default=0, max_digits=12)
    suppliers = models.ManyToManyField("suppliers.Supplier", related_name="customers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "city"], name="customer_name_city"),
        ]

    def __str__(self):
        return self.name
