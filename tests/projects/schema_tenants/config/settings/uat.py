"""Where users try a release before it goes live: as production, under another name."""

from config.environment import postgresql, required
from config.settings.base import *  # noqa: F403  # pylint: disable=wildcard-import
from config.settings.base import DATABASE_ENGINE

DEBUG = False
SECRET_KEY = required("SECRET_KEY")
ALLOWED_HOSTS = ["uat.meatscentral.com", ".uat.meatscentral.com"]
DATABASES = {
    "default": postgresql(required("DATABASE_URL"), DATABASE_ENGINE),
}

# TLS ends at the proxy.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
