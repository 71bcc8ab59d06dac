# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.scratch_names import (
    create_statement,
    literal,
    number_in,
    scratch_name,
    set_statement,
)


@pytest.mark.parametrize("real", ["app", "Größe", "x" * 63, "%; DROP"])
@pytest.mark.parametrize("number", [0, 1, 2**32 - 1])
def test_a_name_is_short_and_only_of_its_own_database(real: str, number: int) -> None:
    name = scratch_name(real, number)
    assert len(name.encode()) == 39
    assert number_in(name, real) == number
    assert number_in(name, real + "2") is None


@pytest.mark.parametrize(
    "change", [str.upper, lambda n: n + "0", lambda n: n[:-1], lambda n: " " + n, lambda n: n + "\n"]
)
def test_what_is_not_exactly_of_the_form_is_not_ours(change: object) -> None:
    name = scratch_name("app", 0xABCDEF01)
    assert number_in(change(name), "app") is None  # type: ignore[operator]


ROW = {"datname": "app", "datcollate": "C", "datctype": "en_US.UTF-8"}


@pytest.mark.parametrize(
    ("row", "end"),
    [
        (ROW, "LC_COLLATE 'C' LC_CTYPE 'en_US.UTF-8'"),
        ({**ROW, "datlocprovider": "c", "daticulocale": None}, "LOCALE_PROVIDER libc"),
        (
            {**ROW, "datlocprovider": "i", "daticulocale": "de", "daticurules": "&a < g"},
            "LOCALE_PROVIDER icu ICU_LOCALE 'de' ICU_RULES '&a < g'",
        ),
        (
            {**ROW, "datlocprovider": "i", "datlocale": "de", "daticurules": None},
            "LOCALE_PROVIDER icu ICU_LOCALE 'de'",
        ),
        ({**ROW, "datlocprovider": "b", "datlocale": "C.UTF-8"}, "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"),
    ],
    ids=["before 15", "libc", "icu of 16", "icu of 17", "builtin"],
)
def test_the_statement_has_the_real_locale(row: dict[str, str], end: str) -> None:
    statement = create_statement('a"b', row, "UTF8")
    assert statement.startswith("CREATE DATABASE \"a\"\"b\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'")
    assert statement.endswith(end)


@pytest.mark.parametrize(
    ("setting", "end"),
    [
        ("work_mem=8MB", "SET \"work_mem\" TO '8MB'"),
        ("my.own=it's=so", "SET \"my\".\"own\" TO 'it''s=so'"),
        ('search_path="$user", "a, ""b", public', "SET \"search_path\" TO '$user', 'a, \"b', 'public'"),
        ('search_path=""', "SET \"search_path\" TO ''"),
        ("search_path=", "SET \"search_path\" TO ''"),
    ],
)
def test_a_setting_is_set_as_it_was(setting: str, end: str) -> None:
    assert set_statement("x", setting) == f'ALTER DATABASE "x" {end}'


def test_a_literal_has_its_quotes_and_backslashes_doubled() -> None:
    assert literal("it's") == "'it''s'"
    assert literal("a\\'b") == "E'a\\\\''b'"
