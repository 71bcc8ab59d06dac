#!/usr/bin/python
# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_tenant
short_description: Ensure the tenants of a Django project, with their schemas and domains
version_added: 0.1.0
author:
  - The meatscentral.tenancy authors (@meatscentral)
description:
  - Ensures that a tenant of a multi-tenant Django project is there with its row, its schema (made and migrated, under schema tenancy) and its domains,
    or that it is not there.
  - The row and its domains are written through the project's models, so that its signals and its validation run.
  - Row, domains and schema are written in one transaction where every migration is atomic; a failure then leaves nothing.
    Otherwise they are committed in steps, and the next call completes them.
  - A tenant that is only half there (a row without a schema, a schema without a row, a schema half migrated) is completed.
  - Schemas are built by running the migrations. C(TENANT_CREATION_FAKES_MIGRATIONS) and C(TENANT_BASE_SCHEMA) are not used,
    since a clone of a stale template records migrations that never ran.
extends_documentation_fragment:
  - meatscentral.tenancy.project
  - meatscentral.tenancy.project.attributes
  - meatscentral.tenancy.project.attributes_writing
options:
  schema:
    description:
      - Schema tenancy only. Name of the tenant's schema, which tells tenants apart. The public tenant has the name of the public schema.
    type: str
  key:
    description:
      - "Row tenancy only. The field, or fields, and values that tell the tenant apart, for example V({slug: acme})."
    type: dict
  attributes:
    description:
      - Fields of the tenant model and their values, kept so on every run.
      - >-
        A foreign key is given as a mapping that finds the one row it points at, for example V({email: ops@example.com}).
        With C(create) in the mapping, a mapping of further fields, the row is made where there is none.
    type: dict
    default: {}
  defaults:
    description:
      - Fields and values for a creation only; an existing tenant keeps what it has.
      - Fields that the model does not have are left out, and named in the result as C(unused_defaults).
    type: dict
    default: {}
  domains:
    description:
      - The tenant's domains, each a host name or a mapping of C(domain) and C(primary). The one that is marked is the primary one, else the first.
      - Host names are compared and stored in lower case. Under subfolder routing they are folders' names, taken as given.
      - Domains of the tenant that are not declared are kept, unless O(exclusive_domains) is set.
    type: list
    elements: raw
    default: []
  exclusive_domains:
    description:
      - Whether domains of the tenant that are not declared are removed.
    type: bool
    default: false
  move_domains:
    description:
      - Whether a declared domain that belongs to another tenant is moved. Otherwise it is refused.
    type: bool
    default: false
  state:
    description:
      - Whether the tenant is to be there.
      - V(absent) removes the row and its domains. The schema is kept, unless O(drop_schema) and O(confirm) are given.
    type: str
    choices: [present, absent]
    default: present
  drop_schema:
    description:
      - With O(state=absent), drop the schema and all that is in it. O(confirm) has to name it.
    type: bool
    default: false
  confirm:
    description:
      - The name of the schema that is to be dropped.
      - Also the name (the schema's, or the value of the key) of a tenant whose row is to be deleted together with rows of other models
        that would go with it; domains need no confirmation.
    type: str
  grant_to:
    description:
      - Schema tenancy only. Roles that get the use of the tenant's schema, of all that is in it, and of all that will be made in it by the same role.
    type: list
    elements: str
    default: []
  migrate:
    description:
      - Whether the pending migrations of a schema that exists already are applied as well. A new schema is migrated in any case.
      - The role sets V(false), and leaves them to M(meatscentral.tenancy.django_migrate_schemas).
    type: bool
    default: true
  lock_wait:
    description:
      - Seconds to wait for another run on the same database to end. After that the task fails, and says who holds the deploy lock.
    type: float
    default: 60
  progress:
    description:
      - Whether O(tenants), where they take longer than a second, show how it goes on, a line a second at most. With C(-v) each tenant is named as it ends.
      - Nothing is shown in check mode, with C(async) or with C(no_log).
    type: bool
    default: true
  tenants:
    description:
      - A list of such descriptions instead of one. All are checked before anything is written; each is a transaction of its own,
        and one that fails does not stop the others.
    type: list
    elements: dict
    suboptions:
      schema:
        description: As O(schema).
        type: str
      key:
        description: As O(key).
        type: dict
      attributes:
        description: As O(attributes).
        type: dict
        default: {}
      defaults:
        description: As O(defaults).
        type: dict
        default: {}
      domains:
        description: As O(domains).
        type: list
        elements: raw
        default: []
      exclusive_domains:
        description: As O(exclusive_domains).
        type: bool
        default: false
      move_domains:
        description: As O(move_domains).
        type: bool
        default: false
      state:
        description: As O(state).
        type: str
        choices: [present, absent]
        default: present
      drop_schema:
        description: As O(drop_schema).
        type: bool
        default: false
      confirm:
        description: As O(confirm).
        type: str
      grant_to:
        description: As O(grant_to).
        type: list
        elements: str
        default: []
      migrate:
        description: As O(migrate).
        type: bool
        default: true
seealso:
  - module: meatscentral.tenancy.django_migrate_schemas
  - module: meatscentral.tenancy.django_tenant_info
"""

EXAMPLES = r"""
- name: Ensure the public tenant and the domain of this environment
  meatscentral.tenancy.django_tenant:
    project: /srv/app
    python: /srv/app/venv/bin/python
    settings: config.settings.prod
    environment_file: /etc/app/environment
    schema: public
    defaults:
      name: Public
      paid_until: "2099-12-31"
      on_trial: false
    domains:
      - meatscentral.com

- name: Ensure two tenants in one call
  meatscentral.tenancy.django_tenant:
    project: /srv/app
    python: [docker, exec, -i, backend, python]
    tenants:
      - schema: acme
        attributes:
          name: Acme Meats
        defaults:
          paid_until: "2099-12-31"
        domains:
          - acme.meatscentral.com
          - domain: www.acme-meats.example
      - schema: globex
        attributes:
          name: Globex
          owner:
            email: ops@globex.example
            create:
              username: ops
        domains:
          - globex.meatscentral.com

- name: Ensure a tenant that is a row
  meatscentral.tenancy.django_tenant:
    project: /srv/rows
    python: /srv/rows/venv/bin/python
    key:
      slug: acme
    attributes:
      name: Acme Meats
    domains:
      - acme.example.com

- name: Remove a tenant for good
  meatscentral.tenancy.django_tenant:
    project: /srv/app
    python: /srv/app/venv/bin/python
    schema: acme
    state: absent
    drop_schema: true
    confirm: acme
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
  sample: "acme: create the row; create the schema acme; apply 33 migrations; add the domain acme.localhost."
tenants:
  description: A line for each declared tenant.
  returned: success, or when tenants failed
  type: list
  elements: dict
  contains:
    tenant:
      description: The schema's name, or under row tenancy the value of the key.
      type: str
      sample: acme
    state:
      description: What became of it.
      type: str
      sample: created
    actions:
      description: What was done, or in check mode would be done, in order; of a tenant that failed, what was to be done.
      type: list
      elements: str
      sample: [create the row, create the schema acme, apply 33 migrations, add the domain acme.localhost]
    migrations:
      description: The migrations among it.
      type: list
      elements: str
      sample: [contenttypes.0001_initial]
    domains:
      description: The declared domains, or those that it has where none is declared.
      type: list
      elements: str
      sample: [acme.localhost]
    unused_defaults:
      description: Names in O(defaults) that the model does not have.
      type: list
      elements: str
      sample: [paid_until]
    error:
      description:
        - Why it failed, with migration, statement, SQLSTATE and message where the database refused.
        - The C(hint) says as well whether something of the tenant was written.
      returned: when the tenant failed
      type: dict
      sample: {message: 'column "grade" of relation "plants_plant" already exists', migration: plants.0002_grade, sqlstate: "42701"}
summary:
  description: How many tenants were V(created), V(updated), V(unchanged), V(removed), V(absent) already, or V(failed).
  returned: success, or when tenants failed
  type: dict
  sample: {absent: 0, created: 2, failed: 0, removed: 0, unchanged: 1, updated: 0}
planned:
  description:
    - The tenants that this task makes or completes.
    - In check mode, hand them to later tasks as O(meatscentral.tenancy.django_migrate_schemas#module:planned).
  returned: success, or when tenants failed
  type: list
  elements: str
  sample: [acme]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meatscentral.tenancy.plugins.module_utils._agent import ask
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import TenancyError
from ansible_collections.meatscentral.tenancy.plugins.module_utils._progress import Progress
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import PROJECT_ARGUMENTS, project_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils._result import tenant_result
from ansible_collections.meatscentral.tenancy.plugins.module_utils._secrets import secrets_within
from ansible_collections.meatscentral.tenancy.plugins.module_utils._tenant_arguments import ONE_TENANT, TENANT_ARGUMENTS
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import ensure_tenants


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **PROJECT_ARGUMENTS,
            **TENANT_ARGUMENTS,
            "lock_wait": {"type": "float", "default": 60},
            "progress": {"type": "bool", "default": True},
            "tenants": {
                "type": "list",
                "elements": "dict",
                "options": TENANT_ARGUMENTS,
                **ONE_TENANT,
            },
        },
        required_one_of=[("schema", "key", "tenants")],
        mutually_exclusive=[("schema", "key", "tenants")],
        supports_check_mode=True,
    )
    declared = module.params["tenants"]
    if declared is None:
        declared = [{name: module.params[name] for name in TENANT_ARGUMENTS}]
    try:
        project = project_of(module)
        module.no_log_values |= secrets_within(declared)
        options = {"tenants": declared, "check": module.check_mode, "lock_wait": module.params["lock_wait"]}
        with Progress() as progress:
            reply = ask(project, ensure_tenants, options, on_event=progress.note)
    except TenancyError as error:
        module.fail_json(msg=str(error), **error.details)
    result = tenant_result(reply, module.check_mode, module._diff)
    for warning in reply["warnings"]:
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
