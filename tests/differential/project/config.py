"""The settings; the database and the migrations of the app ``things`` come from the environment."""

import os
from urllib.parse import urlsplit

_url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": _url.path.lstrip("/"),
        "USER": _url.username,
        "PASSWORD": _url.password,
        "HOST": _url.hostname,
        "PORT": _url.port,
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
SHARED_APPS = ["django_tenants", "django.contrib.contenttypes", "django.contrib.auth", "tenants", "places"]
TENANT_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "things"]
INSTALLED_APPS = [*SHARED_APPS, "things"]
MIGRATION_MODULES = {"things": os.environ.get("THINGS_MIGRATIONS", "things.migrations")}
TENANT_MODEL = "tenants.Client"
TENANT_DOMAIN_MODEL = "tenants.Domain"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "for tests only"
USE_TZ = True
