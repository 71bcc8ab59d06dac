# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.custom import _targets, own_command
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.fleet import SchemaState
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.plan import SchemaPlan
from django.test import override_settings


def test_a_projects_own_command_is_told_the_last_migration_of_each_app_in_the_order_of_the_plan() -> None:
    plan = SchemaPlan(
        SchemaState("acme", exists=True),
        migrations=(("carriers", "0001"), ("plants", "0001"), ("carriers", "0002"), ("plants", "0002")),
    )
    assert _targets(plan) == [("carriers", "0002"), ("plants", "0002")]


def test_a_projects_own_way_to_migrate_is_looked_for_under_schema_tenancy_only(tenancy) -> None:  # type: ignore[no-untyped-def]
    with override_settings(TENANT_BASE_MIGRATE_COMMAND="app.command", GET_EXECUTOR_FUNCTION=None):
        assert own_command(tenancy("schema")) == "TENANT_BASE_MIGRATE_COMMAND"
        assert own_command(tenancy("row")) is None
    assert own_command(tenancy("schema")) is None
