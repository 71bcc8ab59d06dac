"""What the settings take from the environment, so that no file holds a secret."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def required(name):
    """Return the variable, or refuse to start: a default would only fail later, and worse."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"The environment variable {name} must be set for these settings.")
    return value


def database(url):
    """Turn ``postgres://user:password@host:port/name`` or ``sqlite:///path`` into a DATABASES entry.

    The parts are split by hand because ``urlsplit().hostname`` lowers the case, which
    breaks a socket's directory given as host. What is left out is left to libpq, which
    has its own variables and password file.
    """
    parts = urlsplit(url)
    name = unquote(parts.path[1:])
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must start with postgres://, postgresql:// or sqlite:///.")
    credentials, dummy, address = parts.netloc.rpartition("@")
    user, dummy, password = credentials.partition(":")
    host, dummy, port = address.partition(":")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "HOST": unquote(host),
        "PORT": port,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
