# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.verification import missing_tables

NEEDED = {"plants_plant": "plants", "carriers_carrier": "carriers", "plants_dock": "plants"}


def test_tables_that_are_all_there_are_not_missed() -> None:
    assert missing_tables(NEEDED, {*NEEDED, "something_else"}, ()) == []


def test_tables_that_are_not_there_are_named_in_order() -> None:
    assert missing_tables(NEEDED, (), ()) == ["carriers_carrier", "plants_dock", "plants_plant"]


def test_tables_of_an_app_with_migrations_to_come_are_not_missed_yet() -> None:
    assert missing_tables(NEEDED, {"plants_plant"}, {"plants"}) == ["carriers_carrier"]


def test_a_table_is_looked_for_under_its_exact_name() -> None:
    assert missing_tables({"Plants": "plants"}, {"plants"}, ()) == ["Plants"]
