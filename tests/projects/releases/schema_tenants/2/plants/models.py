"""Where the meat comes from."""

from django.db import models


class Plant(models.Model):
    """A supplier's plant, and who fetches from it."""

    name = models.CharField(max_length=200)
    establishment = models.CharField(max_length=20, unique=True)
    supplier = models.ForeignKey("suppliers.Supplier", on_delete=models.PROTECT, related_name="plants")
    carriers = models.ManyToManyField("carriers.Carrier", related_name="plants")
    city = models.CharField(blank=True, default="", max_length=100)

    class Meta:
        indexes = [models.Index(fields=["supplier", "name"], name="plant_supplier_idx")]

    def __str__(self):
        return self.name


class Dock(models.Model):
    """A place where a lorry is loaded."""

    plant = models.ForeignKey(Plant, on_delete=models.CASCADE, related_name="docks")
    number = models.PositiveSmallIntegerField()
    is_refrigerated = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plant", "number"], name="dock_plant_number"),
        ]

    def __str__(self):
        return f"{self.plant}, dock {self.number}"
