# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that are right on an empty database and wrong on the one that there is, and databases that are wrong themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .registry import (
    LAST,
    OLD_ROW,
    OLD_SCHEMA,
    SCHEMA,
    add_field,
    add_to_carriers,
    add_to_tenants,
    as_it_is,
    fault,
    operation_nickname,
)

if TYPE_CHECKING:
    from tests.support.databases import Database
    from tests.support.variants import Variant

_INITIAL = "carriers/migrations/0001_initial.py"
_NUMBER = '("mc_number", models.CharField(blank=True, max_length=20)),'


def nickname_in_a_migration_of_its_own(release: Variant) -> None:
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    add_to_carriers(release, "0005_nickname", operation_nickname())


@fault(
    OLD_SCHEMA, OLD_ROW, words=("carriers_carrier", "nickname"), twin=nickname_in_a_migration_of_its_own, playbook=True
)
def migration_edited_in_place(release: Variant) -> None:
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    release.replace(_INITIAL, _NUMBER, _NUMBER + '("nickname", models.CharField(default="", max_length=20)),')


@fault(OLD_SCHEMA, OLD_ROW, words=("carriers_office",))
def table_put_into_an_applied_migration(release: Variant) -> None:
    release.append("carriers/models.py", '\n\nclass Office(models.Model):\n    """A place of work."""\n')
    text = "migrations.CreateModel('Office', [('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID'))]),"
    release.replace(_INITIAL, "operations = [", f"operations = [\n        {text}")


@fault(OLD_SCHEMA, OLD_ROW, words=("carriers_carrier", "nickname"), twin=nickname_in_a_migration_of_its_own)
def name_of_a_deleted_migration_used_again(release: Variant) -> None:
    """The database has recorded a migration of this name, which did something else."""
    last = LAST[release.sample.name]["carriers"]
    parent = "0002_carrier_slug" if release.sample.name == SCHEMA else "0003_fill_carrier_tenant"
    if release.sample.name == SCHEMA:
        release.replace("carriers/models.py", "unique=True)", "blank=True, default='')")
        (release.sample.directory / "carriers/migrations/0003_fill_carrier_slug.py").unlink()
    else:
        release.replace(
            "carriers/models.py",
            'models.ForeignKey("tenants.Tenant", ',
            'models.ForeignKey("tenants.Tenant", null=True, ',
        )
    add_field(release, "nickname = models.CharField(default='', max_length=20)")
    release.migration("carriers", last, parent, operation_nickname())


def _in_public(database: Database) -> list[str]:
    return [schema for schema in database.schemas() if "carriers_carrier" in database.tables(schema)]


def forget_carriers(database: Database) -> None:
    for schema in database.schemas():
        database.execute(f"DELETE FROM \"{schema}\".django_migrations WHERE app = 'carriers'")


@fault(OLD_SCHEMA, OLD_ROW, words=("carriers_carrier", "already exists"), spoil=forget_carriers)
def tables_that_nobody_recorded(release: Variant) -> None:
    as_it_is(release)


def forget_the_first(database: Database) -> None:
    for schema in database.schemas():
        database.execute(f"DELETE FROM \"{schema}\".django_migrations WHERE app = 'carriers' AND name = '0001_initial'")


@fault(OLD_SCHEMA, words=("carriers.0001_initial",), spoil=forget_the_first)
def migration_recorded_before_its_parent(release: Variant) -> None:
    as_it_is(release)


def drop_a_column(database: Database) -> None:
    for schema in _in_public(database):
        database.execute(f'ALTER TABLE "{schema}".carriers_carrier DROP COLUMN mc_number')


@fault(OLD_ROW, words=("carriers_carrier", "mc_number"), spoil=drop_a_column)
def column_lost_from_a_table(release: Variant) -> None:
    as_it_is(release)


def drop_a_table_of_one(database: Database) -> None:
    database.execute('DROP TABLE "globex".carriers_carrier')


@fault(OLD_SCHEMA, words=("globex", "carriers_carrier"), spoil=drop_a_table_of_one)
def table_lost_from_one_tenant(release: Variant) -> None:
    as_it_is(release)


def column_of_one(database: Database) -> None:
    database.execute('ALTER TABLE "globex".carriers_carrier ADD COLUMN nickname varchar(20)')


@fault(
    OLD_SCHEMA,
    words=("globex", "nickname", "already exists"),
    spoil=column_of_one,
    twin=nickname_in_a_migration_of_its_own,
)
def column_that_one_tenant_has_already(release: Variant) -> None:
    nickname_in_a_migration_of_its_own(release)


@fault(OLD_SCHEMA, words=("carriers",), playbook=True)
def app_moved_to_the_shared_ones(release: Variant) -> None:
    release.settings("TENANT_APPS.remove('carriers')\nSHARED_APPS.append('carriers')")


@fault(OLD_SCHEMA, words=("auth",))
def app_moved_to_the_tenants(release: Variant) -> None:
    """Every tenant has recorded its migrations, and none has its tables: an ALTER would find those of the public schema."""
    release.settings("SHARED_APPS.remove('django.contrib.auth')\nTENANT_APPS.append('django.contrib.auth')")


def nickname_filled_first(release: Variant) -> None:
    _required_nickname(
        release, "migrations.RunSQL(\"UPDATE carriers_carrier SET nickname = 'none'\", migrations.RunSQL.noop)"
    )


@fault(
    OLD_SCHEMA,
    OLD_ROW,
    words=("nickname", "0006_required"),
    twin=nickname_filled_first,
    options={"tenancy_rehearse_rows": 100},
    playbook=True,
)
def column_required_where_rows_have_none(release: Variant) -> None:
    _required_nickname(release, "")


def _required_nickname(release: Variant, between: str) -> None:
    add_field(release, "nickname = models.CharField(max_length=20)")
    add_to_carriers(
        release, "0005_nickname", operation_nickname("models.CharField(max_length=20, null=True)") + f", {between}"
    )
    add_to_carriers(
        release,
        "0006_required",
        "migrations.AlterField('carrier', 'nickname', models.CharField(max_length=20))",
        after="0005_nickname",
    )


@fault(OLD_ROW, words=("0005_unique", "23505"), options={"tenancy_rehearse_rows": 100})
def unique_where_rows_are_alike(release: Variant) -> None:
    release.replace("carriers/models.py", "mc_number = models.CharField(", "mc_number = models.CharField(unique=True, ")
    add_to_carriers(
        release,
        "0005_unique",
        "migrations.AlterField('carrier', 'mc_number', models.CharField(blank=True, max_length=20, unique=True))",
    )


@fault(OLD_ROW, words=("accounts",))
def user_model_swapped_under_an_old_database(release: Variant) -> None:
    release.settings("INSTALLED_APPS += ['accounts']\nAUTH_USER_MODEL = 'accounts.User'")
    release.write("accounts/__init__.py", "")
    release.write("accounts/migrations/__init__.py", "")
    release.write(
        "accounts/models.py",
        "from django.contrib.auth.models import AbstractUser\n\n\nclass User(AbstractUser):\n    pass\n",
    )
    # Not against the old database: there makemigrations itself refuses.
    replace(release.sample, environment={"SECRET_KEY": "for tests only"}).manage("makemigrations", "accounts")


@fault(OLD_SCHEMA, words=("tenants", "code"))
def required_column_of_the_tenant_without_a_default(release: Variant) -> None:
    model = "client" if release.sample.name == SCHEMA else "tenant"
    release.replace(
        "tenants/models.py", "    name = models", "    code = models.CharField(max_length=9)\n    name = models"
    )
    add_to_tenants(
        release,
        "0005_code",
        f"migrations.RunSQL('ALTER TABLE tenants_{model} ADD COLUMN code varchar(9) NOT NULL', migrations.RunSQL.noop,"
        f" state_operations=[migrations.AddField('{model}', 'code', models.CharField(max_length=9))])",
    )


@fault(OLD_ROW, words=("0006_nickname", "0005_gone"))
def squashed_migration_of_which_half_is_applied(release: Variant) -> None:
    """The files that it replaces are gone, and the database has recorded only some of them."""
    for name in ("0003_fill_carrier_tenant", "0004_alter_carrier_tenant"):
        (release.sample.directory / f"carriers/migrations/{name}.py").unlink()
    release.migration(
        "carriers",
        "0003_squashed_0005",
        "0002_carrier_tenant",
        "migrations.AlterField('carrier', 'tenant', models.ForeignKey(on_delete=models.CASCADE, related_name='carriers', to='tenants.tenant'))",
        "replaces = [('carriers', '0003_fill_carrier_tenant'), ('carriers', '0004_alter_carrier_tenant'), ('carriers', '0005_gone')]",
    )
    add_to_carriers(release, "0006_nickname", operation_nickname(), after="0005_gone")
    nickname = "nickname = models.CharField(default='', max_length=20)"
    add_field(release, nickname)
