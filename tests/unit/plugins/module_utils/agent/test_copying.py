# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.copying import rows_of


def test_a_row_is_a_line_and_its_values_are_between_tabs() -> None:
    assert rows_of(b"1\tapp\titem\n2\tapp\t\n") == [("1", "app", "item"), ("2", "app", "")]
    assert rows_of(b"") == []


def test_what_the_format_has_signs_for_is_written_with_a_backslash() -> None:
    text = r"a\\b" + "\t" + r"tab\t,line\n,return\r" + "\n" + r"\\t" + "\n"
    assert rows_of(text.encode()) == [("a\\b", "tab\t,line\n,return\r"), ("\\t",)]


def test_letters_of_any_alphabet_are_kept() -> None:
    assert rows_of("Größe\tžluťoučký\u2028\x85\n".encode()) == [("Größe", "žluťoučký\u2028\x85")]
