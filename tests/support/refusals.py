# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every refusal of a module has in common, as one check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# The three modules, each with options that would write if it could.
MODULES: dict[str, dict[str, Any]] = {
    "django_tenant": {"schema": "public", "domains": ["localhost"]},
    "django_migrate_schemas": {"scope": "shared"},
    "django_tenant_info": {},
}


def require_refusal(answer: dict[str, Any], *words: str, secrets: Iterable[str] = ()) -> str:
    """See that a module failed with one sentence that holds these words, and with no secret anywhere; return the sentence."""
    message: str = answer["msg"]
    assert answer.get("failed") is True, answer
    assert not answer.get("changed"), answer
    assert "exception" not in answer, answer["exception"]
    for word in words:
        assert word in message, message
    assert len(message) < 1000, message[:2000]
    require_no_secret(json.dumps(answer, ensure_ascii=False), secrets)
    return message


def require_no_secret(text: str, secrets: Iterable[str]) -> None:
    for secret in secrets:
        assert secret not in text, text[max(0, text.index(secret) - 200) :][:400]
