"""What the public tenant's host name serves."""

from django.urls import path

from tenants.views import tenants

urlpatterns = [path("", tenants)]
