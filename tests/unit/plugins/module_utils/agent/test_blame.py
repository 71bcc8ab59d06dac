# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.blame import operation_of, place_of
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

if TYPE_CHECKING:
    from pathlib import Path


def broken(apps: Any, schema_editor: Any) -> None:
    raise ValueError("no tenant exists")


def error_of(*operations: Any) -> BaseException:
    """What ends a migration of these operations."""
    migration = migrations.Migration("0002_more", "plants")
    migration.operations = list(operations)
    with connection.cursor() as cursor:
        # SQLite's editor wants them off.
        cursor.execute("PRAGMA foreign_keys = OFF")
    with pytest.raises(Exception) as caught, connection.schema_editor() as editor:  # noqa: PT011
        migration.apply(ProjectState(), editor)
    return caught.value


def test_the_operation_is_told_in_djangos_words() -> None:
    assert operation_of(error_of(migrations.RunSQL("SELECT 1"), migrations.RunSQL("nonsense"))) == "Raw SQL operation"


def test_python_is_told_with_the_name_of_its_function() -> None:
    assert operation_of(error_of(migrations.RunPython(broken))) == "Raw Python operation (broken)"


def test_of_an_operation_that_is_made_of_others_the_part_is_told() -> None:
    field = migrations.AddField("Dock", "grade", models.IntegerField(null=True))
    both = migrations.SeparateDatabaseAndState(database_operations=[field])
    assert operation_of(error_of(both)) == "Add field grade to Dock"


def test_an_error_that_came_between_operations_has_none() -> None:
    with pytest.raises(ValueError, match="x") as caught:
        raise ValueError("x")
    assert operation_of(caught.value) is None


def test_the_place_is_the_line_of_the_project_below_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plants" / "work.py"
    file.parent.mkdir()
    file.write_text("def work(apps, schema_editor):\n    int('x')\n", encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), namespace)  # noqa: S102
    error = error_of(migrations.RunPython(namespace["work"]))
    monkeypatch.chdir(tmp_path)
    assert place_of(error) == "plants/work.py:2"
    monkeypatch.chdir(file.parent.parent / "plants")
    assert place_of(error) == "work.py:2"
