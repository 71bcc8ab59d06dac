#!/usr/bin/python
# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_tenancy_check
short_description: Audit a multi-tenant Django project and its database before they are deployed
version_added: 0.1.0
author:
  - The meatscentral.tenancy authors (@meatscentral)
description:
  - Looks at the code, the migrations, the settings, every tenant and every schema with one rule after the other, and returns what is wrong as RV(findings),
    each with a place, a sentence and a hint.
  - An C(error) is what would make this deploy fail, lose rows, or put something into the wrong schema. A C(warning) is wrong, but would go through.
    A C(notice) is worth knowing.
  - Nothing is written. On PostgreSQL the session is read-only, so that the project's own code can't write either.
  - Like M(community.general.django_check) it fails the task where something is found; O(fail_on) says from which severity on.
  - The guide on the audit describes every rule, with an example and what to do.
extends_documentation_fragment:
  - meatscentral.tenancy.project
  - meatscentral.tenancy.project.attributes
  - meatscentral.tenancy.project.attributes_reading
options:
  fail_on:
    description:
      - From which severity on a finding fails the task. V(warning) fails on errors too, V(never) only returns what was found.
    type: str
    choices: [error, warning, never]
    default: error
  ignore:
    description:
      - Findings that are known and meant, each as C(rule), or as C(rule:place), where the place may hold V(*) and V(?).
      - They are counted in RV(summary), and not returned.
    type: list
    elements: str
    default: []
  rules:
    description:
      - Look with these rules only.
    type: list
    elements: str
    default: []
  planned:
    description:
      - Tenants that later tasks of the play ensure, by the name of their schema. What they lack now is not wrong.
      - Where tenants are rows, each by the values of its C(key), with a comma and a blank between several.
    type: list
    elements: str
    default: []
  planned_public:
    description:
      - Whether a later task of the play ensures the public tenant, whatever its schema is called.
      - Where tenants are rows there is none, and this changes nothing.
    type: bool
    default: false
  domain:
    description:
      - The domain that the public tenant has in this environment.
      - Without it, any domain of the public tenant will do.
    type: str
  fake_initial:
    description:
      - Whether the deploy is run with C(fake_initial), so that tables of initial migrations may be there already.
    type: bool
    default: false
  large_table:
    description:
      - From how many rows on a table is large, so that a statement that rewrites or locks it is worth a warning.
    type: int
    default: 100000
  compare:
    description:
      - Other environments of the project, by the name that findings give them, each with what M(meatscentral.tenancy.django_tenant_info) returns there as
        RV(meatscentral.tenancy.django_tenant_info#module:project).
      - What makes the tenancy has to be the same in all of them. Hosts, names and secrets are neither compared nor returned.
    type: dict
    default: {}
  compare_settings:
    description:
      - Other settings modules of the same project, which are loaded in turn and compared likewise, with the same O(environment).
    type: list
    elements: str
    default: []
seealso:
  - module: meatscentral.tenancy.django_migrate_schemas
  - module: meatscentral.tenancy.django_tenant_info
"""

EXAMPLES = r"""
- name: Look for what would make the deploy fail
  meatscentral.tenancy.django_tenancy_check:
    project: /srv/app
    python: /srv/app/venv/bin/python
    settings: config.settings.prod
    environment_file: /etc/app/environment
    planned_public: true
    domain: example.com

- name: Look again, with a table that may be dropped
  meatscentral.tenancy.django_tenancy_check:
    project: /srv/app
    python: /srv/app/venv/bin/python
    fail_on: warning
    ignore:
      - drops-rows:*.plants_olddock
      - number-taken-twice

- name: Look whether the settings of two environments agree
  meatscentral.tenancy.django_tenancy_check:
    project: /srv/app
    python: /srv/app/venv/bin/python
    settings: config.settings.prod
    rules: [environments-differ]
    fail_on: warning
    compare_settings: [config.settings.uat]
    compare:
      "the staging host": "{{ hostvars['staging'].status.project }}"
"""

RETURN = r"""
msg:
  description: How much was found, and the worst of it, in a sentence.
  returned: always
  type: str
  sample: No errors, 1 warning, no notices.
tenancy:
  description: How the project keeps its tenants apart, as RV(meatscentral.tenancy.django_tenant_info#module:tenancy). Empty where the project does not load.
  returned: when the rules have looked
  type: dict
  sample:
    kind: schema
    database: default
    engine: django_tenants.postgresql_backend
    router: [django_tenants.routers.TenantSyncRouter]
    tenant_model: tenants.Client
    domain_model: tenants.Domain
    public_schema: public
findings:
  description: What is wrong, the worst first.
  returned: when the rules have looked
  type: list
  elements: dict
  contains:
    rule:
      description: The rule that found it.
      type: str
      sample: several-leaf-nodes
    severity:
      description: V(error), V(warning) or V(notice).
      type: str
      sample: error
    place:
      description: A file and line, or a schema, table and column.
      type: str
      sample: plants/migrations/0004_dock.py:6
    message:
      description: What is wrong, in a sentence.
      type: str
      sample: "The app plants has 2 leaf migrations, 0004_berth, 0004_dock: there is no one state to migrate to."
    hint:
      description: What to do.
      type: str
      sample: Run 'manage.py makemigrations --merge' in the project, review the merge migration, and release it.
    schemas:
      description: The schemas that it holds for, the first twenty of them, where it is of schemas.
      type: list
      elements: str
      sample: []
    count:
      description: How many schemas it holds for.
      type: int
      sample: 0
rules:
  description: How many seconds each rule took, without reading what it looks at.
  returned: when the rules have looked
  type: dict
  sample: {"project-loads": 0.0, "several-leaf-nodes": 0.0003}
reading:
  description: How many seconds it took to read what the rules look at, by part.
  returned: when the rules have looked
  type: dict
  sample: {"fleet": 0.021, "loader": 0.018}
not_run:
  description: The rules that could not look, and why. Another rule names the cause, or the rule itself could not cope with the project and the others looked.
  returned: when the rules have looked
  type: dict
  sample: {}
summary:
  description: How many findings of each severity there are, and how many were ignored.
  returned: when the rules have looked
  type: dict
  sample: {error: 1, ignored: 0, notice: 0, warning: 0}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meatscentral.tenancy.plugins.module_utils._agent import ask
from ansible_collections.meatscentral.tenancy.plugins.module_utils._audit_result import audit_result
from ansible_collections.meatscentral.tenancy.plugins.module_utils._environments import facts_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import TenancyError
from ansible_collections.meatscentral.tenancy.plugins.module_utils._project import PROJECT_ARGUMENTS, project_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import check_tenancy

ARGUMENTS = {
    "fail_on": {"type": "str", "choices": ["error", "warning", "never"], "default": "error"},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "rules": {"type": "list", "elements": "str", "default": []},
    "planned": {"type": "list", "elements": "str", "default": []},
    "planned_public": {"type": "bool", "default": False},
    "domain": {"type": "str"},
    "fake_initial": {"type": "bool", "default": False},
    "large_table": {"type": "int", "default": 100000},
    "compare": {"type": "dict", "default": {}},
    "compare_settings": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    module = AnsibleModule(argument_spec={**PROJECT_ARGUMENTS, **ARGUMENTS}, supports_check_mode=True)
    options = {name: module.params[name] for name in ARGUMENTS}
    try:
        project = project_of(module)
        options["compare"] = {**options["compare"], **facts_of(project, options.pop("compare_settings"))}
        reply = ask(project, check_tenancy, options)
    except TenancyError as error:
        module.fail_json(msg=str(error), **error.details)
    result = audit_result(reply, options["fail_on"])
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
