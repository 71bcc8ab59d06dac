# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.meatscentral.tenancy.plugins.plugin_utils.progress import Progress, duration


def lines(*events: dict[str, object]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def ended(at: float, name: str, failed: bool = False) -> dict[str, object]:
    return {"at": at, "ended": name, "failed": failed, "seconds": 1.0}


BEGIN = [{"at": 100.0, "of": 10}, {"at": 100.0, "begun": "a"}, {"at": 100.0, "begun": "b"}]


def test_nothing_is_said_before_anything_has_begun() -> None:
    progress = Progress()
    assert progress.read("", 5.0) == []
    assert progress.sentence(6.0) is None


def test_what_is_done_failed_left_and_running_is_said_by_the_nodes_clock() -> None:
    progress = Progress()
    progress.read(lines(*BEGIN), 5.0)
    names = [str(end) for end in progress.read(lines(ended(101, "a"), ended(102, "c", failed=True)), 7.5)]
    assert names == ["a done in 1.0 s", "c failed in 1.0 s"]
    assert progress.sentence(9.0) == "1 done, 1 failed, 8 left; 0.5/s, 16 s to go; b running for 4.0 s"


def test_the_rate_follows_a_run_that_slows_down() -> None:
    progress = Progress()
    progress.read(lines(*BEGIN, *(ended(100.1, str(number)) for number in range(8))), 0.0)
    progress.read(lines(ended(115.0, "a")), 15.0)
    assert "0.0667/s, 15 s to go" in (progress.sentence(16.0) or "")


def test_a_line_that_is_not_whole_is_read_again_with_the_rest() -> None:
    progress = Progress()
    text = lines(*BEGIN, ended(101, "a"))
    progress.read(text[:-5], 5.0)
    assert progress.lines == 3
    rest = "".join(text.splitlines(keepends=True)[progress.lines :])
    assert [end.name for end in progress.read(rest, 6.0)] == ["a"]


def test_what_others_write_on_the_connection_is_passed_over_and_not_counted() -> None:
    progress = Progress()
    progress.read('Welcome!\r\n{"x": 1}\r\n[]\r\n' + lines(*BEGIN).replace("\n", "\r\n"), 5.0)
    assert progress.lines == 3
    assert progress.of == 10


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (61.2, "1 min 01 s"),
        (3599.6, "1 h 00 min"),
        (7260, "2 h 01 min"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text
