# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How counts and sizes read in a sentence."""

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.sizes import (
    MOST,
    bytes_in_words,
    count_in_words,
    rows_in_words,
)


def test_rows_read_as_people_say_them() -> None:
    assert [rows_in_words(count) for count in (0, 1, 1234)] == ["0 rows", "1 row", "1,234 rows"]


def test_a_count_that_ended_early_says_so() -> None:
    assert count_in_words(MOST) == "10,000 rows"
    assert count_in_words(MOST + 1) == "more than 10,000 rows"


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 bytes"), (8192, "8 kB"), (34 * 1024**2, "34 MB"), (5 * 1024**5, "5120 TB")]
)
def test_bytes_are_rounded_to_a_unit(size: int, words: str) -> None:
    assert bytes_in_words(size) == words
