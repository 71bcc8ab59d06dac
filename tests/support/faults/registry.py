# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault is, and the list that the other files of this package fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Database
    from tests.support.variants import Variant

    Patch = Callable[[Variant], object]

SCHEMA, ROW = "schema_tenants", "row_tenants"
# A sample, and whether it meets a database that release 1 was deployed to, with rows, or an empty one.
Place = tuple[str, bool]
EMPTY_SCHEMA, OLD_SCHEMA = (SCHEMA, False), (SCHEMA, True)
EMPTY_ROW, OLD_ROW = (ROW, False), (ROW, True)

# The newest migrations of release 1.
LAST = {
    SCHEMA: {"carriers": "0004_alter_carrier_slug", "tenants": "0002_client_on_trial_client_paid_until"},
    ROW: {"carriers": "0004_alter_carrier_tenant", "tenants": "0004_tenant_schema_name"},
}


def as_it_is(release: Variant) -> None:
    """The sample itself is the nearest release that is right."""


@dataclass(frozen=True)
class Fault:
    """A release that must not be deployed.

    :param patch: what makes it of the sample with few apps.
    :param words: what the refusal has to say.
    :param twin: what makes the nearest release that is right.
    :param spoil: what has happened to that database; it has not happened to the twin's.
    :param options: variables of the role that the deploy is run with.
    :param playbook: whether the deploy is run with ansible-playbook, or its modules one after the other.
    """

    name: str
    sample: str
    old: bool
    patch: Patch
    words: tuple[str, ...]
    twin: Patch = as_it_is
    spoil: Callable[[Database], object] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    twin_options: dict[str, Any] | None = None
    playbook: bool = False

    def __str__(self) -> str:
        return _title(self.name, self.sample, self.old)


@dataclass(frozen=True)
class Healthy:
    """A release that must be deployed, although it looks like trouble.

    :param prepare: what has happened to its old database, all of it harmless.
    """

    name: str
    sample: str
    old: bool
    patch: Patch
    prepare: Callable[[Database], object] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return _title(self.name, self.sample, self.old)


def _title(name: str, sample: str, old: bool) -> str:
    return f"{name}-{'old' if old else 'empty'}-{sample.partition('_')[0]}"


FAULTS: list[Fault] = []
HEALTHY: list[Healthy] = []


def fault(*places: Place, words: tuple[str, ...], playbook: bool = False, **details: Any) -> Callable[[Patch], Patch]:
    """Register a patch as a fault in these places.

    :param playbook: whether the deploy in the first of them is run with ansible-playbook.
    """

    def register(patch: Patch) -> Patch:
        for place in places:
            through = playbook and place is places[0]
            FAULTS.append(Fault(patch.__name__, *place, patch=patch, words=words, playbook=through, **details))
        return patch

    return register


def healthy(*places: Place, **details: Any) -> Callable[[Patch], Patch]:
    """Register a patch as a release that is right."""

    def register(patch: Patch) -> Patch:
        HEALTHY.extend(Healthy(patch.__name__, *place, patch=patch, **details) for place in places)
        return patch

    return register


def twins() -> list[Healthy]:
    """The releases that are right and nearest to the faulty ones, each once."""
    found = {
        (item.sample, item.twin, item.old): Healthy(
            item.twin.__name__,
            item.sample,
            item.old,
            item.twin,
            options=item.options if item.twin_options is None else item.twin_options,
        )
        for item in FAULTS
    }
    return list(found.values())


def add_to_carriers(release: Variant, name: str, operations: str, body: str = "", after: str = "") -> Variant:
    """Add a migration to carriers, after its newest."""
    return release.migration("carriers", name, after or LAST[release.sample.name]["carriers"], operations, body)


def add_to_tenants(release: Variant, name: str, operations: str, body: str = "", after: str = "") -> Variant:
    """Add a migration to the app of the tenant model, after its newest."""
    return release.migration("tenants", name, after or LAST[release.sample.name]["tenants"], operations, body)


def add_field(release: Variant, field: str) -> Variant:
    """Give the carrier's model a field."""
    return release.replace("carriers/models.py", "    mc_number =", f"    {field}\n    mc_number =")


NICKNAME = "models.CharField(default='', max_length=20)"


def operation_nickname(field: str = NICKNAME) -> str:
    return f"migrations.AddField('carrier', 'nickname', {field})"
