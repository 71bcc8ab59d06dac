# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases whose migrations don't fit together: the graph, and what it makes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import (
    EMPTY_ROW,
    EMPTY_SCHEMA,
    OLD_ROW,
    OLD_SCHEMA,
    add_field,
    add_to_carriers,
    add_to_tenants,
    fault,
    operation_nickname,
)

if TYPE_CHECKING:
    from tests.support.variants import Variant


def merged(release: Variant) -> None:
    two_leaves(release)
    release.write(
        "carriers/migrations/0006_merge.py",
        """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("carriers", "0005_nickname"), ("carriers", "0005_rating")]
    operations = []
""",
    )


@fault(EMPTY_SCHEMA, OLD_ROW, words=("carriers", "0005_nickname", "0005_rating"), twin=merged, playbook=True)
def two_leaves(release: Variant) -> None:
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    add_field(release, "rating = models.IntegerField(default=0)")
    add_to_carriers(release, "0005_nickname", operation_nickname())
    add_to_carriers(release, "0005_rating", "migrations.AddField('carrier', 'rating', models.IntegerField(default=0))")


_DOMAIN = """migrations.CreateModel(
    name="Domain",
    fields=[
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("domain", models.CharField(max_length=253, unique=True)),
        ("is_primary", models.BooleanField(default=False)),
        ("tenant", models.ForeignKey(on_delete=models.CASCADE, related_name="domains", to="tenants.tenant")),
    ],
)"""
_SCHEMA_NAME = (
    "migrations.AddField('tenant', 'schema_name', models.CharField(blank=True, max_length=63, null=True, unique=True))"
)
CREATORS = ("0004_client_domain", "0004_add_schema_name_and_domain_model")


def without_domain(release: Variant) -> None:
    """Take the domain model and the schema's name out of the migrations, for others to make."""
    path = "tenants/migrations/0001_initial.py"
    text = (release.sample.directory / path).read_text(encoding="utf-8")
    head = text[: text.index('        migrations.CreateModel(\n            name="Domain"')]
    release.write(path, f"{head}    ]\n")
    (release.sample.directory / "tenants/migrations/0004_tenant_schema_name.py").unlink()


def one_creator(release: Variant) -> None:
    without_domain(release)
    release.migration("tenants", CREATORS[1], "0003_tenantinvitation", f"{_SCHEMA_NAME}, {_DOMAIN}")


@fault(EMPTY_ROW, words=("tenants_domain", *CREATORS), twin=one_creator, playbook=True)
def table_made_twice_behind_a_merge(release: Variant) -> None:
    one_creator(release)
    release.migration("tenants", CREATORS[0], "0003_tenantinvitation", _DOMAIN)
    release.write(
        "tenants/migrations/0005_merge.py",
        f"""from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tenants", "{CREATORS[0]}"), ("tenants", "{CREATORS[1]}")]
    operations = []
""",
    )


@fault(OLD_SCHEMA, words=("carriers_office",))
def table_made_twice_under_two_models(release: Variant) -> None:
    fields = "[('id', models.BigAutoField(primary_key=True))]"
    add_to_carriers(release, "0005_office", f"migrations.CreateModel('Office', {fields})")
    add_to_carriers(
        release,
        "0006_branch",
        f"migrations.CreateModel('Branch', {fields}, options={{'db_table': 'carriers_office'}})",
        after="0005_office",
    )


@fault(EMPTY_ROW, words=("tenants_domain",))
def table_renamed_over_another(release: Variant) -> None:
    release.append("carriers/models.py", "Carrier._meta.db_table = 'tenants_domain'")
    add_to_carriers(release, "0005_table", "migrations.AlterModelTable('carrier', 'tenants_domain')")


def column_once(release: Variant) -> None:
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    add_to_carriers(release, "0005_nickname", operation_nickname())


@fault(EMPTY_ROW, OLD_SCHEMA, words=("nickname", "carriers"), twin=column_once)
def column_added_twice(release: Variant) -> None:
    column_once(release)
    add_to_carriers(release, "0006_nickname_again", operation_nickname(), after="0005_nickname")


@fault(EMPTY_SCHEMA, words=("0005_gone",))
def dangling_parent(release: Variant) -> None:
    add_to_carriers(release, "0006_nickname", operation_nickname(), after="0005_gone")


@fault(OLD_SCHEMA, words=("billing",))
def dependency_on_an_app_that_is_not_there(release: Variant) -> None:
    add_to_carriers(release, "0005_invoice", "")
    release.replace(
        "carriers/migrations/0005_invoice.py", "dependencies = [", "dependencies = [('billing', '0001_initial'), "
    )


@fault(EMPTY_ROW, words=("carriers", "tenants", "0005_"))
def circular_dependency(release: Variant) -> None:
    add_to_carriers(release, "0005_first", "")
    add_to_tenants(release, "0005_second", "")
    release.replace(
        "carriers/migrations/0005_first.py", "dependencies = [", "dependencies = [('tenants', '0005_second'), "
    )
    release.replace(
        "tenants/migrations/0005_second.py", "dependencies = [", "dependencies = [('carriers', '0005_first'), "
    )


def in_order(release: Variant) -> None:
    table_of_another_app_that_is_made_later(release)
    release.replace(
        "carriers/migrations/0005_supplier.py",
        "dependencies = [",
        "dependencies = [('suppliers', '0003_supplier_country_supplier_supplier_country_name_idx'), ",
    )


@fault(EMPTY_SCHEMA, words=("suppliers",), twin=in_order)
def table_of_another_app_that_is_made_later(release: Variant) -> None:
    """Nothing says that the other app comes first, and by its name it does not."""
    release.settings("TENANT_APPS += ['suppliers']\nINSTALLED_APPS += ['suppliers']")
    field = "models.ForeignKey('suppliers.Supplier', null=True, on_delete=models.CASCADE)"
    add_field(release, f"supplier = {field}")
    add_to_carriers(release, "0005_supplier", f"migrations.AddField('carrier', 'supplier', {field})")


def squashed(release: Variant) -> None:
    replaces = [("carriers", "0001_initial"), ("carriers", "0002_carrier_slug")]
    release.write(
        "carriers/migrations/0001_squashed_0002.py",
        f"""from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = {replaces}
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Carrier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("mc_number", models.CharField(blank=True, max_length=20)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("slug", models.SlugField(blank=True, default="", max_length=200)),
            ],
        ),
    ]
""",
    )


@fault(EMPTY_SCHEMA, words=("carriers", "0001_squashed_0002"), twin=squashed)
def squashed_migration_that_no_longer_says_what_it_replaces(release: Variant) -> None:
    squashed(release)
    path = release.sample.directory / "carriers/migrations/0001_squashed_0002.py"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "replaces" not in line), encoding="utf-8")
