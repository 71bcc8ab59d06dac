# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._secrets import MASK, mask_only, redacted, secrets_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("name", ["SECRET_KEY", "PGPASSWORD", "API_TOKEN", "EMAIL_HOST_PASSWORD", "WHATEVER"])
def test_a_value_is_secret_unless_its_name_says_otherwise(name: str) -> None:
    assert secrets_of({name: "hunter22"}) == {"hunter22"}


@pytest.mark.parametrize(
    "name",
    ["DB_HOST", "PGPORT_NAME", "ALLOWED_HOSTS", "DB_USER", "DJANGO_SETTINGS_MODULE", "PYTHONPATH", "LC_ALL", "db_name"],
)
def test_a_value_whose_name_says_that_it_is_harmless_may_be_shown(name: str) -> None:
    assert secrets_of({name: "localhost"}) == set()


@pytest.mark.parametrize("value", ["", "abc", "True", "false", "None"])
def test_values_that_would_garble_every_message_are_not_masked(value: str) -> None:
    assert secrets_of({"SECRET_KEY": value}) == set()


def test_the_password_in_a_url_is_secret_as_written_and_as_decoded() -> None:
    url = "postgres://app:p%40ssword@db:5432/app"
    assert secrets_of({"DATABASE_URL": url}) == {url, "p%40ssword", "p@ssword"}


def test_the_password_in_a_url_is_secret_under_a_harmless_name_too() -> None:
    assert "hunter22" in secrets_of({"CACHE_HOST": "redis://:hunter22@cache/0"})


def test_a_url_that_can_not_be_split_is_secret_as_a_whole() -> None:
    assert secrets_of({"DATABASE_URL": "postgres://[half@db"}) == {"postgres://[half@db"}


def test_secrets_are_masked_in_every_string_of_a_nested_value() -> None:
    value = {"message": "auth of hunter22 failed", "lines": ["hunter22", 7, None], "deep": ({"more": "xhunter22x"},)}
    assert redacted(value, {"hunter22"}) == {
        "message": f"auth of {MASK} failed",
        "lines": [MASK, 7, None],
        "deep": [{"more": f"x{MASK}x"}],
    }


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    assert redacted("url postgres://u:hunter22@h", {"hunter22", "postgres://u:hunter22@h"}) == f"url {MASK}"


def test_without_secrets_nothing_is_changed() -> None:
    value = {"message": "all is well"}
    assert redacted(value, set()) is value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abcdef ", max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
)


@given(JSON, st.sets(st.text("abcdef", min_size=4, max_size=6), max_size=4))
def test_nothing_that_was_redacted_holds_a_secret(value: object, secrets: set[str]) -> None:
    shown = json.dumps(redacted(value, secrets))
    assert not [secret for secret in secrets if secret in shown]


def test_ansible_is_told_to_mask_the_secrets_and_nothing_else() -> None:
    module = SimpleNamespace(no_log_values={"1", "localhost"})
    mask_only(module, ["hunter22"])
    assert module.no_log_values == {"hunter22"}
