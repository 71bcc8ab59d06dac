# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that the collection's modules share."""

from __future__ import annotations


class ModuleDocFragment:
    # The options that say where a project is and how it runs; module_utils/_project.py has their argument spec.
    DOCUMENTATION = r"""
options:
  project:
    description:
      - Directory of the Django project, where C(manage.py) is, as the project's Python sees it (inside the container, if it runs in one).
      - Any other directory will do from which the settings can be imported.
    type: path
    required: true
  python:
    description:
      - The Python that the project runs with.
      - Either the absolute path of an interpreter, usually that of the project's virtual environment,
        or a list of words, a command prefix that starts one,
        for example V([docker, exec, -i, backend, python]) or V([sudo, -u, app, /srv/app/venv/bin/python]).
      - The prefix is run without a shell and has to pass on standard input. Nothing is installed or written on the other side.
      - There is no fall back to another interpreter.
    type: raw
    required: true
  settings:
    description:
      - Dotted name of the settings module.
      - Without it, E(DJANGO_SETTINGS_MODULE) of O(environment) or O(environment_file) is used, else what C(manage.py) sets.
    type: str
  environment:
    description:
      - Environment variables for the project. They reach it on standard input, through a command prefix as well.
      - Values are masked wherever they would be shown, but for those too short to be masked
        and those whose variable's name says that they are harmless, such as C(..._HOST) or C(..._PORT).
    type: dict
    default: {}
  environment_file:
    description:
      - Files on the managed node with lines C(KEY=value), as systemd, Docker and django-environ read them. Later files win, and O(environment) wins over all.
    type: list
    elements: path
    default: []
  database:
    description:
      - Alias of the database in C(DATABASES).
      - Without it, C(TENANT_DB_ALIAS) under schema tenancy, else V(default).
    type: str
  timeout:
    description:
      - Seconds after which the work is stopped. What was committed by then is recorded, and the next run goes on from there.
      - V(0) sets no limit.
    type: int
    default: 3600
  session_role:
    description:
      - A PostgreSQL role to act as (C(SET ROLE)), so that what is made belongs to the right owner.
    type: str
  tenant_model:
    description:
      - The tenant model, as C(app_label.Model). Without it, C(TENANT_MODEL) of the settings is used.
      - Where tenants are rows of one schema and there is no such setting, it is the model called C(Tenant),
        or the one that foreign keys called C(tenant) point at. More than one candidate is an error that names them.
    type: str
  domain_model:
    description:
      - The domain model, as C(app_label.Model). Without it, C(TENANT_DOMAIN_MODEL) of the settings is used.
      - Where tenants are rows of one schema and there is no such setting, it is found by its foreign key to the tenant model.
    type: str
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/meatscentral.tenancy.tenancy) in C(module_defaults) to set the options that all modules share.
    support: full
    membership:
      - meatscentral.tenancy.tenancy
  async:
    description: Supports being run with the C(async) keyword.
    support: full
  platform:
    description: Target platforms of the module.
    platforms: posix
    support: full
"""

    # For modules that write.
    ATTRIBUTES_WRITING = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, in which nothing is written to the database, and says what would be done.
    support: full
  diff_mode:
    description: Returns what is different before and after.
    support: full
  idempotent:
    description: Run again under the same conditions, it changes nothing.
    support: full
"""

    # For modules that only gather facts.
    ATTRIBUTES_READING = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode. Nothing is written in either mode.
    support: full
  diff_mode:
    description: Returns what is different before and after.
    support: N/A
    details:
      - This module changes nothing.
  idempotent:
    description: Run again under the same conditions, it changes nothing.
    support: full
"""
