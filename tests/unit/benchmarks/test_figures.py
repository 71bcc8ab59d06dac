# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.benchmarks import figures, groups


def test_the_fastest_has_the_smallest_median_not_the_smallest_run() -> None:
    rounds = [{"a": 1.0, "b": 2.0}, {"a": 5.0, "b": 2.5}, {"a": 6.0, "b": 3.0}]
    assert figures.fastest(rounds, ["a", "b"]) == "b"


def test_who_did_not_run_is_not_the_fastest() -> None:
    assert figures.fastest([{"b": 2.0}], ["a", "b"]) == "b"


def test_a_heat_sends_on_whoever_may_turn_out_the_fastest() -> None:
    assert figures.in_reach([{"a": 1.0, "b": 1.5, "c": 1.6}], ["a", "b", "c"]) == ["a", "b"]


def test_a_ratio_is_of_medians_and_its_spread_of_single_rounds() -> None:
    rounds = [{"ours": 1.0, "theirs": 10.0}, {"ours": 2.0, "theirs": 12.0}, {"ours": 1.0, "theirs": 14.0}]
    figure = figures.ratio(rounds, ["theirs"], "ours")
    assert (figure.value, figure.low, figure.high) == (12.0, 6.0, 14.0)
    assert figure.sides == ("theirs", "ours")


def test_a_slope_leaves_out_what_a_run_costs_whatever_the_fleet() -> None:
    figure = figures.slope([{"200": 10.0 + 2.0, "400": 10.0 + 4.0, "2500": 10.0 + 25.0, "5000": 10.0 + 55.0}])
    assert figure.value == pytest.approx(1.2)
    assert figure.sides == ("200", "400", "2500", "5000")


def test_the_spread_of_a_slope_is_that_of_rounds_that_say_anything() -> None:
    large = {"25": 1.0, "50": 3.5}
    figure = figures.slope(
        [{"2": 1.0, "4": 0.9, **large}, {"2": 1.0, "4": 1.2, **large}, {"2": 1.0, "4": 1.4, **large}]
    )
    assert (figure.low, figure.value, figure.high) == (pytest.approx(0.5), pytest.approx(1.0), pytest.approx(1.0))


def test_memory_is_that_of_the_hungriest_side() -> None:
    figure = figures.most([{"fields": 100.0, "python": 150.0}, {"fields": 90.0, "python": 160.0}])
    assert (figure.value, figure.low, figure.high, figure.sides) == (155.0, 150.0, 160.0, ("python",))


def test_a_key_against_the_floor_says_how_many_times_the_floor_we_take() -> None:
    parts = {"fleet": {"tenants": 1000, "rounds": [{"agent": 3.0, "floor": 2.0}, {"agent": 2.0, "floor": 2.0}]}}
    entry = figures.entry(figures.KEYS["apply_vs_floor_1000"], parts)
    assert (entry["value"], entry["spread"], entry["unit"]) == (1.25, [1.0, 1.5], "times")
    assert (entry["reach"], entry["reached"], entry["between"]) == ("≤ 1.6", True, ["agent", "floor"])


def test_the_heat_counts_for_no_figure() -> None:
    parts = {
        "heat": {"tenants": 100, "rounds": [{"standard": 1.0, "multiprocessing": 2.0}]},
        "fleet": {"tenants": 500, "rounds": [{"module": 1.0, "multiprocessing": 30.0}] * 3},
    }
    entry = figures.entry(figures.KEYS["noop_vs_stock"], parts)
    assert (entry["value"], entry["reached"], entry["between"]) == (30.0, False, ["multiprocessing", "module"])
    assert "Medians of 3 rounds" in entry["how"]
    assert entry["sides"]["heat"]["standard"]["runs"] == [1.0]


def test_every_key_belongs_to_something_that_is_measured() -> None:
    assert {key.group for key in figures.KEYS.values()} == set(groups.GROUPS)


def test_the_table_tells_what_is_not_reached_from_what_is_not_measured() -> None:
    key = figures.KEYS["agent_pss_mib_1000"]
    parts = {"fleet": {"tenants": 1000, "rounds": [{"fields": 250.0}]}}
    text = figures.table({key.name: figures.entry(key, parts), "other": figures.missing(key, "Not measured yet.")})
    assert text.splitlines()[0].split() == [
        "agent_pss_mib_1000",
        "250",
        "MiB",
        "250",
        "…",
        "250",
        "≤",
        "200",
        "NOT",
        "REACHED",
    ]
    assert text.splitlines()[1].endswith("≤ 200")
