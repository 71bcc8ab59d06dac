# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks say, computed from what was measured. Everything here is pure.

What was measured is kept as ``parts``: by name, the number of tenants and the rounds, a round being what each side
took when all sides ran one after the other. A part may be a heat, which only decides who runs in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Round = dict[str, float]


class Part(TypedDict):
    """The rounds of some sides with so many tenants."""

    tenants: int
    rounds: list[Round]


if TYPE_CHECKING:
    Parts = dict[str, Part]

STOCK = ("standard", "multiprocessing")
SMART = ("smart", "smart multiprocessing")
# Who takes longer than this, times the fastest of the heat, does not run with all tenants.
OUT_OF_REACH = 1.5


@dataclass(frozen=True)
class Figure:
    """A key's value, the least and the most that single rounds would have given, and between whom it is."""

    value: float
    low: float
    high: float
    sides: tuple[str, ...]


@dataclass(frozen=True)
class Key:
    """A line of the table: what it says, what it should reach, and how it comes about."""

    name: str
    group: str
    what: str
    how: str
    reach: float
    at_least: bool
    figure: Callable[[Parts], Figure]
    unit: str = "times"

    @property
    def wanted(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.reach:g}"

    def reached(self, value: float) -> bool:
        return value >= self.reach if self.at_least else value <= self.reach


def middle(rounds: list[Round], side: str) -> float:
    return median(found[side] for found in rounds)


def fastest(rounds: list[Round], sides: Collection[str]) -> str:
    """Whoever of these has the smallest median; those that did not run are left out."""
    ran = [side for side in sides if side in rounds[0]]
    return min(ran, key=lambda side: middle(rounds, side))


def in_reach(rounds: list[Round], sides: Collection[str]) -> list[str]:
    """Those of a heat that may turn out the fastest with more tenants."""
    limit = OUT_OF_REACH * middle(rounds, fastest(rounds, sides))
    return [side for side in sides if middle(rounds, side) <= limit]


def ratio(rounds: list[Round], over: Collection[str], under: str) -> Figure:
    """How many times the time of ``under`` the fastest of the others takes, and what the single rounds say."""
    other = fastest(rounds, over)
    single = [found[other] / found[under] for found in rounds]
    return Figure(middle(rounds, other) / middle(rounds, under), min(single), max(single), (other, under))


def slope(rounds: list[Round]) -> Figure:
    """What a tenant costs in a large fleet, over what it costs in a small one: sides are four numbers of tenants.

    Differences, so that what a run costs whatever the fleet does not count.
    """
    sizes = sorted(rounds[0], key=int)
    few, some, many, most = sizes

    def cost(times: Round, less: str, more: str) -> float:
        return (times[more] - times[less]) / (int(more) - int(less))

    usual = {side: middle(rounds, side) for side in sizes}
    value = cost(usual, many, most) / cost(usual, few, some)
    single = [cost(found, many, most) / cost(found, few, some) for found in rounds if found[some] > found[few]]
    return Figure(value, min([value, *single]), max([value, *single]), tuple(sizes))


def most(rounds: list[Round]) -> Figure:
    """The median of what the hungriest side took in each round."""
    peaks = [max(found.values()) for found in rounds]
    side = max(rounds[0], key=lambda name: middle(rounds, name))
    return Figure(median(peaks), min(peaks), max(peaks), (side,))


def _fleets(over: Collection[str], under: str) -> Callable[[Parts], Figure]:
    return lambda parts: ratio(parts["fleet"]["rounds"], over, under)


_WHOLE = "Whole module, sent and started as Ansible does, against the whole process of the other."
_HEAT = " All executors run in a heat; those within 1.5 times the fastest of their kind run with all tenants."
_WORK = "From connecting to the database to the end on both sides, Django's start left out, as many connections."

KEYS = {
    key.name: key
    for key in (
        Key(
            "noop_vs_stock",
            "noop",
            "nothing pending, against the fastest executor of django-tenants",
            _WHOLE + _HEAT,
            35,
            True,
            _fleets(STOCK, "module"),
        ),
        Key(
            "noop_vs_smart",
            "noop",
            "nothing pending, against the faster executor of django-tenants-smart-executor",
            _WHOLE + _HEAT,
            2.5,
            True,
            _fleets(SMART, "module"),
        ),
        Key(
            "noop_vs_floor_1000",
            "noop_1000",
            "nothing pending, 1,000 tenants, against django.setup() and one read of all recorders",
            "The agent from its start to its reply, over the whole of a process that does only that.",
            1.5,
            False,
            lambda parts: _inverse(ratio(parts["fleet"]["rounds"], ["floor"], "agent")),
        ),
        Key(
            "apply_vs_best",
            "apply",
            "three pending AddFields with an index, against the fastest of all executors",
            _WHOLE + _HEAT,
            15,
            True,
            _fleets(STOCK + SMART, "module"),
        ),
        Key(
            "apply_vs_floor_1000",
            "apply_1000",
            "the same, 1,000 tenants, fingerprints and checks included, against the bare SQL",
            _WORK,
            1.6,
            False,
            lambda parts: _inverse(ratio(parts["fleet"]["rounds"], ["floor"], "agent")),
        ),
        Key(
            "python_vs_best",
            "python",
            "a pending RunPython that updates rows, against the fastest of all executors",
            _WHOLE + _HEAT,
            8,
            True,
            _fleets(STOCK + SMART, "module"),
        ),
        Key(
            "create_vs_stock",
            "create",
            "20 new tenants in one call, against TenantMixin.save()",
            _WHOLE,
            6,
            True,
            _fleets(["save()"], "module"),
        ),
        Key(
            "create_vs_clone",
            "create",
            "20 new tenants in one call, against clone_schema of an empty tenant",
            _WHOLE,
            3,
            True,
            _fleets(["clone_schema"], "module"),
        ),
        Key(
            "create_vs_floor",
            "create",
            "20 new tenants in one call, against the bare SQL",
            _WORK,
            1.3,
            False,
            lambda parts: _inverse(ratio(parts["fleet"]["rounds"], ["floor"], "agent")),
        ),
        Key(
            "growth_5000",
            "growth",
            "applying, 8 tables a tenant: what a tenant costs from 2,500 to 5,000, over from 200 to 400",
            "The agent from connecting to the database to its reply; differences between the sizes, for a tenant."
            " All sizes in every round, the small ones the median of three.",
            1.2,
            False,
            lambda parts: slope(parts["fleet"]["rounds"]),
        ),
        Key(
            "agent_pss_mib_1000",
            "memory",
            "peak memory of the agent and its workers together, 1,000 tenants",
            "Proportional set size of all its processes, summed 50 times a second, while it applies the three AddFields"
            " and while it applies the RunPython: the larger.",
            200,
            False,
            lambda parts: most(parts["fleet"]["rounds"]),
            "MiB",
        ),
        Key(
            "audit_seconds_200",
            "audit",
            "the audit of 200 tenants with a release pending, all rules, without Django's start",
            "The agent from connecting to the database to its reply.",
            2,
            False,
            lambda parts: most(parts["whole"]["rounds"]),
            "seconds",
        ),
        Key(
            "audit_slowest_rule",
            "audit",
            "its slowest rule, or the slowest of what the rules read once for all",
            "As the reply says.",
            0.5,
            False,
            lambda parts: most(parts["rules"]["rounds"]),
            "seconds",
        ),
        Key(
            "deploy_vs_stock",
            "deploy",
            "the whole ansible-playbook deploy with the defaults, nothing pending, against the three stock commands",
            "ansible-playbook playbooks/deploy.yml, against migrate_schemas --shared, create_missing_schemas and"
            " migrate_schemas --tenant one after the other, with the default executor.",
            12,
            True,
            _fleets(["stock commands"], "deploy"),
        ),
    )
}


def _inverse(figure: Figure) -> Figure:
    return Figure(1 / figure.value, 1 / figure.high, 1 / figure.low, figure.sides[::-1])


def entry(key: Key, parts: Parts) -> dict[str, Any]:
    """What build/bench.json says of a key."""
    figure = key.figure(parts)
    return {
        "what": key.what,
        "value": _short(figure.value),
        "unit": key.unit,
        "spread": [_short(figure.low), _short(figure.high)],
        "reach": key.wanted,
        "reached": key.reached(figure.value),
        "how": f"{key.how} {_counted(parts)}",
        "between": list(figure.sides),
        "tenants": {name: part["tenants"] for name, part in parts.items()},
        "sides": {name: summary(part["rounds"]) for name, part in parts.items()},
    }


def missing(key: Key, why: str) -> dict[str, Any]:
    """What it says of a key that was not measured."""
    return {"what": key.what, "value": None, "unit": key.unit, "reach": key.wanted, "reached": False, "how": why}


def _counted(parts: Parts) -> str:
    counts = sorted({len(part["rounds"]) for name, part in parts.items() if name != "heat"})
    rounds = " and ".join(map(str, counts))
    return (
        f"Medians of {rounds} rounds, every side in each, in turns; the spread is what single rounds say."
        if counts != [1]
        else "One round, every side in it."
    )


def summary(rounds: list[Round]) -> dict[str, dict[str, Any]]:
    """Each side's median, extremes and single runs, the slowest side first."""
    sides = sorted(rounds[0], key=lambda side: -middle(rounds, side))
    return {
        side: {
            "median": _short(middle(rounds, side)),
            "min": _short(min(found[side] for found in rounds)),
            "max": _short(max(found[side] for found in rounds)),
            "runs": [_short(found[side]) for found in rounds],
        }
        for side in sides
    }


def _short(value: float) -> float:
    """Four digits that count; more would pretend."""
    return float(f"{value:.4g}")


def table(entries: dict[str, dict[str, Any]]) -> str:
    """The figures as lines for a terminal."""
    lines = []
    for name, found in entries.items():
        value, spread = "not measured", ""
        if found["value"] is not None:
            value = f"{found['value']:.3g} {found['unit']}"
            spread = "{:.3g} … {:.3g}".format(*found["spread"])
        verdict = "reached" if found["reached"] else "NOT REACHED" if found["value"] is not None else ""
        lines.append(f"{name:20} {value:>14}  {spread:>16}  {found['reach']:>7}  {verdict}".rstrip())
    return "\n".join(lines)
