#!/usr/bin/python
# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_tenant_info
short_description: Gather what a multi-tenant Django project has of tenants, schemas and pending migrations
version_added: 0.1.0
author:
  - The meatscentral.tenancy authors (@meatscentral)
description:
  - Gathers the tenancy that a project uses, its models and their fields, its tenants with their domains, its schemas, what is pending where,
    and which tables that the models need are not where they should be.
  - Nothing is written.
extends_documentation_fragment:
  - meatscentral.tenancy.project
  - meatscentral.tenancy.project.attributes
  - meatscentral.tenancy.project.attributes_reading
options:
  schemas:
    description:
      - Look at these schemas only. One that the fleet does not have is returned in RV(unknown).
    type: list
    elements: str
    default: []
seealso:
  - module: meatscentral.tenancy.django_tenant
  - module: meatscentral.tenancy.django_migrate_schemas
"""

EXAMPLES = r"""
- name: Gather the tenants and what is pending
  meatscentral.tenancy.django_tenant_info:
    project: /srv/app
    python: /srv/app/venv/bin/python
    settings: config.settings.prod
    environment_file: /etc/app/environment
  register: status

- name: Show it
  ansible.builtin.debug:
    msg: "{{ status.msg }}"
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
  description: The counts, in a sentence.
  returned: always
  type: str
  sample: 3 tenants, 0 schemas with pending migrations, 0 tables missing.
database_id:
  description:
    - Tells whether hosts work on the same database, whatever name or address each has for it.
    - It changes with the next start of the database server. Null where the database is a file of the host.
  returned: success
  type: str
  sample: 0f3c6b1d9a27e584
project:
  description:
    - The settings module, and which database it works on as which role.
    - As C(facts) what of the settings and packages makes the tenancy, that is engine, routers, middleware that names tenants, models, the lists of
      apps (those with tables), and versions.
    - O(meatscentral.tenancy.django_tenancy_check#module:compare) compares the facts of several environments.
  returned: success
  type: dict
  sample:
    settings: config.settings.prod
    database: {alias: default, name: app, role: app_deploy}
    facts:
      ENGINE: django_tenants.postgresql_backend
      DATABASE_ROUTERS: [django_tenants.routers.TenantSyncRouter]
      MIDDLEWARE: [django_tenants.middleware.main.TenantMainMiddleware]
      TENANT_MODEL: tenants.Client
      TENANT_DOMAIN_MODEL: tenants.Domain
      PUBLIC_SCHEMA_NAME: null
      AUTH_USER_MODEL: auth.User
      SHARED_APPS: [django.contrib.auth, django.contrib.contenttypes, tenants]
      TENANT_APPS: [carriers, django.contrib.contenttypes]
      Django: 5.2.19
      django-tenants: 4.0.1
versions:
  description: Versions of Python, Django, django-tenants (under schema tenancy), the database driver and the server.
  returned: success
  type: dict
  sample: {django: 5.2.19, django_tenants: 4.0.1, driver: psycopg 3.3.9, python: 3.11.7, server: postgresql 18.6}
models:
  description: The tenant model and the domain model (null where there is none), with label, table and fields.
  returned: success
  type: dict
  sample:
    domain: null
    tenant:
      label: tenants.Client
      table: tenants_client
      fields:
        - {"name": "name", "null": false, "required": true, "type": "CharField", "unique": false}
tenants:
  description: >-
    The tenants, each with its name (the schema's, or under row tenancy its slug, name or code), the fields whose columns exist, its domains,
    and under schema tenancy its schema and whether it exists.
  returned: success
  type: list
  elements: dict
  sample:
    - tenant: acme
      schema: acme
      exists: true
      attributes: {name: Acme Meats, schema_name: acme}
      domains:
        - {domain: acme.localhost, primary: true}
schemas:
  description: Every schema of the fleet, the public one first, with the number of migrations that are recorded and pending there.
  returned: success
  type: list
  elements: dict
  sample:
    - {exists: true, pending: 0, recorded: 33, schema: public}
pending:
  description: What is pending where, schemas with the same migrations as one entry.
  returned: success
  type: list
  elements: dict
  sample:
    - count: 1
      migrations: [plants.0004_dock]
      schemas: [acme]
problems:
  description: The schemas that can't be migrated as they are, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - schema: globex
      message: The tenant 'globex' has a row, but its schema does not exist.
      hint: Make it with the task meatscentral.tenancy.django_tenant
missing:
  description:
    - The tables that the models need, that are not there though a migration makes them, and none that is pending, as C(schema.table).
    - A table that no migration makes is not among them. M(meatscentral.tenancy.django_tenancy_check) says that the models are ahead of their migrations.
  returned: success
  type: list
  elements: str
  sample: [acme.carriers_carrier]
orphans:
  description: Schemas that have recorded migrations, and no tenant's row.
  returned: success
  type: list
  elements: str
  sample: [initech]
unknown:
  description: Names in O(schemas) that the fleet does not have.
  returned: success
  type: list
  elements: str
  sample: []
summary:
  description: The counts.
  returned: success
  type: dict
  sample: {missing: 0, orphans: 0, pending: 0, problems: 0, schemas: 3, tenants: 3}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meatscentral.tenancy.plugins.module_utils._agent import ask
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import TenancyError
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import PROJECT_ARGUMENTS, project_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils._result import info_result
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import describe


def main() -> None:
    module = AnsibleModule(
        argument_spec={**PROJECT_ARGUMENTS, "schemas": {"type": "list", "elements": "str", "default": []}},
        supports_check_mode=True,
    )
    try:
        project = project_of(module)
        reply = ask(project, describe, {"schemas": module.params["schemas"]})
    except TenancyError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**info_result(reply))


if __name__ == "__main__":
    main()
