#!/usr/bin/env python
"""The project's command line."""

import os
import sys


def main():
    """Run the administrative command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
