"""What every tenant's host name serves; the middleware says whose it is."""

from django.urls import path

from plants.views import plants

urlpatterns = [path("", plants)]
