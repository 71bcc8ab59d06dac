# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stock side: ``migrate_schemas`` for one schema after the other, each request in a process forked from one that has Django loaded.

Run under the project's Python, in its directory. Requests and answers are JSON lines.
"""

from __future__ import annotations

import json
import os
import sys


def migrate(request: dict) -> dict:
    """What failed, by schema; the others have been migrated."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    sys.path.insert(0, request["directory"])
    settings.MIGRATION_MODULES = {"things": request["package"]}
    connection = connections["default"]
    connection.close()
    connection.settings_dict["NAME"] = request["database"]
    failed = {}
    for schema in request["schemas"]:
        try:
            call_command("migrate_schemas", schema_name=schema, verbosity=0, interactive=False, executor="standard")
        except Exception as error:
            failed[schema] = f"{type(error).__name__}: {error}"
            connection.close()
    return failed


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config"
    sys.path.insert(0, os.getcwd())
    import django

    django.setup()
    from django.core.management.commands import migrate as _migrate  # noqa: F401
    from django_tenants.management.commands import migrate_schemas as _schemas  # noqa: F401

    for line in sys.stdin:
        if os.fork() == 0:
            answer = json.dumps(migrate(json.loads(line)))
            # What migrations print must not stand in the answer's line.
            os.write(OUT, answer.encode() + b"\n")
            os._exit(0)
        _pid, status = os.wait()
        if status:
            os.write(OUT, json.dumps({"": f"ended with status {status}"}).encode() + b"\n")


OUT = os.dup(1)

if __name__ == "__main__":
    os.dup2(2, 1)
    main()
