# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A tenant's schema: made, migrated, granted and dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import custom
from .database import quoted
from .errors import DatabaseProblem
from .executor import run_plan
from .fleet import read_fleet
from .outcome import Failure, StopHere

if TYPE_CHECKING:
    from .graph import Graphs
    from .loading import Context
    from .new_schemas import NewSchemas
    from .plan import SchemaPlan

# What "the use of a schema" means, a row for each kind of thing in it: (privileges, GRANT … ON, default privileges' ON).
_GRANTS = (
    ("SELECT, INSERT, UPDATE, DELETE", "ALL TABLES", "TABLES"),
    ("USAGE, SELECT, UPDATE", "ALL SEQUENCES", "SEQUENCES"),
    ("EXECUTE", "ALL FUNCTIONS", "FUNCTIONS"),
)

_LACKING = """
SELECT n.nspname, r.rolname FROM pg_catalog.pg_namespace n CROSS JOIN pg_catalog.pg_roles r
WHERE n.nspname = ANY(%s) AND r.rolname = ANY(%s) AND r.rolname <> current_user AND (
    NOT has_schema_privilege(r.oid, n.oid, 'USAGE')
    OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT (has_table_privilege(r.oid, c.oid, 'SELECT') AND has_table_privilege(r.oid, c.oid, 'INSERT')
            AND has_table_privilege(r.oid, c.oid, 'UPDATE') AND has_table_privilege(r.oid, c.oid, 'DELETE')))
    OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'S'
        AND NOT (has_sequence_privilege(r.oid, c.oid, 'USAGE') AND has_sequence_privilege(r.oid, c.oid, 'SELECT')
            AND has_sequence_privilege(r.oid, c.oid, 'UPDATE')))
    OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE'))
    OR (SELECT count(DISTINCT d.defaclobjtype) FROM pg_catalog.pg_default_acl d, aclexplode(d.defaclacl) acl
        WHERE d.defaclnamespace = n.oid AND acl.grantee = r.oid
        AND d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)) < 3
)
"""


class BuildFailed(Exception):
    """A schema could not be brought to its migrations; the failure says where it stopped."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def one_transaction(context: Context, graphs: Graphs, plan: SchemaPlan) -> bool:
    """Whether a schema can be made in one transaction: every migration is atomic, and Django itself runs them."""
    if custom.own_command(context.tenancy):
        return False
    nodes = graphs.for_recorded(plan.schema.recorded).graph.nodes
    return all(nodes[key].atomic is not False for key in plan.migrations)


def build(context: Context, graphs: Graphs, plan: SchemaPlan, new_schemas: NewSchemas) -> None:
    """Make the schema if it is not there, and run its plan. In a transaction of the caller's it belongs to that.

    :raises BuildFailed: a migration failed.
    """
    from django.db import transaction

    if plan.problem:
        raise BuildFailed(Failure(plan.schema.name, plan.problem.message, hint=plan.problem.hint))
    watch = new_schemas.watch(plan)
    try:
        with context.connection.execute_wrapper(watch):
            if not plan.schema.exists:
                plan = _made(context, graphs, plan)
            if not plan.lines:
                return
            if context.connection.in_atomic_block:
                # A savepoint, so that what save() does after a failure meets a transaction that still works.
                with transaction.atomic(using=context.alias):
                    if plan.schema.exists:
                        run_plan(context, plan, graphs.for_recorded(plan.schema.recorded), watch)
                    else:
                        new_schemas.migrate(plan, watch)
            else:
                run_plan(context, plan, graphs.for_recorded(plan.schema.recorded), watch)
    except StopHere as stop:
        raise BuildFailed(stop.failure) from None
    except Exception as error:
        raise BuildFailed(watch.failure(error)) from error
    finally:
        context.connection.set_schema_to_public()


def _made(context: Context, graphs: Graphs, plan: SchemaPlan) -> SchemaPlan:
    """Make the schema. Where the project's own save() or receivers have made it meanwhile: the plan for what it holds."""
    from .planning import WHOLE, make_plan

    name = plan.schema.name
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE SCHEMA {quoted(name)}")
            return plan
    fleet = read_fleet(context, planned=[name], recorders_of=[name])
    return make_plan(context, graphs, fleet, [replace(fleet.schemas[name], type=plan.schema.type)], WHOLE).schemas[0]


def require_roles(context: Context, roles: set[str]) -> None:
    """See that the roles to grant to exist.

    :raises DatabaseProblem: some do not; they are named.
    """
    if not roles:
        return
    with context.connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY(%s)", [sorted(roles)])
        known = {row[0] for row in cursor.fetchall()}
    unknown = sorted(roles - known)
    if unknown:
        raise DatabaseProblem(
            f"grant_to: there is no role {', '.join(map(repr, unknown))}.",
            hint=f"Create it first: CREATE ROLE {quoted(unknown[0])};",
        )


def lacking_grants(context: Context, schemas: set[str], roles: set[str]) -> set[tuple[str, str]]:
    """The pairs of a schema and a role that lacks a part of the use of it, now or for what will be made in it."""
    if not roles:
        return set()
    with context.connection.cursor() as cursor:
        cursor.execute(_LACKING, [sorted(schemas), sorted(roles)])
        return set(cursor.fetchall())


def grant(context: Context, schema: str, roles: list[str]) -> None:
    """Give roles the use of a schema, of all that is in it, and of all that the current role will make in it."""
    with context.connection.cursor() as cursor:
        for role in map(quoted, roles):
            cursor.execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {role}")
            for privileges, existing, future in _GRANTS:
                cursor.execute(f"GRANT {privileges} ON {existing} IN SCHEMA {quoted(schema)} TO {role}")
                cursor.execute(
                    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {quoted(schema)} GRANT {privileges} ON {future} TO {role}"
                )


def drop(context: Context, schema: str, instance: Any) -> None:
    """Drop a schema and all that is in it. The tenant's own ``pre_drop`` is called before, as django-tenants does."""
    if instance is not None:
        instance.pre_drop()
    with context.connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {quoted(schema)} CASCADE")
