# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chart of the benchmarks as SVG: a panel of bars for each thing that was measured. It brings its own background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from . import figures

if TYPE_CHECKING:
    from .figures import Parts, Round

WIDTH, MARGIN = 800, 28
NAMES, BARS = 190, 370
ROW, BAR, TITLE = 24, 14, 44

STYLE = """
.page { fill: #ffffff; stroke: #d0d7de }
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.heading { font-size: 18px; font-weight: 600 }
.title { font-weight: 600 }
.quiet { fill: #59636e; font-size: 12px }
.ours { fill: #0f766e }
.peer { fill: #9aa4af }
.floor { fill: #c2870c }
.strong { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; stroke: #3d444d }
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
  .ours { fill: #2dd4bf }
  .peer { fill: #656f7b }
  .floor { fill: #e3b341 }
}
"""

OURS = ("module", "agent", "deploy")
# How the sides are called where there is room for it.
_LABELS = {
    "standard": "standard executor",
    "multiprocessing": "multiprocessing executor",
    "smart": "smart executor",
    "smart multiprocessing": "smart, multiprocessing",
    "module": "this collection",
    "agent": "its agent alone",
    "deploy": "this collection",
}


@dataclass(frozen=True)
class Panel:
    """A title, and a bar for each side."""

    title: str
    sides: dict[str, float]
    floor: str

    @property
    def height(self) -> int:
        return TITLE + ROW * len(self.sides)


_TITLES = {
    "noop": "Nothing pending, {tenants:,} tenants",
    "apply": "Three new columns with an index, {tenants:,} tenants",
    "python": "A RunPython that updates rows, {tenants:,} tenants",
    "create": "20 new tenants beside {tenants:,}",
    "deploy": "The whole deploy, nothing pending, {tenants:,} tenants",
    "noop_1000": "Against the least possible, nothing pending, {tenants:,} tenants",
    "apply_1000": "Against the least possible, three new columns with an index, {tenants:,} tenants",
}


def panels(groups: dict[str, Parts]) -> list[Panel]:
    """What can be shown of what was measured, in the order of the titles."""
    return [
        Panel(
            title.format(tenants=groups[name]["fleet"]["tenants"]),
            _medians(groups[name]["fleet"]["rounds"]),
            "Django and one read" if name == "noop_1000" else "the bare SQL",
        )
        for name, title in _TITLES.items()
        if name in groups
    ]


def _medians(rounds: list[Round]) -> dict[str, float]:
    return {side: figures.middle(rounds, side) for side in sorted(rounds[0], key=lambda s: -figures.middle(rounds, s))}


def chart(groups: dict[str, Parts], entries: dict[str, dict[str, Any]], measured_on: list[str]) -> str:
    """The whole picture."""
    lines, y = [], MARGIN + 18
    lines.append(_text(MARGIN, y, "Seconds, shorter is better", "heading"))
    for panel in panels(groups):
        y += TITLE
        lines.append(_text(MARGIN, y - 12, panel.title, "title"))
        longest = max(panel.sides.values())
        quickest = min((seconds for side, seconds in panel.sides.items() if side in OURS), default=longest)
        for side, seconds in panel.sides.items():
            name = panel.floor if side == "floor" else _LABELS.get(side, side)
            lines.extend(_bar(y, side, name, seconds, longest, quickest))
            y += ROW
    y += 14
    for line in [*_sentences(entries), *measured_on]:
        y += 20
        lines.append(_text(MARGIN, y, line, "quiet"))
    height = y + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-label="Seconds that each way of migrating takes">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def _bar(y: int, side: str, name: str, seconds: float, longest: float, quickest: float) -> list[str]:
    ours = side in OURS
    kind = "ours" if ours else "floor" if side == "floor" else "peer"
    width = max(2.0, BARS * seconds / longest)
    label = f"{short(seconds)} s"
    if kind == "peer":
        label += f", {short(seconds / quickest, 1)} times as long"
    x = MARGIN + NAMES
    return [
        _text(x - 10, y + BAR - 3, name, "strong" if ours else "", "end"),
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>',
        _text(x + width + 8, y + BAR - 3, label, "strong" if ours else ""),
    ]


def short(number: float, digits: int = 2) -> str:
    """With fewer digits after the point the larger it is."""
    before_the_point = len(str(int(number)))
    return f"{number:,.{max(0, digits + 1 - before_the_point)}f}"


def _sentences(entries: dict[str, dict[str, Any]]) -> list[str]:
    """What bars would not show."""
    found = []
    growth, memory = entries.get("growth_5000", {}), entries.get("agent_pss_mib_1000", {})
    if growth.get("value"):
        few, _some, _many, most = growth["between"]
        found.append(f"With {int(most):,} tenants one more costs {growth['value']:.2f} times what it costs with {few}.")
    if memory.get("value"):
        tenants = memory["tenants"]["fleet"]
        found.append(f"Peak memory of agent and workers together, {tenants:,} tenants: {memory['value']:.0f} MiB.")
    return found


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    attributes = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f'<text x="{x:.0f}" y="{y:.0f}"{attributes}>{escape(text)}</text>'
