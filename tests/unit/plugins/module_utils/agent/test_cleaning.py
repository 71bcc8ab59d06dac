# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A row is validated by its model, and what was just read is not looked up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.cleaning import clean_given
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from collections.abc import Collection


def lookups(instance: Any, given: Collection[str], free: Collection[str]) -> int:
    with CaptureQueriesContext(connection) as asked:
        clean_given(instance, given, free)
    return len(asked)


@pytest.fixture
def domain(tables: None) -> Any:
    from directory.models import Domain

    return Domain(domain="acme.example")


def test_a_value_that_no_row_has_is_not_looked_up(domain: Any) -> None:
    assert lookups(domain, ["domain"], ["domain"]) == 0


def test_a_unique_value_that_was_not_read_is_looked_up(domain: Any) -> None:
    assert lookups(domain, ["domain"], []) == 1


def test_a_field_that_is_not_given_is_not_validated(domain: Any) -> None:
    assert lookups(domain, [], []) == 0


def test_what_the_fields_refuse_is_refused(tables: None) -> None:
    from directory.models import Domain

    with pytest.raises(ValidationError, match="at most 253"):
        clean_given(Domain(domain="x" * 300), ["domain"], ["domain"])


@pytest.mark.parametrize("method", ["full_clean", "validate_unique"])
def test_a_models_own_validation_is_called_as_django_calls_it(
    domain: Any, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(type(domain), method, lambda self, **options: calls.append(options))
    clean_given(domain, ["domain"], ["domain"])
    (options,) = calls
    assert options.keys() == {"exclude"}


def test_fields_that_are_unique_together_are_looked_up(domain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(domain)._meta, "unique_together", (("domain", "is_primary"),))
    assert lookups(domain, ["domain", "is_primary"], ["domain"]) == 2
