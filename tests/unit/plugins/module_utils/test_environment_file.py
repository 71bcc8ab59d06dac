# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._environment_file import environment_of
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import OptionError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("export KEY=value", "value"),
        ("  KEY = value  ", "value"),
        ("KEY=", ""),
        ("KEY=''", ""),
        ("KEY=two words", "two words"),
        ("KEY=pass#word", "pass#word"),
        ("KEY=pass # word", "pass # word"),
        ("KEY=a=b", "a=b"),
        ("KEY=$HOME", "$HOME"),
        (r"KEY=back\slash", r"back\slash"),
        (r"KEY='back\nslash'", r"back\nslash"),
        (r'KEY="line\nbreak"', "line\nbreak"),
        (r'KEY="tab\tand\\back"', "tab\tand\\back"),
        (r'KEY="say \"no\""', 'say "no"'),
        (r'KEY="cost \$5"', "cost $5"),
        ("KEY='it is \"so\"'", 'it is "so"'),
        ('KEY="value" # said the boss', "value"),
        ("KEY=it's", "it's"),
    ],
)
def test_a_value_is_read_as_systemd_docker_and_django_environ_agree(line: str, value: str) -> None:
    assert environment_of(line, "env") == {"KEY": value}


def test_comments_and_blank_lines_set_nothing() -> None:
    assert environment_of("\n# A=1\n; B=2\n   \n  # C=3\n", "env") == {}


def test_the_last_of_two_lines_for_one_name_wins() -> None:
    assert environment_of("A=1\nB=2\nA=3", "env") == {"A": "3", "B": "2"}


def test_lines_that_end_as_on_windows_are_read_alike() -> None:
    assert environment_of("A=1\r\nB='2'\r\n", "env") == {"A": "1", "B": "2"}


def test_a_quoted_value_may_span_lines() -> None:
    text = "KEY='-----BEGIN-----\nabc\n-----END-----'\nNEXT=1"
    assert environment_of(text, "env") == {"KEY": "-----BEGIN-----\nabc\n-----END-----", "NEXT": "1"}


def test_blanks_at_the_end_of_a_line_within_quotes_are_kept() -> None:
    assert environment_of("KEY='one  \n  two '", "env") == {"KEY": "one  \n  two "}


@pytest.mark.parametrize("line", ["just words", "1KEY=x", "KEY-NAME=x", "=x"])
def test_a_line_of_another_form_is_refused_by_its_number_and_not_shown(line: str) -> None:
    with pytest.raises(OptionError, match=r"^/etc/app/env, line 3: ") as caught:
        environment_of(f"A=1\n\n{line}\n", "/etc/app/env")
    assert line not in str(caught.value)


@pytest.mark.parametrize("text", ["KEY='never closed\nB=2", 'KEY="never closed\\"\nB=2', "KEY='"])
def test_a_quote_that_is_never_closed_is_refused_where_it_was_opened(text: str) -> None:
    with pytest.raises(OptionError, match=r"^env, line 2: the quote after KEY= is never closed\.$"):
        environment_of("A=1\n" + text, "env")


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,10}", fullmatch=True)
# A file is read with universal newlines, so a carriage return never reaches the parser by itself.
VALUES = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]), max_size=30)


def in_double_quotes(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.dictionaries(NAMES, VALUES))
def test_what_is_written_in_double_quotes_is_read_back(variables: dict[str, str]) -> None:
    text = "".join(f"{name}={in_double_quotes(value)}\n" for name, value in variables.items())
    assert environment_of(text, "env") == variables


@given(st.dictionaries(NAMES, VALUES.filter(lambda value: "'" not in value)))
def test_what_is_written_in_single_quotes_is_read_back(variables: dict[str, str]) -> None:
    text = "".join(f"export {name}='{value}'\n" for name, value in variables.items())
    assert environment_of(text, "env") == variables


PLAIN = VALUES.filter(lambda value: "\n" not in value and value == value.strip() and value[:1] not in ("'", '"'))


@given(st.dictionaries(NAMES, PLAIN))
def test_what_is_written_without_quotes_is_read_back(variables: dict[str, str]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in variables.items())
    assert environment_of(text, "env") == variables
