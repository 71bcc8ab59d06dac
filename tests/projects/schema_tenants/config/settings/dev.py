"""A developer's own machine: works with nothing in the environment."""

import os

from django.core.management.utils import get_random_secret_key

from config.environment import postgresql
from config.settings.base import *  # noqa: F403  # pylint: disable=wildcard-import
from config.settings.base import DATABASE_ENGINE

DEBUG = True
# A new key for every process logs everybody out at a restart, which does no harm here.
SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()
ALLOWED_HOSTS = ["localhost", ".localhost", "127.0.0.1"]
DATABASES = {
    "default": postgresql(
        os.environ.get("DATABASE_URL") or "postgres:///meatscentral",
        DATABASE_ENGINE,
    ),
}
