# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._secrets import (
    MASK,
    mask_only,
    masked,
    redacted,
    redacted_texts,
    secrets_of,
    secrets_within,
    without_credentials,
)
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


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("pa'ss\nword", "repr: " + repr("pa'ss\nword")),
        ('pa"ss\\word', "json: " + json.dumps('pa"ss\\word')),
        ("pässword", "json: " + json.dumps("pässword")),
        ("p@ss/word", "url: postgres://u:p%40ss%2Fword@h"),
        ("-----BEGIN-----\nMIIEpAIBAAKCAQEA7\n-----END-----", "line: MIIEpAIBAAKCAQEA7 was refused"),
    ],
)
def test_a_secret_is_masked_however_it_is_spelt(secret: str, shown: str) -> None:
    text = redacted(shown, {secret})
    assert MASK in str(text)
    assert not [part for part in ("word", "MIIE") if part in str(text)]


def test_a_short_value_is_not_taken_out_of_every_word() -> None:
    assert redacted("public schema of the app", {"pub", "a", ""}) == "public schema of the app"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("can't reach postgres://app:hunter22@db/app", "can't reach postgres://app:********@db/app"),
        ("redis://:hunter22@cache/0", "redis://:********@cache/0"),
        ("SECRET_KEY = 'hunter22'", "SECRET_KEY = '********'"),
        ('{"PASSWORD": "hunter22"}', '{"PASSWORD": "********"}'),
        ("api_key: 'hunter22' at line 3", "api_key: '********' at line 3"),
        ("https://example.com/a:b and password of nobody", "https://example.com/a:b and password of nobody"),
    ],
)
def test_a_password_that_a_text_writes_out_is_masked_although_nobody_told_of_it(text: str, kept: str) -> None:
    assert without_credentials({"lines": [text]}) == {"lines": [kept]}


def test_a_replys_sentences_are_masked_and_its_names_are_kept() -> None:
    """A tenant may well be called what some variable holds."""
    reply = {
        "tenants": [{"tenant": "acme-prod", "error": {"message": "acme-prod: refused for acme-prod"}}],
        "warnings": ["acme-prod"],
        "schemas": ["acme-prod"],
    }
    assert redacted_texts(reply, {"acme-prod"}) == {
        "tenants": [{"tenant": "acme-prod", "error": {"message": f"{MASK}: refused for {MASK}"}}],
        "warnings": [MASK],
        "schemas": ["acme-prod"],
    }


def test_an_environment_is_shown_with_the_values_of_harmless_names_only() -> None:
    environment = {"DB_HOST": "db", "SECRET_KEY": "x", "RETRIES": 3, "CACHE_HOST": "redis://:hunter22@cache"}
    assert masked(environment) == {"DB_HOST": "db", "SECRET_KEY": MASK, "RETRIES": MASK, "CACHE_HOST": MASK}


def test_secrets_are_found_in_what_a_task_declares_by_their_names() -> None:
    declared = {
        "tenants": [
            {"attributes": {"name": "Acme", "owner": {"email": "a@b.example", "create": {"password": "hunter22"}}}},
            {"attributes": {"feed": "ftp://acme:hunter33@files.example"}},
        ]
    }
    found = secrets_within(declared)
    assert {"hunter22", "hunter33"} <= found
    assert not found & {"Acme", "a@b.example"}
