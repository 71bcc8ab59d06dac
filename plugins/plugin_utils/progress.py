# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module has written down of its progress, and the line that tells a person. Pure: clocks are handed in."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

# What the rate is taken over: long enough to be calm, short enough to follow a run that slows down.
_RATE_SECONDS = 15.0


@dataclass(frozen=True)
class Ended:
    """One schema, or tenant, that is through."""

    name: str
    failed: bool
    seconds: float | None

    def __str__(self) -> str:
        how = "failed" if self.failed else "done"
        return f"{self.name} {how}" + (f" in {duration(self.seconds)}" if self.seconds is not None else "")


@dataclass
class Progress:
    """The state of a run, from the lines that the module has written so far."""

    of: int = 0
    done: int = 0
    failed: int = 0
    lines: int = 0
    running: dict[str, float] = field(default_factory=dict)
    _ends: deque[float] = field(default_factory=deque)
    _first: float | None = None
    _skew: float | None = None

    def read(self, text: str, now: float) -> list[Ended]:
        """Take in the file's further lines, and say what has ended meanwhile. What is no whole line yet is left for next time.

        :param now: the controller's clock. The node's is another one: the two are held together by what was read soonest.
        """
        ended = []
        whole, _newline, _rest = text.replace("\r\n", "\n").rpartition("\n")
        for line in whole.splitlines():
            try:
                event = json.loads(line)
                at = float(event["at"])
            except (ValueError, KeyError, TypeError):
                # Not ours: what a login shell or a prefix of the command has to say.
                continue
            self.lines += 1
            self._skew = now - at if self._skew is None else min(self._skew, now - at)
            if self._first is None:
                self._first = at
            if "of" in event:
                self.of = event["of"]
            elif "begun" in event:
                self.running[event["begun"]] = at
            elif "ended" in event:
                ended.append(self._end(at, Ended(event["ended"], event["failed"], event["seconds"])))
        return ended

    def _end(self, at: float, ended: Ended) -> Ended:
        self.running.pop(ended.name, None)
        self.done += not ended.failed
        self.failed += ended.failed
        self._ends.append(at)
        return ended

    def sentence(self, now: float) -> str | None:
        """Done, failed, left, rate, time left and the slowest that is running; None where nothing has begun."""
        if self._skew is None or self._first is None:
            return None
        node_now = now - self._skew
        left = max(0, self.of - self.done - self.failed)
        parts = [f"{self.done} done, {self.failed} failed, {left} left"]
        rate = self._rate(node_now)
        if rate:
            parts.append(f"{rate:.3g}/s" + (f", {duration(left / rate)} to go" if left else ""))
        if self.running:
            name, since = min(self.running.items(), key=lambda item: item[1])
            parts.append(f"{name} running for {duration(max(0.0, node_now - since))}")
        return "; ".join(parts)

    def _rate(self, node_now: float) -> float:
        since = max(self._first or 0.0, node_now - _RATE_SECONDS)
        while self._ends and self._ends[0] < since:
            self._ends.popleft()
        if not self._ends or node_now <= since:
            return 0.0
        return len(self._ends) / (node_now - since)


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
