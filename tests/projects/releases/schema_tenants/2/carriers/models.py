"""Who drives the meat from a plant to a customer."""

from django.db import models


class Carrier(models.Model):
    """A haulage company."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    mc_number = models.CharField(blank=True, max_length=20)
    home_state = models.CharField(blank=True, db_index=True, default="", max_length=2)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name
