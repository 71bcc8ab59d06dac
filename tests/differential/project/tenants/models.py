from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    name = models.CharField(max_length=100, default="")
    auto_create_schema = False


class Domain(DomainMixin):
    pass
