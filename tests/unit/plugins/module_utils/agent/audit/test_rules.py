# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every rule that there is a file of is among the rules that look."""

from __future__ import annotations

import itertools
from pathlib import Path

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent import audit

PAGE = Path(__file__).resolve().parents[6] / "docs" / "docsite" / "rst" / "audit.rst"
FILES = sorted(path.stem for path in Path(audit.__file__).parent.glob("*.py") if path.stem != "__init__")


def test_the_rules_are_those_that_there_are_files_of() -> None:
    assert sorted(name.replace("-", "_") for name in audit.RULES) == FILES


def test_every_rule_says_in_a_sentence_what_it_looks_for() -> None:
    for name, rule in audit.RULES.items():
        first = (rule.__doc__ or "").splitlines()[:1]
        assert first, name
        assert first[0].endswith("."), f"{name}: {first[0]}"


def test_the_guide_has_a_section_on_every_rule_and_on_no_other() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    sections = [title for title, line in itertools.pairwise(lines) if line and set(line) == {"^"}]
    assert sections == list(audit.RULES)
