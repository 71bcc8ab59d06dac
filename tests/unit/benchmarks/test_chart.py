# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.benchmarks import chart, figures
from tests.support import checkout

if TYPE_CHECKING:
    from tests.benchmarks.figures import Parts

SVG = "{http://www.w3.org/2000/svg}"


def parts(tenants: int, **seconds: float) -> Parts:
    return {"fleet": {"tenants": tenants, "rounds": [seconds]}}


GROUPS = {
    "noop": parts(500, module=2.0, multiprocessing=80.0, smart=6.0),
    "apply_1000": parts(1000, agent=3.0, floor=2.5),
}


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def test_a_panel_has_a_bar_for_each_side_the_longest_first() -> None:
    panels = chart.panels(GROUPS)
    assert panels[0].title == "Nothing pending, 500 tenants"
    assert list(panels[0].sides) == ["multiprocessing", "smart", "module"]


def test_bars_are_as_long_as_their_seconds() -> None:
    svg = ElementTree.fromstring(chart.chart(GROUPS, {}, []))  # noqa: S314
    bars = [float(drawn.get("width", "0")) for drawn in svg.iter(f"{SVG}rect") if drawn.get("class") != "page"]
    assert bars == pytest.approx([chart.BARS * share for share in (1, 6 / 80, 2 / 80, 1, 2.5 / 3)], abs=0.1)


def test_peers_are_compared_with_us_and_we_with_nobody() -> None:
    found = texts(chart.chart(GROUPS, {}, []))
    assert "80.0 s, 40 times as long" in found
    assert "6.00 s, 3.0 times as long" in found
    assert "2.00 s" in found
    assert "2.50 s" in found


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [
        (0.123, 2, "0.12"),
        (12.34, 2, "12.3"),
        (123.4, 2, "123"),
        (1234.5, 2, "1,234"),
        (9.96, 1, "10.0"),
        (40.2, 1, "40"),
    ],
)
def test_large_numbers_have_fewer_digits_after_the_point(number: float, digits: int, text: str) -> None:
    assert chart.short(number, digits) == text


def test_what_bars_would_not_show_is_said() -> None:
    rounds = {"fleet": {"tenants": 5000, "rounds": [{"200": 1.0, "400": 2.0, "2500": 13.0, "5000": 26.5}]}}
    entries = {"growth_5000": figures.entry(figures.KEYS["growth_5000"], rounds)}
    found = texts(chart.chart({}, entries, ["<measured> on & with"]))
    assert "With 5,000 tenants one more costs 1.08 times what it costs with 200." in found
    assert "<measured> on & with" in found


def test_it_has_colours_for_light_and_dark_and_a_background_of_its_own() -> None:
    svg = chart.chart(GROUPS, {}, [])
    assert "prefers-color-scheme: dark" in svg
    assert '<rect class="page"' in svg


def test_the_picture_is_as_wide_as_its_bars_and_labels() -> None:
    assert chart.MARGIN + chart.NAMES + chart.BARS + 160 <= chart.WIDTH


def test_the_readme_and_the_guide_show_the_chart_that_is_kept() -> None:
    svg = (checkout.ROOT / "docs" / "images" / "bench.svg").read_text(encoding="utf-8")
    assert any("1,000 tenants" in text for text in texts(svg))
    assert "](docs/images/bench.svg)" in (checkout.ROOT / "README.md").read_text(encoding="utf-8")
    guide = checkout.ROOT / "docs" / "docsite" / "rst" / "benchmarks.rst"
    assert ".. figure:: bench.svg" in guide.read_text(encoding="utf-8")
