"""Popular packages from PyPI in one project, some in the public schema, some in the tenants', some in both."""

import os
from pathlib import Path

from config.environment import postgresql

BASE_DIR = Path(__file__).resolve().parent.parent

_BOTH = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "django.contrib.sites",
    "guardian",
    "waffle",
    "rest_framework",
    "rest_framework.authtoken",
]
SHARED_APPS = [
    "django_tenants",
    "tenants",
    *_BOTH,
    "axes",
    "constance",
    "django_celery_beat",
    "django_celery_results",
    "django_q",
    "oauth2_provider",
    "post_office",
    "procrastinate.contrib.django",
    "silk",
    "social_django",
    "watson",
]
TENANT_APPS = [
    *_BOTH,
    "django.contrib.flatpages",
    "django.contrib.redirects",
    "actstream",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "auditlog",
    "django_otp",
    "django_otp.plugins.otp_email",
    "django_otp.plugins.otp_hotp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "easy_thumbnails",
    "filer",
    "knox",
    "organizations",
    "polymorphic",
    "rest_framework_simplejwt.token_blacklist",
    "reversion",
    "taggit",
]
INSTALLED_APPS = SHARED_APPS + [app for app in TENANT_APPS if app not in SHARED_APPS]

TENANT_MODEL = "tenants.Client"
TENANT_DOMAIN_MODEL = "tenants.Domain"
DATABASES = {
    "default": postgresql(
        os.environ.get("DATABASE_URL") or "postgres:///meatscentral", "django_tenants.postgresql_backend"
    )
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

SECRET_KEY = os.environ.get("SECRET_KEY") or "for tests only"
ALLOWED_HOSTS = ["*"]
DEBUG = True
ROOT_URLCONF = "config.urls"
SITE_ID = 1
STATIC_URL = "static/"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CONSTANCE_BACKEND = "constance.backends.database.DatabaseBackend"
THUMBNAIL_HIGH_RESOLUTION = True

Q_CLUSTER = {"orm": "default", "timeout": 60, "retry": 120}
