#!/usr/bin/python
# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_migrate_schemas
short_description: Bring the schemas of a multi-tenant Django project to the migrations of its code
version_added: 0.1.0
author:
  - The meatscentral.tenancy authors (@meatscentral)
description:
  - Applies the pending migrations, the shared ones in the public schema and the tenants' in every tenant's schema,
    and says for every schema touched, pending or failed which migrations, and how long.
  - A tenant that fails is named with the migration, the statement, SQLSTATE and the server's message. The others go on, and the task fails at the end.
    Where the public schema fails, the tenants are not touched.
  - Migrations are run by Django itself, in one process and on one loaded graph. Each is one transaction with its record, unless it is not atomic.
  - A project's own C(TENANT_BASE_MIGRATE_COMMAND) and C(GET_EXECUTOR_FUNCTION) are called for each schema, C(TENANT_MIGRATION_ORDER) gives the order.
  - It goes forwards only.
extends_documentation_fragment:
  - meatscentral.tenancy.project
  - meatscentral.tenancy.project.attributes
  - meatscentral.tenancy.project.attributes_writing
options:
  scope:
    description:
      - Under schema tenancy, V(shared) is the public schema, V(tenants) are the tenants' schemas, V(all) is both, the public one first.
      - V(tenants) refuses to run where the public tenant or its domain is missing, since nothing would route.
      - Under row tenancy, V(shared) is the app of the tenant model, and that of the domain model, with what they depend on;
        V(tenants) and V(all) are all that is left.
    type: str
    choices: [shared, tenants, all]
    default: all
  schemas:
    description:
      - Only these schemas, of those that O(scope) covers. One that no tenant has is an error.
    type: list
    elements: str
    default: []
  exclude:
    description:
      - All but these schemas.
    type: list
    elements: str
    default: []
  migrate_first:
    description:
      - Apps, or C(app:migration), that are migrated before all others, in this order, each with what it depends on.
      - With O(scope=shared) under row tenancy, an app that is named here goes no further than it says.
    type: list
    elements: str
    default: []
  target:
    description:
      - An app, or C(app:migration), to migrate to, instead of the newest migrations of all apps.
    type: str
  fake_initial:
    description:
      - Whether an initial migration whose tables are all in the schema already is recorded without being run, as C(migrate --fake-initial) does.
        Only the schema itself is looked at, never the public one behind it.
    type: bool
    default: false
  executor:
    description:
      - With V(auto), schemas with the same recorded migrations and the same structure are migrated together. Django runs the first of them, and the SQL
        that it sends there is sent to the others, one transaction each. A migration with Python in it, or whose SQL could differ between schemas,
        is run by Django in each.
      - With V(django), Django runs every migration in every schema.
    type: str
    choices: [auto, django]
    default: auto
  workers:
    description:
      - How many schemas are migrated at once, each over a connection of its own; where Django has to run, by a process of its own as well.
        Without it, as many as there are processors.
    type: int
  shard:
    description:
      - Only this share of the tenants' schemas, where a run is spread over several hosts; which schema belongs to which share follows from its name.
        The public schema belongs to none.
      - The shares of one O(run_id) run side by side, each once; any other run waits for them.
    type: dict
    suboptions:
      index:
        description: Which share, counted from V(0).
        type: int
        required: true
      of:
        description: How many shares there are.
        type: int
        required: true
  run_id:
    description:
      - What the shares of one run have in common. Required with O(shard).
    type: str
  lock_wait:
    description:
      - Seconds to wait for another run on the same database to end. After that the task fails, and says who holds the deploy lock.
    type: float
    default: 60
  lock_timeout:
    description:
      - Seconds that a statement in a tenant's schema waits for a lock. A schema that does not get it is tried again after the others. V(0) keeps the
        server's setting.
    type: float
    default: 0
  statement_timeout:
    description:
      - Seconds that a statement in a tenant's schema may take. V(0) keeps the server's setting.
    type: float
    default: 0
  retries:
    description:
      - How often a schema is tried again that did not get its locks, or was in a deadlock.
    type: int
    default: 3
  max_failures:
    description:
      - Stop once more schemas than this have failed, a number or a percentage such as V(5%). Those that were not begun are named as pending.
      - Without it, all are tried.
    type: str
  signals:
    description:
      - Which schemas the project's receivers hear of. C(pre_migrate), C(post_migrate) and django-tenants' own signals are sent as the
        stock commands send them.
      - With V(pending), they are sent for the schemas that have something pending.
      - With V(always), for every schema that the task is about, as the stock commands do. Where nothing is pending this does not count as a change;
        RV(summary) says of how many such schemas they were sent. A receiver that fails makes its schema fail. In check mode none are sent.
    type: str
    choices: [pending, always]
    default: pending
  progress:
    description:
      - Whether a run that takes longer than a second shows how it goes on, a line a second at most. With C(-v) each schema is named as it ends.
      - Nothing is shown in check mode, with C(async) or with C(no_log).
    type: bool
    default: true
  report:
    description:
      - A file on the managed node to write the full list to, schema by schema, as JSON. It is written in check mode too.
    type: path
  planned:
    description:
      - Tenants that earlier tasks of a play would have made, as RV(meatscentral.tenancy.django_tenant#module:planned) returns them. In check mode those
        whose schema does not exist count as made and migrated, and the public tenant counts as there; otherwise this is not looked at.
    type: list
    elements: str
    default: []
  planned_migrations:
    description:
      - Migrations, as C(app.migration), that earlier tasks of a play would have applied to the shared schema. In check mode they count as applied there;
        otherwise this is not looked at.
    type: list
    elements: str
    default: []
  rehearse:
    description:
      - Whether what is pending is run where it can do no harm before anything is written. What would fail there fails the task, with the migration,
        the operation, the statement and the schema, and the database has not been written to. Where nothing is pending nothing is rehearsed.
      - With V(scratch) it is run in a scratch database beside the real one, made with the project's own credentials and dropped at the end. It gets the
        structure of the public schema and of one schema of each state, and the rows of tenants and domains.
      - V(auto) is V(scratch) where the role may create databases, else a warning that says what grant would allow it.
      - With V(rollback) it is run in the real database, in one transaction that is rolled back. Only with exactly one schema in O(schemas).
        Locks are held meanwhile, and sequences move. Refused where a migration is not atomic.
      - In check mode only V(scratch) rehearses.
      - "The guide to rehearsals says what is kept away from a migration's Python meanwhile, and what can't be."
    type: str
    choices: [auto, scratch, rollback, none]
    default: none
  rehearse_rows:
    description:
      - Copy up to so many rows of every table to the scratch database, to find what existing rows make fail, such as a NULL under a new NOT NULL.
    type: int
    default: 0
  rehearse_skip:
    description:
      - Migrations, as C(app.migration), whose Python is not run in the rehearsal. Their other operations are.
    type: list
    elements: str
    default: []
  rehearse_tenants:
    description:
      - The tenants that later tasks of the play will ensure. With it, even with an empty list, the rehearsal goes through the whole deploy whatever
        O(scope) is, what the tenants share, these tenants, then every tenant, so that a failure of a later task is found before this one writes.
      - Without it the rehearsal is of this task alone.
    type: list
    elements: dict
    suboptions:
      schema:
        description: As O(meatscentral.tenancy.django_tenant#module:schema).
        type: str
      key:
        description: As O(meatscentral.tenancy.django_tenant#module:key).
        type: dict
      attributes:
        description: As O(meatscentral.tenancy.django_tenant#module:attributes).
        type: dict
        default: {}
      defaults:
        description: As O(meatscentral.tenancy.django_tenant#module:defaults).
        type: dict
        default: {}
      domains:
        description: As O(meatscentral.tenancy.django_tenant#module:domains).
        type: list
        elements: raw
        default: []
      exclusive_domains:
        description: As O(meatscentral.tenancy.django_tenant#module:exclusive_domains).
        type: bool
        default: false
      move_domains:
        description: As O(meatscentral.tenancy.django_tenant#module:move_domains).
        type: bool
        default: false
      state:
        description: As O(meatscentral.tenancy.django_tenant#module:state).
        type: str
        choices: [present, absent]
        default: present
      drop_schema:
        description: As O(meatscentral.tenancy.django_tenant#module:drop_schema).
        type: bool
        default: false
      confirm:
        description: As O(meatscentral.tenancy.django_tenant#module:confirm).
        type: str
      grant_to:
        description: As O(meatscentral.tenancy.django_tenant#module:grant_to).
        type: list
        elements: str
        default: []
      migrate:
        description: As O(meatscentral.tenancy.django_tenant#module:migrate).
        type: bool
        default: true
seealso:
  - module: meatscentral.tenancy.django_tenant
  - module: meatscentral.tenancy.django_tenant_info
"""

EXAMPLES = r"""
- name: Migrate what the tenants share
  meatscentral.tenancy.django_migrate_schemas:
    project: /srv/app
    python: /srv/app/venv/bin/python
    settings: config.settings.prod
    environment_file: /etc/app/environment
    scope: shared

- name: Migrate every tenant, and keep a full list
  meatscentral.tenancy.django_migrate_schemas:
    project: /srv/app
    python: /srv/app/venv/bin/python
    settings: config.settings.prod
    environment_file: /etc/app/environment
    scope: tenants
    report: /var/log/app/migrations.json

- name: Migrate one tenant
  meatscentral.tenancy.django_migrate_schemas:
    project: /srv/app
    python: /srv/app/venv/bin/python
    schemas: acme

- name: Migrate what the tenants share, once the whole deploy has been rehearsed
  meatscentral.tenancy.django_migrate_schemas:
    project: /srv/app
    python: /srv/app/venv/bin/python
    scope: shared
    rehearse: auto
    rehearse_tenants:
      - schema: acme
        domains: [acme.example.com]

- name: Say what is pending where, and write nothing
  meatscentral.tenancy.django_migrate_schemas:
    project: /srv/app
    python: /srv/app/venv/bin/python
  check_mode: true
"""

RETURN = r"""
tenancy:
  description: How the project keeps its tenants apart, V(kind) being V(schema) or V(row), and with which engine, routers and models.
  returned: success
  type: dict
  sample:
    kind: schema
    database: default
    engine: django_tenants.postgresql_backend
    router: [django_tenants.routers.TenantSyncRouter]
    tenant_model: tenants.Client
    domain_model: tenants.Domain
    public_schema: public
msg:
  description: What was done, or would be done, in a sentence.
  returned: always
  type: str
  sample: 8 migrations in 2 schemas applied.
migrated:
  description: What was applied, schemas with the same migrations as one entry. Empty in check mode.
  returned: success, or when schemas failed
  type: list
  elements: dict
  contains:
    migrations:
      description: The migrations, in order. One that is marked C(record only) is a squashed migration whose parts were applied before.
      type: list
      elements: str
      sample: [carriers.0005_carrier_home_state, plants.0004_dock]
    schemas:
      description: The schemas.
      type: list
      elements: str
      sample: [acme, globex]
    count:
      description: How many schemas.
      type: int
      sample: 2
    seconds:
      description: How long they took together.
      type: float
      sample: 0.41
pending:
  description: What is still pending, and in check mode would be applied, as RV(migrated).
  returned: success, or when schemas failed
  type: list
  elements: dict
  sample: []
failures:
  description: The schemas that failed, or that can't be migrated.
  returned: success, or when schemas failed
  type: list
  elements: dict
  contains:
    schema:
      description: The schema.
      type: str
      sample: acme
    migration:
      description: The migration that failed.
      type: str
      sample: carriers.0005_carrier_home_state
    operation:
      description: The operation of it that failed, in Django's words.
      type: str
      sample: Add field home_state to carrier
    place:
      description: The line of the project's own code that failed, where it was Python that did.
      type: str
      sample: carriers/migrations/0003_fill_carrier_slug.py:12
    statement:
      description: The statement that the server refused, without its parameters.
      type: str
      sample: ALTER TABLE "carriers_carrier" ADD COLUMN "home_state" varchar(2) DEFAULT '' NOT NULL
    sqlstate:
      description: The server's error code.
      type: str
      sample: "42701"
    message:
      description: What the server or the project said.
      type: str
      sample: column "home_state" of relation "carriers_carrier" already exists
    hint:
      description: What to do next.
      type: str
through_django:
  description: How many schemas Django itself migrated, in whole or in part, by the reason; the others got the SQL of the first that was like them.
  returned: success, or when schemas failed
  type: dict
  sample: {"customers.0005_fill_customer_code: RunPython may do something else in every schema": 7}
rehearsal:
  description: What was rehearsed, and what was found.
  returned: when something was rehearsed
  type: dict
  contains:
    method:
      description: V(scratch) or V(rollback).
      type: str
      sample: scratch
    schemas:
      description: The schemas that were rehearsed besides new tenants', each with how many it stands for, itself included, and some of them (C(like)).
      type: list
      elements: dict
      sample: [{schema: acme, stands_for: 57, like: [globex, initech]}]
    migrations:
      description: How many migrations were run, in all schemas together.
      type: int
      sample: 12
    seconds:
      description: How long it took, with the making of the scratch database.
      type: float
      sample: 1.9
    skipped:
      description: The migrations whose Python was not run, as O(rehearse_skip) says.
      type: list
      elements: str
      sample: [customers.0005_fill_customer_code]
    failures:
      description: What would fail, as RV(failures), at most ten. With C(stands_for), the number of schemas in which it would.
      type: list
      elements: dict
      sample: []
    findings:
      description: What squawk says of the SQL that was run on schemas that were there, where the managed node has it. At most a hundred.
      type: list
      elements: dict
      sample:
        - rule: squawk/require-concurrent-index-creation
          severity: warning
          place: plants.0004_dock
          message: During normal index creation, table updates are blocked, but reads are still allowed.
          hint: Use `concurrently` to avoid blocking writes.
    notices:
      description: What is not in the scratch database as in the real one.
      type: list
      elements: str
      sample: []
summary:
  description:
    - How many schemas were looked at, and how many were migrated, are pending, up to date, or failed.
    - V(signalled) counts those where nothing was pending and signals were sent all the same, see O(signals).
  returned: success, or when schemas failed
  type: dict
  sample: {failed: 0, migrated: 2, pending: 0, replayed: 0, schemas: 2, signalled: 0, up_to_date: 0}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meatscentral.tenancy.plugins.module_utils._agent import ask
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import TenancyError
from ansible_collections.meatscentral.tenancy.plugins.module_utils._progress import Progress
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import PROJECT_ARGUMENTS, project_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils._report import require_writable, write_report
from ansible_collections.meatscentral.tenancy.plugins.module_utils._result import migration_result
from ansible_collections.meatscentral.tenancy.plugins.module_utils._secrets import secrets_within
from ansible_collections.meatscentral.tenancy.plugins.module_utils._squawk import judge
from ansible_collections.meatscentral.tenancy.plugins.module_utils._tenant_arguments import ONE_TENANT, TENANT_ARGUMENTS
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import migrate_schemas

ARGUMENTS = {
    "scope": {"type": "str", "choices": ["shared", "tenants", "all"], "default": "all"},
    "schemas": {"type": "list", "elements": "str", "default": []},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "migrate_first": {"type": "list", "elements": "str", "default": []},
    "target": {"type": "str"},
    "fake_initial": {"type": "bool", "default": False},
    "executor": {"type": "str", "choices": ["auto", "django"], "default": "auto"},
    "workers": {"type": "int"},
    "shard": {
        "type": "dict",
        "options": {"index": {"type": "int", "required": True}, "of": {"type": "int", "required": True}},
    },
    "run_id": {"type": "str"},
    "lock_wait": {"type": "float", "default": 60},
    "lock_timeout": {"type": "float", "default": 0},
    "statement_timeout": {"type": "float", "default": 0},
    "retries": {"type": "int", "default": 3},
    "max_failures": {"type": "str"},
    "signals": {"type": "str", "choices": ["pending", "always"], "default": "pending"},
    "progress": {"type": "bool", "default": True},
    "report": {"type": "path"},
    "planned": {"type": "list", "elements": "str", "default": []},
    "planned_migrations": {"type": "list", "elements": "str", "default": []},
    "rehearse": {"type": "str", "choices": ["auto", "scratch", "rollback", "none"], "default": "none"},
    "rehearse_rows": {"type": "int", "default": 0},
    "rehearse_skip": {"type": "list", "elements": "str", "default": []},
    "rehearse_tenants": {"type": "list", "elements": "dict", "options": TENANT_ARGUMENTS, **ONE_TENANT},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec={**PROJECT_ARGUMENTS, **ARGUMENTS},
        required_by={"shard": ("run_id",)},
        supports_check_mode=True,
    )
    options = {name: module.params[name] for name in ARGUMENTS}
    report = options["report"]
    try:
        project = project_of(module)
        if report:
            require_writable(report)
        module.no_log_values |= secrets_within(options["rehearse_tenants"] or [])
        request = {**options, "report": bool(report), "check": module.check_mode}
        with Progress() as progress:
            reply = ask(project, migrate_schemas, request, on_event=progress.note)
        judge(reply, options)
        if report:
            write_report(report, reply, module.check_mode)
    except TenancyError as error:
        module.fail_json(msg=str(error), **error.details)
    result = migration_result(reply, module.check_mode, module._diff)
    for warning in reply["warnings"]:
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
