"""The smallest project with tenants: what a release brings is written into things/migrations by the tests."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
