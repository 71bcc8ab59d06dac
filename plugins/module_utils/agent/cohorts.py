# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which schemas are alike: the same migrations recorded, and the same wherever the plan's SQL has to do with the structure."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence

from .fingerprint import PARTS, read_part, read_some
from .outline import read_outlines
from .permissions import read_digests

if TYPE_CHECKING:
    from .compiler import Compiled
    from .plan import SchemaPlan

_KINDS, _SOME, _OUTLINE = "kinds", "some", "outline"
# Measured: with more, joins of the catalogs outgrow the server's usual work_mem, and cost half as much again for a schema.
_LARGEST_SHARE = 400


@dataclass
class Cohort:
    """Schemas that have the same plan, and are alike as far as that is known: what is right for one is right for all.

    ``kinds`` are the content types and permissions of the first, before its plan ran.
    """

    plans: list[SchemaPlan] = field(default_factory=list)
    compiled: Compiled | None = None
    kinds: str = ""


@dataclass(frozen=True)
class Look:
    """A look at some schemas: at their kinds, a part of their fingerprint, or what of it counts for a compiled plan, in full or in outline."""

    what: str
    schemas: tuple[str, ...]


def by_record(plans: Iterable[SchemaPlan]) -> list[Cohort]:
    """The plans by what is known without a look at the structure. Pure."""
    found: dict[Any, Cohort] = defaultdict(Cohort)
    for plan in plans:
        found[plan.schema.recorded, plan.schema.has_recorder, plan.schema.type].plans.append(plan)
    return list(found.values())


def looks(compiled: Compiled, schemas: Sequence[str], kinds_of: Sequence[str], processes: int) -> list[Look]:
    """What has to be looked at before the plan is replayed in schemas, in portions for so many at a time. Pure.

    :param kinds_of: those whose kinds are not known yet.
    """
    found = _shares([_SOME], schemas, processes) if compiled.footprint else _parts(schemas)
    return found + _shares([_KINDS], kinds_of, processes)


def last_looks(compiled: Compiled, schemas: Sequence[str], processes: int) -> list[Look]:
    """What has to be looked at once it has been. Pure."""
    found = _shares([_OUTLINE], schemas, processes) if compiled.footprint else _parts(schemas)
    return found + (_shares([_KINDS], schemas, processes) if any(compiled.new_kinds) else [])


def _parts(schemas: Sequence[str]) -> list[Look]:
    # Each of these reads the catalogs from end to end, for however many schemas.
    return [Look(part, tuple(schemas)) for part in PARTS]


def _shares(wanted: Iterable[str], schemas: Sequence[str], processes: int) -> list[Look]:
    """Looks at schemas that stand side by side, as many for each of the processes."""
    number = min(len(schemas), processes * math.ceil(len(schemas) / processes / _LARGEST_SHARE))
    bounds = [len(schemas) * part // number for part in range(number + 1)] if number else []
    shares = [tuple(schemas[start:end]) for start, end in zip(bounds, bounds[1:])]
    return [Look(what, share) for what in wanted for share in shares]


def look(connection: Any, compiled: Compiled, one: Look) -> Mapping[str, object]:
    """What there is to be seen in each schema."""
    if one.what == _KINDS:
        return read_digests(connection, one.schemas)
    with connection.cursor() as cursor:
        footprint = compiled.footprint
        if one.what == _OUTLINE and footprint:
            return read_outlines(cursor, one.schemas, footprint.relations)
        if one.what == _SOME and footprint:
            return read_some(cursor, one.schemas, footprint.relations, footprint.needed, connection.pg_version)
        return read_part(cursor, one.what, one.schemas, connection.pg_version)


def gathered(
    results: Iterable[tuple[Look, Mapping[str, object]]], kinds: Mapping[str, str]
) -> dict[str, dict[str, object]]:
    """What was seen of each schema, with the kinds that were known before. Pure."""
    found: dict[str, dict[str, object]] = defaultdict(dict)
    for schema, digest in kinds.items():
        found[schema][_KINDS] = digest
    for one, seen in results:
        for schema, value in seen.items():
            found[schema][one.what] = value
    return dict(found)


def expected(cohort: Cohort) -> dict[str, object]:
    """What is seen of a schema that is as the first was before its plan ran. Pure."""
    compiled = cohort.compiled
    if compiled is None or compiled.before is None:
        return {}
    wanted: dict[str, object] = {_KINDS: cohort.kinds}
    if compiled.footprint is None:
        return {**wanted, **{part: compiled.before.part(part) for part in PARTS}}
    needed = compiled.footprint.needed
    return {**wanted, _SOME: (compiled.before.some(compiled.footprint.relations), len(needed))}


def split(cohort: Cohort, seen: Mapping[str, Mapping[str, object]]) -> list[list[SchemaPlan]]:
    """The plans of schemas that are not as the first was, those that are alike together; the others stay in the cohort. Pure."""
    wanted = expected(cohort)
    others: dict[str, list[SchemaPlan]] = defaultdict(list)
    alike = []
    for plan in cohort.plans:
        found = seen.get(plan.schema.name, {})
        if found == wanted:
            alike.append(plan)
        else:
            others[repr(sorted(found.items()))].append(plan)
    cohort.plans = alike
    return list(others.values())
