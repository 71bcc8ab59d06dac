# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a rehearsal goes through: which schemas stand for which, and which steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from .planning import SHARED, TENANTS, WHOLE

if TYPE_CHECKING:
    from .plan import SchemaPlan

_LIKE = 5


@dataclass(frozen=True)
class Standing:
    """A schema that is rehearsed, and all that are as it is, itself included."""

    plan: SchemaPlan
    names: tuple[str, ...]

    @property
    def schema(self) -> str:
        return self.plan.schema.name

    def as_reply(self) -> dict[str, object]:
        others = [name for name in self.names if name != self.schema]
        return {"schema": self.schema, "stands_for": len(self.names), "like": others[:_LIKE]}


def standing_for_all(plans: Iterable[SchemaPlan], structures: Mapping[str, str]) -> list[Standing]:
    """One schema of each state: what is recorded, the tenant's type, the structure.

    :param structures: the fingerprint of each schema.
    """
    by_state: dict[Any, list[SchemaPlan]] = {}
    for plan in plans:
        schema = plan.schema
        key = (schema.recorded, schema.has_recorder, schema.type, structures.get(schema.name, ""))
        by_state.setdefault(key, []).append(plan)
    return [Standing(members[0], tuple(plan.schema.name for plan in members)) for members in by_state.values()]


# Options of a run that say which schemas or migrations it is about; another task of the play has its own.
_OWN: dict[str, Any] = {**WHOLE, "schemas": [], "exclude": [], "fake_initial": False}


def steps(options: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What is rehearsed: the tasks of the play, ``migrate`` with the options of each or ``tenants``, and at last a ``newcomer``.

    Without ``rehearse_tenants`` it is this task alone.
    """
    if options.get("rehearse_tenants") is None:
        return [("migrate", options)]
    own = options["scope"]
    later = {**options, **_OWN, "fake_initial": options["fake_initial"]}
    shared = {**(later if own == TENANTS else options), "scope": SHARED, "schemas": [], "exclude": []}
    # The public schema is done by then, and its tenant is a matter of the tenants' step.
    tenants = {**(later if own == SHARED else options), "scope": "all"}
    return [("migrate", shared), ("tenants", options), ("migrate", tenants), ("newcomer", tenants)]


_STATEMENT_LENGTH = 200


def failed_message(failures: list[dict[str, Any]]) -> str:
    """What a failed rehearsal found, in a sentence or two.

    :param failures: each as a run's failures have it, with ``stands_for``.
    """
    first = failures[0]
    others = int(first.get("stands_for", 1)) - 1
    like = f", like {others} {'other' if others == 1 else 'others'}," if others else ""
    what = ", ".join(filter(None, [first.get("operation"), first.get("place")]))
    migration = first.get("migration")
    subject = f"{migration}{f' ({what})' if what else ''} would fail in" if migration else "it would fail for"
    parts = [
        f"The rehearsal failed, so nothing was written: {subject} {first['schema']}{like} with: {first['message']}"
    ]
    if first.get("sqlstate"):
        parts.append(f"(SQLSTATE {first['sqlstate']})")
    if first.get("statement"):
        parts.append(f"in: {' '.join(first['statement'].split())[:_STATEMENT_LENGTH]}")
    if len(failures) > 1:
        parts.append(f"(and {len(failures) - 1} more, in rehearsal.failures)")
    if first.get("hint"):
        parts[-1] += "" if parts[-1].endswith((".", "?", "!")) else "."
        parts.append(first["hint"])
    return " ".join(parts)
