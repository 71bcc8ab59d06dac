# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is needed and not there."""

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.expected import Gap, Needed, gaps
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.model_tables import OWN, Table

BOX = Needed("plants", OWN, Table("plants_box", {"id": "id", "name": "Name"}))
BETWEEN = Needed("plants", "carriers", Table("plants_box_carriers", {"id": "id", "from": "box_id", "to": "carrier_id"}))


def test_all_that_is_needed_may_be_there_and_more() -> None:
    there = {"plants_box": {"id", "Name", "more"}, "plants_box_carriers": {"id"}, "others": {"id"}}
    assert gaps([BOX, BETWEEN], there) == []


def test_a_table_that_is_not_there_is_one_gap_and_its_columns_are_none() -> None:
    assert gaps([BOX, BETWEEN], {}) == [Gap("plants", "plants_box"), Gap("plants", "plants_box_carriers")]


def test_a_column_that_is_not_there_is_named_with_its_table() -> None:
    assert [gap.name for gap in gaps([BOX], {"plants_box": {"id"}})] == ["plants_box.Name"]


def test_case_counts_where_the_database_says_so() -> None:
    there = {"Plants_Box": {"ID", "name"}}
    assert gaps([BOX], there, folds=True) == []
    assert gaps([BOX], there) == [Gap("plants", "plants_box")]


def test_postgresql_keeps_the_first_63_bytes_of_a_name() -> None:
    long = Needed("plants", OWN, Table("é" * 40, {}))
    assert gaps([long], {"é" * 31: set()}) == []
