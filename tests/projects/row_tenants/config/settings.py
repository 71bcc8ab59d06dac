"""One module for every environment: DJANGO_ENVIRONMENT says which (dev, uat or prod)."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from config.environment import database, required

BASE_DIR = Path(__file__).resolve().parent.parent

ENVIRONMENT = os.environ.get("DJANGO_ENVIRONMENT") or "dev"
HOSTS = {
    "dev": ["localhost", ".localhost", "127.0.0.1"],
    "uat": ["uat.meatscentral.com", ".uat.meatscentral.com"],
    "prod": ["meatscentral.com", ".meatscentral.com"],
}
if ENVIRONMENT not in HOSTS:
    raise ImproperlyConfigured(f"DJANGO_ENVIRONMENT is {ENVIRONMENT!r}; it must be one of {', '.join(HOSTS)}.")

DEBUG = ENVIRONMENT == "dev"
ALLOWED_HOSTS = HOSTS[ENVIRONMENT]
if DEBUG:
    # A new key for every process logs everybody out at a restart, no harm here.
    SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()
    DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
else:
    SECRET_KEY = required("SECRET_KEY")
    DATABASE_URL = required("DATABASE_URL")
    # TLS ends at the proxy.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
DATABASES = {"default": database(DATABASE_URL)}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "tenants",
    "carriers",
    "suppliers",
    "customers",
    "contacts",
    "plants",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.TenantMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {},
    },
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
