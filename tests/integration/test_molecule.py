# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every molecule scenario, each a story: deployed, deployed again without a change, and looked at."""

from __future__ import annotations

import pytest

from tests.support import checkout

SCENARIOS = sorted(path.parent.name for path in checkout.ROOT.glob("extensions/molecule/*/molecule.yml"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str) -> None:
    done = checkout.ansible("molecule", "test", "--scenario-name", scenario)
    assert done.returncode == 0, done.stdout + done.stderr
