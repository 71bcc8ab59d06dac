"""What a tenant's own host name serves."""

from django.urls import path

from plants.views import plants

urlpatterns = [path("", plants)]
