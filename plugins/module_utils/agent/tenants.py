# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tenants as the database has them, what separates them from what is declared, and the steps between."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import OptionProblem
from .fields import ForeignRow, Values, is_secret, same, settable_fields
from .fleet import NOTHING, in_public
from .routing import CurrentDomain, domain_rows, fields_there, read_domains, tenant_names

if TYPE_CHECKING:
    from .desired import Desired
    from .fleet import Recorded
    from .loading import Context
    from .plan import SchemaPlan
    from .routing import Columns


@dataclass
class Current:
    """One tenant as it is. ``row`` holds the fields whose columns exist; None where there is no row.

    ``claimed`` are declared domains that belong to other tenants, with the owner's name.
    """

    row: dict[str, Any] | None = None
    pk: Any = None
    domains: list[CurrentDomain] = field(default_factory=list)
    claimed: dict[str, tuple[CurrentDomain, str]] = field(default_factory=dict)
    schema_exists: bool = False
    recorded: Recorded = NOTHING
    has_recorder: bool = False
    grants_missing: list[str] = field(default_factory=list)


@dataclass
class Steps:
    """What has to be done for one tenant: the only source of ``changed``, of the diff and of the list of actions."""

    create: bool = False
    delete: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    add_domains: list[str] = field(default_factory=list)
    move_domains: dict[str, str] = field(default_factory=dict)
    rename_domains: dict[str, str] = field(default_factory=dict)
    remove_domains: list[str] = field(default_factory=list)
    primary: str | None = None
    set_primary: bool = False
    make_schema: bool = False
    finish_schema: bool = False
    drop_schema: bool = False
    migrations: tuple[str, ...] = ()
    grants: list[str] = field(default_factory=list)

    @property
    def touches_domains(self) -> bool:
        return bool(
            self.add_domains or self.move_domains or self.rename_domains or self.remove_domains or self.set_primary
        )

    @property
    def builds_schema(self) -> bool:
        return bool(self.make_schema or self.migrations)

    def __bool__(self) -> bool:
        return bool(
            self.create
            or self.delete
            or self.changes
            or self.touches_domains
            or self.builds_schema
            or self.drop_schema
            or self.grants
        )


@dataclass
class Work:
    """One tenant on its way: what is declared, what is there, the values, and the steps between.

    A misfit is one whose key does not fit the model, so that no row can be looked for.
    """

    desired: Desired
    misfit: bool = False
    current: Current = field(default_factory=Current)
    values: Values = field(default_factory=Values)
    plan: SchemaPlan | None = None
    steps: Steps = field(default_factory=Steps)
    error: dict[str, object] | None = None

    @property
    def schema(self) -> str:
        return self.desired.schema or ""


def decide(
    desired: Desired,
    current: Current,
    values: Values,
    pending: tuple[str, ...],
    fields: dict[str, Any],
    marks_primary: bool = True,
) -> Steps:
    """The steps from what is to what is declared. Pure.

    :param pending: the migrations that the tenant's schema lacks, as results name them; empty under row tenancy.
    :param fields: the tenant model's settable fields, by name.
    :param marks_primary: whether the domain model has a field that says which domain is primary.
    """
    steps = Steps()
    if not desired.present:
        steps.delete = current.row is not None
        steps.drop_schema = desired.drop_schema and current.schema_exists
        return steps
    if current.row is None:
        steps.create = True
        steps.values = {**values.defaults, **values.attributes}
    else:
        for name, value in values.attributes.items():
            old = current.row.get(name)
            if not _equal(fields[name], old, value):
                steps.changes[name] = (old, value)
    _decide_domains(desired, current, steps, marks_primary)
    if desired.schema:
        steps.make_schema = not current.schema_exists
        if steps.make_schema or desired.migrate:
            steps.migrations = pending
        steps.grants = list(desired.grant_to) if steps.make_schema else list(current.grants_missing)
        # Where the making of the tenant was cut short after its schema began, what follows on it is still due.
        steps.finish_schema = steps.make_schema or (
            bool(steps.migrations) and (not current.has_recorder or bool(desired.domains and not current.domains))
        )
    return steps


def _equal(item: Any, old: Any, new: Any) -> bool:
    if isinstance(new, ForeignRow):
        return new.value is not None and str(old) == str(new.value)
    return same(item, old, new)


def _decide_domains(desired: Desired, current: Current, steps: Steps, marks_primary: bool) -> None:
    have = {domain.name: domain for domain in current.domains}
    # Spelt otherwise by whoever made it; a folder's name is another folder then.
    folded = {domain.name.lower(): domain for domain in current.domains} if desired.fold_domains else {}
    kept = set()
    for domain in desired.domains:
        if domain.name in have:
            kept.add(domain.name)
        elif domain.name in folded:
            old = folded[domain.name].name
            steps.rename_domains[old] = domain.name
            kept.add(old)
        elif domain.name in current.claimed:
            steps.move_domains[domain.name] = current.claimed[domain.name][1]
        else:
            steps.add_domains.append(domain.name)
    if desired.exclusive_domains:
        steps.remove_domains = [domain.name for domain in current.domains if domain.name not in kept]
    if not marks_primary:
        return
    steps.primary = next((domain.name for domain in desired.domains if domain.primary), None) or _settled_primary(
        current, steps
    )
    primaries = [steps.rename_domains.get(domain.name, domain.name) for domain in current.domains if domain.primary]
    steps.set_primary = steps.primary is not None and primaries != [steps.primary]


def _settled_primary(current: Current, steps: Steps) -> str | None:
    """Where no domain is declared: the one that is primary, else the oldest, so that there is exactly one."""
    left = [domain for domain in current.domains if domain.name not in steps.remove_domains]
    return next((domain.name for domain in left if domain.primary), left[0].name if left else None)


def sentences(desired: Desired, current: Current, steps: Steps) -> list[str]:
    """The steps as a person reads them, in the order in which they are taken."""
    lines = []
    if steps.delete:
        lines.append("delete the row" + (f" and {_count(len(current.domains), 'domain')}" if current.domains else ""))
    if steps.drop_schema:
        lines.append(f"drop the schema {desired.schema}")
    if steps.create:
        lines.append("create the row")
    lines += [f"set {name}: {shown(name, old)} → {shown(name, new)}" for name, (old, new) in steps.changes.items()]
    if steps.make_schema:
        lines.append(f"create the schema {desired.schema}")
    if steps.migrations:
        lines.append(f"apply {_count(len(steps.migrations), 'migration')}")
    lines += [f"grant the use of the schema to {role}" for role in steps.grants]
    lines += [f"add the domain {name}" for name in steps.add_domains]
    lines += [f"move the domain {name} from {owner}" for name, owner in steps.move_domains.items()]
    lines += [f"rename the domain {old} to {new}" for old, new in steps.rename_domains.items()]
    lines += [f"remove the domain {name}" for name in steps.remove_domains]
    if steps.set_primary and not (steps.create and steps.primary in steps.add_domains):
        lines.append(f"make {steps.primary} the primary domain")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def shown(name: str, value: Any) -> Any:
    """A value as a diff or a sentence shows it: fields whose name says that they are secret are not."""
    if is_secret(name):
        return "(not shown)"
    if value is None or isinstance(value, (bool, int, float, dict, list)):
        return value
    return str(value)


def before_and_after(desired: Desired, current: Current, steps: Steps) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tenant before and after the steps, for the diff: only what is declared or touched."""
    domains = {domain.name: domain.primary for domain in current.domains}
    before = _state(current.row is not None, {name: old for name, (old, new) in steps.changes.items()}, domains)
    if steps.delete:
        after = _state(False, {}, {})
    else:
        new_values = steps.values if steps.create else {name: new for name, (old, new) in steps.changes.items()}
        after_domains = {
            steps.rename_domains.get(name, name): primary
            for name, primary in domains.items()
            if name not in steps.remove_domains
        }
        after_domains.update(dict.fromkeys([*steps.add_domains, *steps.move_domains], False))
        if steps.set_primary:
            after_domains = {name: name == steps.primary for name in after_domains}
        after = _state(current.row is not None or steps.create, new_values, after_domains)
    if desired.schema:
        before["schema"] = "present" if current.schema_exists else "absent"
        exists = (current.schema_exists or steps.make_schema) and not steps.drop_schema
        after["schema"] = "present" if exists else "absent"
        if steps.migrations:
            before["pending migrations"] = len(steps.migrations)
            after["pending migrations"] = 0
    if steps.grants:
        before["lacking grants"], after["lacking grants"] = list(steps.grants), []
    return before, after


def _state(row: bool, values: dict[str, Any], domains: dict[str, bool]) -> dict[str, Any]:
    return {
        "row": {name: shown(name, value) for name, value in values.items()} if row else None,
        "domains": [f"{name} (primary)" if primary else name for name, primary in domains.items()],
    }


def read_current(context: Context, declared: list[Desired], columns: Columns) -> list[Current]:
    """The declared tenants as the database has them, in a few queries for all of them.

    :param columns: the columns that exist, by table; only these are read.
    """
    states = [Current() for item in declared]
    with in_public(context):
        _read_rows(context, declared, states, columns)
        _read_domains(context, declared, states, columns)
    return states


def _read_rows(context: Context, declared: list[Desired], states: list[Current], columns: Columns) -> None:
    model = context.tenancy.tenant
    there = fields_there(model, columns)
    if not columns.get(model._meta.db_table) or model._meta.pk.name not in there:
        return
    settable = settable_fields(model)
    names = list(dict.fromkeys([model._meta.pk.name, *(name for name in there if name in settable)]))
    rows = model._base_manager.using(context.alias)
    for fields, members in _by_identity(declared).items():
        if not set(fields) <= there.keys():
            continue
        if len(fields) == 1:
            wanted = [item.identity[fields[0]] for item in members]
            found = list(rows.filter(**{f"{fields[0]}__in": wanted}).values(*dict.fromkeys([*names, fields[0]])))
            same_value = functools.partial(same, there[fields[0]])
            matches = {
                id(item): [row for row in found if same_value(row[fields[0]], item.identity[fields[0]])]
                for item in members
            }
        else:
            matches = {id(item): list(rows.filter(**item.identity).values(*names)[:2]) for item in members}
        for item, state in zip(declared, states):
            match = matches.get(id(item), [])
            if len(match) > 1:
                raise OptionProblem(
                    f"key: more than one {model._meta.label} has {item.identity}.",
                    hint="Name fields that only one row matches.",
                )
            if match:
                state.row, state.pk = match[0], match[0][model._meta.pk.name]


def _by_identity(declared: list[Desired]) -> dict[tuple[str, ...], list[Desired]]:
    groups: dict[tuple[str, ...], list[Desired]] = {}
    for item in declared:
        groups.setdefault(tuple(item.identity), []).append(item)
    return groups


def _read_domains(context: Context, declared: list[Desired], states: list[Current], columns: Columns) -> None:
    from django.db.models.functions import Lower

    tenancy = context.tenancy
    rows = domain_rows(context, columns)
    if rows is None:
        return
    name, link = tenancy.domain_field, tenancy.domain_tenant_field
    by_pk = {state.pk: state for state in states if state.row is not None}
    for domain in read_domains(context, columns, rows.filter(**{f"{link}__in": list(by_pk)})):
        by_pk[domain.owner].domains.append(domain)
    wanted = {domain.name: state for item, state in zip(declared, states) if item.present for domain in item.domains}
    if tenancy.subfolder_routing:
        others = rows.filter(**{f"{name}__in": list(wanted)})
    else:
        others = rows.annotate(tenancy_folded=Lower(name)).filter(tenancy_folded__in=list(wanted))
    claims = read_domains(context, columns, others) if wanted else []
    owners = tenant_names(context, columns, {domain.owner for domain in claims})
    for domain in claims:
        spelt = domain.name if tenancy.subfolder_routing else domain.name.lower()
        state = wanted[spelt]
        if domain.owner != state.pk and not any(own.name == spelt for own in state.domains):
            state.claimed[spelt] = (domain, owners.get(domain.owner, str(domain.owner)))
