# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The rules of the audit: one a file, and one line here, since a module carries only what is imported.

A rule's file is named as the rule, with ``_`` for ``-``. Its docstring's first line says what it looks for; its function ``findings(evidence)``
yields what it found. Where it asks the evidence for a part that can't be known, it is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Protocol

from . import (
    app_moved,
    column_added_twice,
    domain_case,
    drops_rows,
    environments_differ,
    ghosts,
    history_out_of_order,
    index_made_twice,
    locks_large_table,
    missing_dependency,
    model_registered_twice,
    models_without_migration,
    neighbour_without_tenant,
    not_the_owner,
    number_taken_twice,
    phantoms,
    primary_domain,
    project_loads,
    public_tenant,
    row_level_security,
    rows_left_behind,
    schema_name,
    schema_without_tenant,
    several_leaf_nodes,
    system_checks,
    table_made_twice,
    table_not_there,
    tenancies_mixed,
    tenant_key_index,
    tenant_key_nullable,
    tenant_without_domain,
    tenant_without_schema,
    unrecorded_tables,
    www_domain,
)

if TYPE_CHECKING:
    from ..evidence import Evidence
    from ..findings import Finding


class Rule(Protocol):
    """What the file of a rule has."""

    __name__: str

    def findings(self, evidence: Evidence) -> Iterable[Finding]: ...


def name_of(rule: Rule) -> str:
    """A rule's name, as results, ``ignore`` and the documentation have it."""
    return rule.__name__.rpartition(".")[2].replace("_", "-")


_FILES: tuple[Rule, ...] = (
    project_loads,
    system_checks,
    model_registered_twice,
    missing_dependency,
    several_leaf_nodes,
    number_taken_twice,
    models_without_migration,
    table_made_twice,
    column_added_twice,
    index_made_twice,
    table_not_there,
    tenancies_mixed,
    environments_differ,
    # The database.
    ghosts,
    history_out_of_order,
    app_moved,
    rows_left_behind,
    phantoms,
    unrecorded_tables,
    not_the_owner,
    public_tenant,
    tenant_without_domain,
    primary_domain,
    domain_case,
    www_domain,
    schema_name,
    tenant_without_schema,
    schema_without_tenant,
    # Tenants as rows.
    tenant_key_nullable,
    tenant_key_index,
    neighbour_without_tenant,
    row_level_security,
    # What is pending.
    drops_rows,
    locks_large_table,
)

# By name, in the order in which they look: the code first, then the database.
RULES: dict[str, Rule] = {name_of(rule): rule for rule in _FILES}
