# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The kinds of schemas that a project has: those of one kind are routed alike, whether or not one exists yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fleet import Fleet, SchemaState
    from .loading import Context

# Routers only compare it with the public schema's.
_NOBODYS = "tenant"


@dataclass(frozen=True)
class SchemaKind:
    """The public schema, or those of tenants, under several types those of one type.

    ``schema`` is the name of one of them, which need not exist; ``type`` that of the tenants; ``words`` names them in a sentence.
    """

    schema: str
    type: str | None
    public: bool
    words: str

    def has(self, state: SchemaState, fleet: Fleet) -> bool:
        """Whether a schema is of this kind."""
        if self.public or state.name == fleet.public:
            return self.public and state.name == fleet.public
        return self.type is None or state.type == self.type


def schema_kinds(context: Context, fleet: Fleet) -> list[SchemaKind]:
    """The public schema first. Under row tenancy there is no other."""
    from django.conf import settings

    tenancy = context.tenancy
    if not tenancy.by_schema:
        return [SchemaKind(fleet.public, None, True, "the database")]
    types: list[str | None] = [None]
    if tenancy.type_field:
        types = [name for name in settings.TENANT_TYPES if name != tenancy.public_schema]
    kinds = [SchemaKind(fleet.public, None, True, "the public schema")]
    for tenant_type in types:
        names = [state.name for state in fleet.tenant_schemas if tenant_type in (None, state.type)]
        words = "tenants' schemas" if tenant_type is None else f"schemas of the tenant type {tenant_type}"
        kinds.append(SchemaKind((names or [_NOBODYS])[0], tenant_type, False, words))
    return kinds
