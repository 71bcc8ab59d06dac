# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules on the code: each on a project with that fault, and clear once its hint is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from tests.support.variants import Variant

NOTE = "migrations.AddField('Carrier', 'note', models.TextField(default=''))"
LAST = "0004_alter_carrier_tenant"


def line_of(variant: Variant, path: str, text: str) -> str:
    lines = (variant.sample.directory / path).read_text("utf-8").splitlines()
    return f"{path}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_models_of_one_name_in_one_app_do_not_load_and_the_hint_says_so(row_variant: Variant) -> None:
    variant = row_variant.write(
        "carriers/more.py", (row_variant.sample.directory / "carriers/models.py").read_text("utf-8")
    )
    variant.append("carriers/models.py", "from carriers import more  # noqa\n")
    found = only(audit(variant, "project-loads"))
    assert "Conflicting 'carrier' models in application 'carriers'" in found["message"]
    assert found["hint"].startswith(
        "Take one of the two classes out, or give it another name: one of them is at carriers/more.py:"
    )
    variant.replace("carriers/more.py", "class Carrier(", "class OtherCarrier(")
    assert audit(variant, "project-loads") == []


def test_an_error_of_the_system_checks_is_an_error_and_a_silenced_one_is_none(row_variant: Variant) -> None:
    variant = row_variant.append(
        "carriers/models.py",
        "class Rate(models.Model):\n    carrier = models.CharField()\n    amount = models.DecimalField()\n",
    )
    findings = audit(variant, "system-checks")
    assert {item["severity"] for item in findings} == {"error"}
    assert {item["place"] for item in findings} == {line_of(variant, "carriers/models.py", "class Rate")}
    assert any(item["message"].startswith("fields.E130: ") for item in findings)
    variant.settings("SILENCED_SYSTEM_CHECKS = ['fields.E120', 'fields.E130', 'fields.E132']")
    assert audit(variant, "system-checks") == []


def test_a_check_that_fails_itself_is_an_error_at_its_line(row_variant: Variant) -> None:
    variant = row_variant.append(
        "carriers/models.py",
        "from django.core import checks\n\n\n@checks.register()\ndef rates(**kwargs):\n    return kwargs['rates']\n",
    )
    found = only(audit(variant, "system-checks"))
    assert found["place"] == line_of(variant, "carriers/models.py", "return kwargs")
    assert "The system check carriers.models.rates fails" in found["message"]
    assert "KeyError: 'rates'" in found["message"]
    variant.replace("carriers/models.py", "return kwargs['rates']", "return []")
    assert audit(variant, "system-checks") == []


def test_a_model_that_changed_since_its_migrations_is_a_warning_at_the_model(row_variant: Variant) -> None:
    variant = row_variant.replace(
        "carriers/models.py", "    mc_number", "    note = models.TextField(default='')\n    mc_number"
    )
    found = only(audit(variant, "models-without-migration"))
    assert (found["severity"], found["place"]) == ("warning", line_of(variant, "carriers/models.py", "class Carrier"))
    assert found["message"] == "The models of the app carriers are ahead of its migrations: Add field note to carrier."
    assert found["hint"].startswith("Run 'manage.py makemigrations carriers'")
    variant.sample.manage("makemigrations", "carriers")
    assert audit(variant, "models-without-migration") == []


def test_a_package_whose_models_are_ahead_is_no_finding(row_variant: Variant) -> None:
    """Its migrations are not the project's to write."""
    row_variant.settings(
        "INSTALLED_APPS += ['django.contrib.sites']\nDEFAULT_AUTO_FIELD = 'django.db.models.SmallAutoField'"
    )
    row_variant.settings("SITE_ID = 1")
    findings = audit(row_variant, "models-without-migration")
    assert {item["message"].split()[5] for item in findings} <= {"carriers", "tenants"}


def test_a_dependency_that_is_not_there_is_an_error_at_the_migration_that_names_it(row_variant: Variant) -> None:
    variant = row_variant.migration("carriers", "0006_note", "0005_rating", NOTE)
    found = only(audit(variant, "missing-dependency"))
    assert (found["severity"], found["place"]) == ("error", "carriers/migrations/0006_note.py:4")
    assert found["message"] == "carriers.0006_note depends on carriers.0005_rating, which is not on disk."
    variant.migration("carriers", "0005_rating", LAST, "")
    assert audit(variant, "missing-dependency") == []


def test_a_dependency_on_an_app_that_is_not_installed_is_an_error(row_variant: Variant) -> None:
    variant = row_variant.migration("carriers", "0005_note", LAST, NOTE)
    variant.replace("carriers/migrations/0005_note.py", "dependencies = [", "dependencies = [('sites', '__first__'), ")
    found = only(audit(variant, "missing-dependency"))
    assert found["message"] == "carriers.0005_note depends on the app sites, which is not installed."
    variant.settings("INSTALLED_APPS += ['django.contrib.sites']")
    assert audit(variant, "missing-dependency") == []


def test_migrations_in_a_circle_are_an_error(row_variant: Variant) -> None:
    variant = row_variant.migration("carriers", "0005_note", "0006_more", NOTE)
    variant.migration("carriers", "0006_more", "0005_note", "")
    found = only(audit(variant, "missing-dependency"))
    assert "carriers.0005_note" in found["message"]
    variant.replace("carriers/migrations/0005_note.py", "'0006_more'", f"'{LAST}'")
    assert audit(variant, "missing-dependency") == []


def test_a_migration_that_can_not_be_read_is_an_error_at_its_line(row_variant: Variant) -> None:
    variant = row_variant.migration("carriers", "0005_note", LAST, NOTE + ",,")
    found = only(audit(variant, "missing-dependency"))
    assert (found["severity"], found["place"]) == ("error", "carriers/migrations/0005_note.py:7")
    variant.replace("carriers/migrations/0005_note.py", ",,", "")
    assert audit(variant, "missing-dependency") == []
    variant.write("carriers/migrations/0006_empty.py", "")
    assert "0006_empty in app carriers has no Migration class" in only(audit(variant, "missing-dependency"))["message"]


def test_an_operation_on_what_no_migration_makes_is_an_error_at_the_operation(row_variant: Variant) -> None:
    operations = [
        "migrations.RemoveField('Carrier', 'weight')",
        "migrations.AddField('Carrier', 'site', models.ForeignKey('sites.Site', models.CASCADE, null=True))",
    ]
    variant = row_variant.settings("INSTALLED_APPS += ['django.contrib.sites']")
    variant.migration("carriers", "0005_weight", LAST, ",\n        ".join(operations))
    first, second = audit(variant, "missing-dependency")
    assert (first["severity"], first["place"]) == ("error", "carriers/migrations/0005_weight.py:7")
    assert first["message"].startswith("carriers.0005_weight does not fit what the migrations before it make: ")
    assert second["place"] == "carriers/migrations/0005_weight.py:8"
    assert "carriers.Carrier.site points at sites.Site, which no migration before it makes" in second["message"]
    variant.replace("carriers/migrations/0005_weight.py", operations[0] + ",\n", "")
    variant.replace(
        "carriers/migrations/0005_weight.py",
        "dependencies = [",
        "dependencies = [('sites', '0002_alter_domain_unique'), ",
    )
    assert audit(variant, "missing-dependency") == []


def test_two_migrations_in_a_row_with_one_number_are_a_warning(row_variant: Variant) -> None:
    variant = row_variant.migration("carriers", "0004_note", LAST, NOTE)
    found = only(audit(variant, "number-taken-twice"))
    assert (found["severity"], found["place"]) == ("warning", "carriers/migrations/0004_note.py:4")
    assert found["message"] == f"2 migrations of the app carriers have the number 0004: {LAST}, 0004_note."
    assert found["hint"] == "Rename carriers.0004_note to 0005_note, also where other migrations depend on it."
    directory = variant.sample.directory / "carriers/migrations"
    (directory / "0004_note.py").rename(directory / "0005_note.py")
    assert audit(variant, "number-taken-twice") == []


def test_a_recorded_migration_keeps_its_number_and_is_named_in_ignore(row_variant: Variant) -> None:
    variant = row_variant.migration("carriers", "0004_note", LAST, NOTE)
    variant.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('carriers', '0004_note', '2026-01-01')")
    hint = only(audit(variant, "number-taken-twice"))["hint"]
    assert hint.startswith("carriers.0004_note is recorded")
    assert audit(variant, "number-taken-twice", ignore=[hint.split()[-3]]) == []


def test_branches_that_a_merge_joins_and_squashed_migrations_may_share_a_number(row_variant: Variant) -> None:
    variant = row_variant
    for name in ("0005_one", "0005_two", "0005_three"):
        variant.migration("carriers", name, LAST, "")
    variant.migration("carriers", "0006_merge", "0005_one", "")
    variant.replace(
        "carriers/migrations/0006_merge.py",
        "('carriers', '0005_one')",
        "('carriers', '0005_one'), ('carriers', '0005_two')",
    )
    variant.migration("carriers", "0007_merge", "0006_merge", "")
    variant.replace(
        "carriers/migrations/0007_merge.py",
        "('carriers', '0006_merge')",
        "('carriers', '0006_merge'), ('carriers', '0005_three')",
    )
    squashes = "replaces = [('carriers', '0006_merge'), ('carriers', '0007_merge')]"
    variant.migration("carriers", "0006_squashed_0007_merge", "0005_one", "", squashes)
    assert audit(variant, "number-taken-twice") == []


def test_a_model_defined_twice_is_an_error_at_the_second(row_variant: Variant) -> None:
    """Django lets the second take the place of the first, and only warns."""
    variant = row_variant.append(
        "carriers/models.py", "class Rate(models.Model):\n    pass\n\n\nclass Rate(models.Model):\n    pass\n"
    )
    found = only(audit(variant, "model-registered-twice"))
    first = line_of(variant, "carriers/models.py", "class Rate").rpartition(":")[2]
    assert (found["severity"], found["place"]) == ("error", f"carriers/models.py:{int(first) + 4}")
    assert f"the class at line {int(first) + 4} takes the place of the one at line {first}" in found["message"]
    variant.replace("carriers/models.py", "class Rate(models.Model):\n    pass\n\n\nclass Rate", "class Rate")
    assert audit(variant, "model-registered-twice") == []
