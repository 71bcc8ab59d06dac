# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rehearsal in the real database: one schema's plan in one transaction that is rolled back."""

from __future__ import annotations

import re

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import ProjectError

ADD = "migrations.AddField('Tag', 'more', models.IntegerField(null=True))"
UNIQUE = "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['note'], name='one_note'))"


def dump(database):
    """All but where sequences stand: no rollback takes that back."""
    return re.sub(r"SELECT pg_catalog.setval.*", "", database.dump())


def refused(pair, **options):
    before = dump(pair.ours)
    with pytest.raises(ProjectError) as caught:
        pair.migrate(rehearse="rollback", **options)
    assert dump(pair.ours) == before
    return caught.value


def test_what_the_real_rows_refuse_is_found_and_rolled_back(pair):
    pair.release(ADD)
    pair.release(UNIQUE)
    error = refused(pair, schemas=["t3"])
    (failure,) = error.details["rehearsal"]["failures"]
    assert (failure["schema"], failure["migration"], failure["sqlstate"]) == ("t3", "things.0003_more", "23505")
    assert failure["operation"] == "Create constraint one_note on model Item"
    assert error.details["rehearsal"]["method"] == "rollback"
    pair.execute("UPDATE t3.things_item SET note = id")
    reply = pair.migrate(rehearse="rollback", schemas=["t3"])
    assert reply["rehearsal"]["migrations"] == 2
    assert [group["schemas"] for group in reply["migrated"]] == [["t3"]]


def test_a_check_that_waits_for_the_commit_is_made_before_the_rollback(pair):
    pair.release("migrations.RunSQL('UPDATE things_item SET country_id = 4711')")
    assert "23503" in str(refused(pair, schemas=["t2"]))


def test_it_wants_exactly_one_schema_and_a_plan_that_can_be_one_transaction(pair):
    pair.release(ADD)
    assert "wants exactly one schema" in str(refused(pair))
    assert "wants exactly one schema" in str(refused(pair, schemas=["t1", "t2"]))
    pair.releases.add("migrations.RunSQL('SELECT 1')", atomic=False)
    assert "things.0003_more is not atomic" in str(refused(pair, schemas=["t1"]))


def test_it_waits_for_a_lock_no_longer_than_it_is_allowed_to_and_raises_no_alarm(pair):
    pair.release(ADD)
    with pair.ours.connect() as other:
        other.execute("BEGIN; LOCK TABLE t1.things_tag")
        reply = pair.migrate(rehearse="rollback", schemas=["t1"], lock_timeout=0.3, retries=0)
    assert "Perhaps only because somebody held a lock" in reply["warnings"][0]
    assert [failure["sqlstate"] for failure in reply["failed"]] == ["55P03"]
