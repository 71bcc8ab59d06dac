# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.isolation import same_database

REAL: dict[str, Any] = {"ENGINE": "django_tenants.postgresql_backend", "NAME": "app", "HOST": "localhost", "PORT": ""}


@pytest.mark.parametrize(
    "other",
    [
        {"ENGINE": "django.db.backends.postgresql"},
        {"USER": "reader"},
        {"HOST": "127.0.0.1"},
        {"HOST": "/var/run/postgresql"},
        {"HOST": ""},
        {"OPTIONS": {"sslmode": "require"}},
    ],
)
def test_another_spelling_or_user_is_the_same_database(other: dict[str, Any]) -> None:
    assert same_database(REAL, {**REAL, **other})


@pytest.mark.parametrize(
    "other", [{"NAME": "other"}, {"HOST": "replica"}, {"PORT": "6432"}, {"OPTIONS": {"service": "x"}}]
)
def test_another_name_or_place_is_another_database(other: dict[str, Any]) -> None:
    assert not same_database(REAL, {**REAL, **other})
