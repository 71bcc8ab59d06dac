# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Row-level security holds for the application, has policies, and lets the deploying role do its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator

from ..database import qualified, quoted
from ..findings import ERROR, WARNING, Finding, schemas_in_words
from ..remedies import in_each
from ..row_security import Secured, read_secured, try_reading
from ..touched import code_on

if TYPE_CHECKING:
    from ..evidence import Evidence


@dataclass(frozen=True)
class _Fault:
    """What is wrong with a table, apart from the schema that it stands in; ``code`` names the pending code that meets it."""

    kind: str
    table: str
    said: str = ""
    code: str = ""


def findings(evidence: Evidence) -> Iterator[Finding]:
    connection = evidence.context.connection
    secured = read_secured(connection, [name for name, state in evidence.fleet.schemas.items() if state.exists])
    if not secured:
        return
    effects = {
        name: evidence.pending_effects.get(cohort.first.name, [])
        for cohort in evidence.cohorts
        for name in cohort.names
    }
    met = try_reading(connection, [item for item in secured if item.holds and item.policies and item.filled])
    found: dict[_Fault, list[Secured]] = {}
    for item in secured:
        code = code_on(effects.get(item.schema, ()), item.table) if item.holds else None
        named = f"{code.name} ({code.place})" if code else ""
        for fault in _faults(item, named, item in met, met.get(item) or ""):
            found.setdefault(fault, []).append(item)
    for fault, items in found.items():
        first, schemas = items[0], [item.schema for item in items]
        name = qualified(connection, first.schema, first.table)
        severity, message, hint = _SAID[fault.kind](fault, first, name)
        more = f" The same in {schemas_in_words(schemas[1:])}." if len(schemas) > 1 else ""
        yield Finding(severity, f"{first.schema}.{first.table}", message + more, in_each(schemas) + hint, schemas)


def _faults(item: Secured, code: str, failed: bool, said: str) -> Iterator[_Fault]:
    if not item.policies:
        yield _Fault("no_policy", item.table, code=code)
    elif item.passed_by_owner and item.login_owns:
        yield _Fault("passed", item.table)
    if failed:
        yield _Fault("raises" if said else "hides", item.table, said, code)


def _no_policy(fault: _Fault, item: Secured, name: str) -> tuple[str, str, str]:
    who = (
        f"so that {item.role}, which deploys, can neither read nor write a row"
        if item.holds
        else "so that whoever is not its owner sees no row of it"
    )
    return (
        ERROR if fault.code else WARNING,
        f"{item.schema}.{item.table} has row-level security enabled, but no policy, {who}{_used(fault)}.",
        f"Give it a policy (CREATE POLICY … ON {name} …), or take it off: ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;",
    )


def _passed(fault: _Fault, item: Secured, name: str) -> tuple[str, str, str]:
    who = f"{item.login}, which the project logs in as, has the rights of the table's owner and passes every policy"
    other = f"If the application logs in as another role, without those rights, ignore: ['row-level-security:*.{item.table}']"
    return (
        WARNING,
        f"{item.schema}.{item.table} has row-level security enabled, but not forced: {who}.",
        f"Run: ALTER TABLE {name} FORCE ROW LEVEL SECURITY; {other}",
    )


def _hides(fault: _Fault, item: Secured, name: str) -> tuple[str, str, str]:
    return (
        ERROR if fault.code else WARNING,
        f"{item.schema}.{item.table} holds rows, but its policies show none of them to {item.role}, which deploys{_used(fault)}.",
        _other_role(item),
    )


def _raises(fault: _Fault, item: Secured, name: str) -> tuple[str, str, str]:
    return (
        ERROR if fault.code else WARNING,
        f"{item.role}, which deploys, can't read {item.schema}.{item.table}, since a policy fails: {fault.said.rstrip('.')}{_used(fault)}.",
        f"Let the policy bear that nothing is set, with current_setting('…', true) and nullif(…, ''), or: {_other_role(item)}",
    )


def _used(fault: _Fault) -> str:
    return f"; {fault.code} works on its rows" if fault.code else ""


def _other_role(item: Secured) -> str:
    """The attribute is not inherited: whoever logs in as before is held as before."""
    grant = f"GRANT {quoted(item.owner)} TO tenancy_deploy;"
    if item.owner != item.login:
        return (
            f"Deploy as a role that passes: CREATE ROLE tenancy_deploy BYPASSRLS; {grant} GRANT tenancy_deploy TO {quoted(item.login)};"
            " and set session_role (tenancy_session_role) to tenancy_deploy."
        )
    # It can't be a member of its own member.
    rights = " ".join(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE tenancy_deploy GRANT ALL ON {what} TO {quoted(item.owner)};"
        for what in ("TABLES", "SEQUENCES")
    )
    return (
        f"Let the deploy log in as a role that passes: CREATE ROLE tenancy_deploy LOGIN BYPASSRLS PASSWORD '…'; {grant} {rights}"
        " and give its connection in environment (tenancy_environment)."
    )


_SAID = {"no_policy": _no_policy, "passed": _passed, "hides": _hides, "raises": _raises}
