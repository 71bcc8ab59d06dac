# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faulty releases: each is stopped before the first write, and the nearest release that is right is deployed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import role_steps
from tests.support.deployment import deployment
from tests.support.faults import FAULTS, HEALTHY, Fault, Healthy, twins
from tests.support.faulty_samples import released

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.databases import Database


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_faulty_release_is_stopped_before_the_first_write(
    fault: Fault,
    old_database: Callable[[str], str],
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    database = new_database(old_database(fault.sample) if fault.old else None)
    if fault.spoil:
        fault.spoil(database)
    release = released(fault.sample, tmp_path / "release", database)
    fault.patch(release)
    before = database.dump()
    if fault.playbook:
        run = deployment(release.sample, "dev", tmp_path).deploy(succeed=None, **fault.options)
        failed, said = run.returncode != 0, run.output
    else:
        answer = role_steps.deploy(release, fault.old, **fault.options)
        failed, said = bool(answer.get("failed")), json.dumps(answer, ensure_ascii=False)
    assert (failed, database.dump() == before) == (True, True), said
    assert [word for word in fault.words if word not in said] == [], said


@pytest.mark.parametrize("healthy", [*twins(), *HEALTHY], ids=str)
def test_a_release_that_is_right_is_deployed(
    healthy: Healthy,
    old_database: Callable[[str], str],
    new_database: Callable[..., Database],
    tmp_path: Path,
) -> None:
    database = new_database(old_database(healthy.sample) if healthy.old else None)
    if healthy.prepare:
        healthy.prepare(database)
    release = released(healthy.sample, tmp_path / "release", database)
    healthy.patch(release)
    answer = role_steps.deploy(release, healthy.old, **healthy.options)
    assert not answer.get("failed"), answer
    assert answer["pending"] == answer["missing"] == answer["problems"] == []
