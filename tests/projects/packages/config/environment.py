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


def postgresql(url, engine):
    """Turn ``postgres://user:password@host:port/name?option=value`` into a DATABASES entry.

    The parts are split by hand because ``urlsplit().hostname`` lowers the case, which
    breaks a socket's directory given as host. What is left out is left to libpq, which
    has its own variables and password file.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must start with postgres:// or postgresql://.")
    credentials, dummy, address = parts.netloc.rpartition("@")
    user, dummy, password = credentials.partition(":")
    host, dummy, port = address.partition(":")
    return {
        "ENGINE": engine,
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "HOST": unquote(host),
        "PORT": port,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
