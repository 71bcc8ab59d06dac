# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo: an empty PostgreSQL, one playbook, a complete multi-tenant database.

``make demo`` prepares what this needs and runs it. The first run makes everything, the next ones change nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.postgres import PostgresError, Server

HOME = ROOT / ".demo"
DATABASE = "meatscentral"
COMMAND = ["ansible-playbook", "-i", "inventories/dev", "playbooks/deploy.yml"]

TABLES = """
SELECT nspname, count(c.oid)
FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
GROUP BY nspname ORDER BY nspname <> 'public', nspname
"""
DOMAINS = """
SELECT c.schema_name, string_agg(d.domain, ', ' ORDER BY d.is_primary DESC, d.domain)
FROM tenants_client c LEFT JOIN tenants_domain d ON d.tenant_id = c.id GROUP BY c.schema_name
"""


def main() -> int:
    server = Server(HOME / "postgres", durable=True).start()
    made = server.ensure_database(DATABASE)
    print(f"PostgreSQL runs in .demo/postgres; the database {DATABASE} is {'new and empty' if made else 'there'}.")
    print("$ export DATABASE_URL=postgres://…  # the only thing that the inventory takes from outside")
    print(f"$ {' '.join(COMMAND)}", flush=True)
    code = deploy(server)
    if code == 0:
        print(summary(server))
    return code


def deploy(server: Server) -> int:
    tools = ROOT / ".venv" / "bin"
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "DATABASE_URL": server.url(DATABASE),
        "PATH": os.pathsep.join([str(tools), os.environ.get("PATH", os.defpath)]),
    }
    return subprocess.call([tools / COMMAND[0], *COMMAND[1:]], cwd=ROOT, env=environment)


def summary(server: Server) -> str:
    domains = dict(rows(server, DOMAINS))
    lines = [
        f"  {schema:<12} {tables:>3} tables   {domains.get(schema, '')}".rstrip()
        for schema, tables in rows(server, TABLES)
    ]
    programs = HOME / "bin"
    programs.unlink(missing_ok=True)
    programs.symlink_to(server.bin)
    psql = f"PGPASSFILE=.demo/postgres/pgpass .demo/bin/psql -h {server.host} -p {server.port} -U {server.user}"
    return "\n".join(
        [
            f"Deployed. The schemas of the database {DATABASE}, with their tables and domains:",
            *lines,
            "",
            f"Look at it:   {psql} {DATABASE}",
            "Run it again: make demo          (changed=0)",
            "Stop it:      make demo-stop     (make demo-remove deletes it)",
        ]
    )


def rows(server: Server, sql: str) -> list[tuple[str, str]]:
    lines = server.psql(sql, DATABASE).splitlines()
    return [(first, second) for first, _bar, second in (line.partition("|") for line in lines)]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PostgresError as error:
        sys.exit(f"demo: {error}")
