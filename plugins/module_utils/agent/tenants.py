# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Tenants as the database has them, what separates them from what is declared, and the steps between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable

from .fields import ForeignRow, Values, same, settable_fields
from .fleet import NOTHING, in_public

if TYPE_CHECKING:
    from .desired import Desired
    from .fleet import Recorded
    from .loading import Context

_SECRET_WORDS = ("password", "passwd", "secret", "token", "api_key", "private_key")


@dataclass(frozen=True)
class CurrentDomain:
    pk: Any
    name: str
    primary: bool
    owner: Any = None


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


def decide(
    desired: Desired, current: Current, values: Values, pending: tuple[str, ...], fields: dict[str, Any]
) -> Steps:
    """The steps from what is to what is declared. Pure.

    :param pending: the migrations that the tenant's schema lacks, as results name them; empty under row tenancy.
    :param fields: the tenant model's settable fields, by name.
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
    _decide_domains(desired, current, steps)
    if desired.schema:
        steps.make_schema = not current.schema_exists
        if steps.make_schema or desired.migrate:
            steps.migrations = pending
        steps.grants = list(desired.grant_to) if steps.make_schema or steps.migrations else list(current.grants_missing)
    return steps


def _equal(item: Any, old: Any, new: Any) -> bool:
    if isinstance(new, ForeignRow):
        return new.pk is not None and str(old) == str(new.pk)
    return same(item, old, new)


def _decide_domains(desired: Desired, current: Current, steps: Steps) -> None:
    have = {domain.name: domain for domain in current.domains}
    folded = {domain.name.lower(): domain for domain in current.domains}
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
    if any(word in name.lower() for word in _SECRET_WORDS):
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
            before["pending migrations"] = list(steps.migrations)
            after["pending migrations"] = []
    if steps.grants:
        before["lacking grants"], after["lacking grants"] = list(steps.grants), []
    return before, after


def _state(row: bool, values: dict[str, Any], domains: dict[str, bool]) -> dict[str, Any]:
    return {
        "row": {name: shown(name, value) for name, value in values.items()} if row else None,
        "domains": [f"{name} (primary)" if primary else name for name, primary in domains.items()],
    }


def read_current(context: Context, declared: list[Desired], columns: dict[str, set[str]]) -> list[Current]:
    """The declared tenants as the database has them, in a few queries for all of them.

    :param columns: the columns that exist, of the tenant's and the domain's table; only these are read.
    """
    tenancy = context.tenancy
    states = [Current() for item in declared]
    with in_public(context):
        if columns[tenancy.tenant._meta.db_table]:
            _read_rows(context, declared, states, columns[tenancy.tenant._meta.db_table])
        if tenancy.domain and columns[tenancy.domain._meta.db_table]:
            _read_domains(context, declared, states)
    return states


def _read_rows(context: Context, declared: list[Desired], states: list[Current], columns: set[str]) -> None:
    model = context.tenancy.tenant
    names = [name for name, item in settable_fields(model).items() if item.column in columns]
    names = list(dict.fromkeys([model._meta.pk.name, *names]))
    rows = model._base_manager.using(context.alias)
    if context.tenancy.by_schema:
        found = {
            row["schema_name"]: row
            for row in rows.filter(schema_name__in=[item.schema for item in declared]).values(*names)
        }
        matches = [[found[item.schema]] if item.schema in found else [] for item in declared]
    else:
        matches = [list(rows.filter(**item.identity).values(*names)[:2]) for item in declared]
    for item, state, match in zip(declared, states, matches):
        if len(match) > 1:
            from .errors import OptionProblem

            raise OptionProblem(
                f"key: more than one {model._meta.label} has {item.identity}.",
                hint="Name fields that only one row matches.",
            )
        if match:
            state.row, state.pk = match[0], match[0][model._meta.pk.name]


def _read_domains(context: Context, declared: list[Desired], states: list[Current]) -> None:
    from django.db.models.functions import Lower

    tenancy = context.tenancy
    model, name_field, link, primary = (
        tenancy.domain,
        tenancy.domain_field,
        tenancy.domain_tenant_field,
        tenancy.primary_field,
    )
    assert_known(model, name_field, link)
    rows = model._base_manager.using(context.alias).order_by("pk")  # type: ignore[union-attr]
    picked = ["pk", name_field, f"{link}_id"] + ([primary] if primary else [])

    def domains(queryset: Any) -> Iterable[CurrentDomain]:
        for row in queryset.values_list(*picked):
            yield CurrentDomain(row[0], row[1], bool(row[3]) if primary else False, row[2])

    by_pk = {state.pk: state for state in states if state.row is not None}
    for domain in domains(rows.filter(**{f"{link}__in": list(by_pk)})):
        by_pk[domain.owner].domains.append(domain)
    wanted = {domain.name: state for item, state in zip(declared, states) for domain in item.domains}
    if tenancy.subfolder_routing:
        others = rows.filter(**{f"{name_field}__in": list(wanted)})
    else:
        others = rows.annotate(tenancy_folded=Lower(name_field)).filter(tenancy_folded__in=list(wanted))
    claims = list(domains(others))
    owners = _owner_names(context, {domain.owner for domain in claims})
    for domain in claims:
        name = domain.name if tenancy.subfolder_routing else domain.name.lower()
        state = wanted[name]
        if domain.owner != state.pk:
            state.claimed[name] = (domain, owners.get(domain.owner, str(domain.owner)))


def _owner_names(context: Context, pks: set[Any]) -> dict[Any, str]:
    model = context.tenancy.tenant
    rows = model._base_manager.using(context.alias).filter(pk__in=pks)
    if context.tenancy.by_schema:
        return dict(rows.values_list("pk", "schema_name"))
    fields = {item.name for item in model._meta.concrete_fields}
    label = next((name for name in ("slug", "name", "code") if name in fields), "pk")
    return {pk: str(name) for pk, name in rows.values_list("pk", label)}


def assert_known(*parts: object) -> None:
    """Stop where the domain model lacks what a domain needs.

    :raises OptionProblem: it has no field for the host name.
    """
    from .errors import OptionProblem

    if not all(parts):
        raise OptionProblem(
            "The domain model has no field for the host name (domain, hostname, host, fqdn or name).",
            hint="Name the model with domain_model:.",
        )
