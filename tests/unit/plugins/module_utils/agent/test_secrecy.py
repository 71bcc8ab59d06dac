# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.secrecy import passwords_in, secret_values


@pytest.mark.parametrize("name", ["PGPASSWORD", "EMAIL_HOST_PASSWORD", "SECRET_KEY", "API_TOKEN", "db_password"])
def test_a_value_is_secret_for_sure_where_its_name_says_so(name: str) -> None:
    assert secret_values({name: "hunter22"}) == {"hunter22"}


def test_a_password_of_digits_is_secret_too() -> None:
    assert secret_values({"PGPASSWORD": "12345678"}) == {"12345678"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("PWD", "/srv/app"), ("OLDPWD", "/srv/app"), ("DB_HOST", "localhost"), ("SECRET_KEY", "abc"), ("TOKEN", "none")],
)
def test_other_values_are_not_secret_for_sure(name: str, value: str) -> None:
    assert secret_values({name: value}) == set()


@pytest.mark.parametrize(
    ("value", "passwords"),
    [
        ("postgres://app:hunter22@db:5432/app", {"hunter22"}),
        ("postgres://app:p%40ss@db/app", {"p%40ss", "p@ss"}),
        ("redis://:hunter22@cache/0", {"hunter22"}),
        ("host=db user=app password=hunter22 dbname=app", {"hunter22"}),
        ("host=db password='hunter 22'", {"hunter 22"}),
        ("https://example.com/path?x=1", set()),
        ("postgres://app@db/app", set()),
        ("just words", set()),
        ("", set()),
    ],
)
def test_the_passwords_in_a_url_and_in_a_dsn_are_found(value: str, passwords: set[str]) -> None:
    assert passwords_in(value) == passwords


def test_a_password_that_only_repeats_a_name_that_is_shown_anyway_is_none() -> None:
    assert passwords_in("postgres://app:app@db/app") == set()


def test_what_holds_a_password_is_secret_as_a_whole_as_well() -> None:
    url = "postgres://app:hunter22@db/app"
    assert secret_values({"DATABASE_URL": url, "SETTINGS_HOST": url}) == {url, "hunter22"}
