# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How a task describes a tenant."""

from __future__ import annotations

from typing import Any

TENANT_ARGUMENTS: dict[str, Any] = {
    "schema": {"type": "str"},
    "key": {"type": "dict", "no_log": False},
    "attributes": {"type": "dict", "default": {}},
    "defaults": {"type": "dict", "default": {}},
    "domains": {"type": "list", "elements": "raw", "default": []},
    "exclusive_domains": {"type": "bool", "default": False},
    "move_domains": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "drop_schema": {"type": "bool", "default": False},
    "confirm": {"type": "str"},
    "grant_to": {"type": "list", "elements": "str", "default": []},
    "migrate": {"type": "bool", "default": True},
}

# Which options of it go together.
ONE_TENANT: dict[str, Any] = {
    "required_one_of": [("schema", "key")],
    "mutually_exclusive": [("schema", "key")],
}
