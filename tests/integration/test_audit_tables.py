# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules on what migrations do to tables: each on a project with that fault, and clear once its hint is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.audits import audit, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.variants import Variant

MADE = ("table-made-twice", "column-added-twice", "index-made-twice", "table-not-there")
ID = "('id', models.BigAutoField(primary_key=True))"


def model(name: str, *more: str) -> str:
    return f"migrations.CreateModel({name!r}, [{ID}], {', '.join(more)})"


def state_only(variant: Variant, path: str, operation: str) -> None:
    """What the hint says to the letter."""
    variant.replace(path, operation, f"migrations.SeparateDatabaseAndState(state_operations=[{operation}])")


def last(variant: Variant) -> str:
    return "0004_alter_carrier_slug" if variant.sample.name == "schema_tenants" else "0004_alter_carrier_tenant"


def two_creators(variant: Variant) -> Variant:
    """As two branches made it that were merged: both make the table, and a merge migration hides it."""
    variant.migration("carriers", "0005_rate", last(variant), model("Rate"))
    variant.migration("carriers", "0005_add_kind_and_rate", last(variant), model("Rate"))
    return variant.write(
        "carriers/migrations/0006_merge.py",
        """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("carriers", "0005_rate"), ("carriers", "0005_add_kind_and_rate")]
""",
    )


def test_a_table_made_on_two_branches_behind_a_merge_is_an_error_where_tenants_get_it(
    schema_variant: Callable[..., Variant],
) -> None:
    variant = two_creators(schema_variant())
    found = only(audit(variant, *MADE))
    assert (found["rule"], found["severity"]) == ("table-made-twice", "error")
    assert found["place"] == "carriers/migrations/0005_add_kind_and_rate.py:7"
    assert found["message"] == (
        "carriers.0005_add_kind_and_rate makes the table carriers_rate, which carriers.0005_rate"
        " (carriers/migrations/0005_rate.py:7) has made already: it would fail in new tenants' schemas."
    )
    assert "carriers/migrations/0005_add_kind_and_rate.py:7 in migrations.SeparateDatabaseAndState" in found["hint"]
    variant.tenants({"schema": "acme", "defaults": {"name": "A", "paid_until": "2099-12-31"}, "domains": ["a.example"]})
    state_only(variant, "carriers/migrations/0005_add_kind_and_rate.py", model("Rate"))
    assert audit(variant, *MADE) == []
    migrated = variant.module("django_migrate_schemas")
    assert not migrated.get("failed"), migrated


def test_it_names_the_schemas_in_which_it_is_pending(row_variant: Variant) -> None:
    found = only(audit(two_creators(row_variant), *MADE))
    assert (found["severity"], found["schemas"]) == ("error", ["main"])
    assert found["message"].endswith("it would fail in main.")


def test_it_is_a_warning_where_the_second_is_recorded(row_variant: Variant) -> None:
    variant = two_creators(row_variant)
    for name in ("0005_rate", "0005_add_kind_and_rate"):
        variant.execute(
            f"INSERT INTO django_migrations (app, name, applied) VALUES ('carriers', '{name}', '2026-01-01')"
        )
    found = only(audit(variant, *MADE))
    assert found["severity"] == "warning"
    assert "in an empty database, though not here" in found["message"]


def test_all_ways_to_make_a_table_count(row_variant: Variant) -> None:
    """By its name, by a new name, through a many-to-many field, in a statement, and apart from the state."""
    more = ", ".join(
        [
            model("One", "options={'db_table': 'shared'}"),
            model("Two"),
            "migrations.AlterModelTable('Two', 'shared')",
            "migrations.AddField('One', 'twos', models.ManyToManyField('carriers.Two', db_table='carriers_two'))",
            "migrations.RunSQL('CREATE TABLE said (id int)')",
            "migrations.SeparateDatabaseAndState(database_operations=["
            + model("Said", "options={'db_table': 'said'}")
            + "])",
            "migrations.RunSQL('CREATE TABLE IF NOT EXISTS said (id int); DROP TABLE said')",
            model("Said", "options={'db_table': 'said'}"),
        ]
    )
    found = audit(row_variant.migration("carriers", "0005_more", "0004_alter_carrier_tenant", more), *MADE)
    tables = [item["message"].partition(", which")[0] for item in found]
    assert tables == [
        "carriers.0005_more renames a table to shared",
        "carriers.0005_more makes the table said",
    ]


def test_models_that_share_a_table_are_a_warning_and_proxies_are_not(row_variant: Variant) -> None:
    """Django's own check of it is only a warning where the project has routers."""
    models = """

class Haulier(models.Model):
    class Meta:
        db_table = "carriers_carrier"


class Legacy(models.Model):
    class Meta:
        db_table = "carriers_carrier"
        managed = False


class Proxy(Carrier):
    class Meta:
        proxy = True
"""
    found = only(audit(row_variant.append("carriers/models.py", models), *MADE))
    assert (found["rule"], found["severity"]) == ("table-made-twice", "warning")
    assert found["message"].startswith("The models carriers.Carrier and carriers.Haulier have the same table")
    assert found["place"].startswith("carriers/models.py:")
    row_variant.replace(
        "carriers/models.py",
        'class Haulier(models.Model):\n    class Meta:\n        db_table = "carriers_carrier"\n',
        'class Haulier(models.Model):\n    class Meta:\n        db_table = "carriers_carrier"\n        managed = False\n',
    )
    assert audit(row_variant, *MADE) == []


def test_one_name_in_public_and_in_the_tenants_schemas_is_no_fault(schema_variant: Callable[..., Variant]) -> None:
    variant = schema_variant()
    for app, after in (("carriers", "0004_alter_carrier_slug"), ("tenants", "0002_client_on_trial_client_paid_until")):
        variant.migration(app, "0005_note", after, model("Note", "options={'db_table': 'notes'}"))
    assert audit(variant, *MADE) == []


def test_a_column_added_twice_is_an_error(row_variant: Variant) -> None:
    field = "migrations.AddField('Carrier', 'rating', models.IntegerField(null=True))"
    variant = row_variant.migration("carriers", "0005_rating", "0004_alter_carrier_tenant", field)
    variant.migration("carriers", "0006_rating_again", "0005_rating", field)
    found = only(audit(variant, *MADE))
    assert (found["rule"], found["severity"]) == ("column-added-twice", "error")
    assert found["place"] == "carriers/migrations/0006_rating_again.py:7"
    assert found["message"] == (
        "carriers.0006_rating_again adds carriers_carrier.rating, which carriers.0005_rating"
        " (carriers/migrations/0005_rating.py:7) has made already: it would fail in main."
    )
    state_only(variant, "carriers/migrations/0006_rating_again.py", field)
    assert audit(variant, *MADE) == []


def test_an_index_made_twice_is_an_error(schema_variant: Callable[..., Variant]) -> None:
    """The first is there already, in every tenant."""
    variant = schema_variant()
    index = "migrations.AddIndex('Carrier', models.Index(fields=['name'], name='by_name'))"
    variant.migration("carriers", "0005_index", last(variant), index)
    variant.tenants({"schema": "acme", "defaults": {"name": "A", "paid_until": "2099-12-31"}, "domains": ["a.example"]})
    variant.migration("carriers", "0006_index_again", "0005_index", index)
    found = only(audit(variant, *MADE))
    assert (found["rule"], found["severity"], found["schemas"]) == ("index-made-twice", "error", ["acme"])
    assert found["message"] == (
        "carriers.0006_index_again makes the index by_name of carriers_carrier, which carriers.0005_index"
        " (carriers/migrations/0005_index.py:7) has made already: it would fail in acme."
    )
    state_only(variant, "carriers/migrations/0006_index_again.py", index)
    assert audit(variant, *MADE) == []


def test_a_policy_before_its_table_is_an_error(schema_variant: Callable[..., Variant]) -> None:
    """The table is there in the end, and not yet where the statement runs."""
    variant = schema_variant()
    secure = "migrations.RunSQL('ALTER TABLE carriers_rate ENABLE ROW LEVEL SECURITY', migrations.RunSQL.noop)"
    variant.migration("carriers", "0006_secure", "0004_alter_carrier_slug", secure)
    variant.migration("carriers", "0005_rate", "0004_alter_carrier_slug", model("Rate"))
    variant.write(
        "carriers/migrations/0007_merge.py",
        """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("carriers", "0006_secure"), ("carriers", "0005_rate")]
""",
    )
    found = only(audit(variant, *MADE))
    assert (found["rule"], found["severity"]) == ("table-not-there", "error")
    assert found["message"] == (
        "carriers.0006_secure needs the table carriers_rate, which only carriers.0005_rate (carriers/migrations/0005_rate.py:7)"
        " makes, later: it would fail in new tenants' schemas."
    )
    assert found["hint"].startswith("Add ('carriers', '0005_rate') to the dependencies of carriers.0006_secure")
    variant.replace(
        "carriers/migrations/0006_secure.py",
        "('carriers', '0004_alter_carrier_slug')",
        "('carriers', '0004_alter_carrier_slug'), ('carriers', '0005_rate')",
    )
    assert audit(variant, *MADE) == []


def test_a_column_that_is_gone_is_missed_and_tables_of_others_are_not(row_variant: Variant) -> None:
    more: list[Any] = [
        "migrations.RemoveField('Carrier', 'mc_number')",
        "migrations.RunSQL('INSERT INTO of_another_program VALUES (1)')",
        "migrations.RunSQL('ALTER TABLE carriers_carrier DROP COLUMN mc_number')",
    ]
    variant = row_variant.migration("carriers", "0005_more", "0004_alter_carrier_tenant", ", ".join(more))
    found = only(audit(variant, *MADE))
    assert found["rule"] == "table-not-there"
    assert "needs the column carriers_carrier.mc_number, which carriers.0005_more" in found["message"]
    assert found["hint"] == f"Take the operation at {found['place']} out."
    variant.replace("carriers/migrations/0005_more.py", ", " + more[2], "")
    assert audit(variant, *MADE) == []
