# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases whose code does not load, or that Django's own checks refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .registry import (
    EMPTY_ROW,
    EMPTY_SCHEMA,
    OLD_ROW,
    OLD_SCHEMA,
    add_field,
    add_to_carriers,
    fault,
    operation_nickname,
)

if TYPE_CHECKING:
    from tests.support.variants import Variant


@fault(EMPTY_SCHEMA, words=("SyntaxError", "config/settings"))
def syntax_error_in_the_settings(release: Variant) -> None:
    release.settings("INSTALLED_APPS += [")


@fault(OLD_ROW, words=("SyntaxError", "carriers/models.py"))
def syntax_error_in_the_models(release: Variant) -> None:
    release.append("carriers/models.py", "class Broken(models.Model)\n    pass")


@fault(OLD_SCHEMA, words=("SyntaxError", "0005_nickname.py"), playbook=True)
def merge_markers_in_a_migration(release: Variant) -> None:
    add_to_carriers(release, "0005_nickname", operation_nickname())
    release.append("carriers/migrations/0005_nickname.py", "<<<<<<< HEAD\n=======\n>>>>>>> release")


@fault(EMPTY_ROW, words=("PAYMENT_KEY",))
def missing_setting_in_the_environment(release: Variant) -> None:
    release.settings("PAYMENT_KEY = required('PAYMENT_KEY')")


@fault(EMPTY_SCHEMA, words=("PAYMENT_KEY",))
def missing_setting_that_a_model_wants(release: Variant) -> None:
    release.append("carriers/models.py", "from django.conf import settings\nKEY = settings.PAYMENT_KEY")


@fault(EMPTY_ROW, words=("NameError", "settings"))
def dropped_import_in_the_models(release: Variant) -> None:
    release.replace("tenants/models.py", "from django.conf import settings\n", "")


@fault(OLD_SCHEMA, words=("NameError", "models"))
def dropped_import_in_a_migration(release: Variant) -> None:
    add_field(release, "nickname = " + "models.CharField(default='', max_length=20)")
    add_to_carriers(release, "0005_nickname", operation_nickname())
    release.replace("carriers/migrations/0005_nickname.py", "migrations, models", "migrations")


def keeps_the_function(release: Variant) -> None:
    release.append("carriers/models.py", "def default_nickname():\n    return 'none'")
    imports_a_deleted_function(release)


@fault(EMPTY_ROW, words=("ImportError", "default_nickname"), twin=keeps_the_function)
def imports_a_deleted_function(release: Variant) -> None:
    field = "models.CharField(default=default_nickname, max_length=20)"
    add_field(release, "nickname = models.CharField(default='none', max_length=20)")
    add_to_carriers(release, "0005_nickname", operation_nickname(field))
    release.replace(
        "carriers/migrations/0005_nickname.py",
        "from django.db import",
        "from carriers.models import default_nickname\nfrom django.db import",
    )


@fault(EMPTY_SCHEMA, words=("Migration class", "0005_nickname"))
def migration_without_its_class(release: Variant) -> None:
    add_to_carriers(release, "0005_nickname", operation_nickname())
    release.replace("carriers/migrations/0005_nickname.py", "class Migration(", "class Migrations(")


@fault(OLD_ROW, words=("no_such_package",))
def package_that_is_not_installed(release: Variant) -> None:
    release.settings("INSTALLED_APPS += ['no_such_package']")


@fault(EMPTY_SCHEMA, words=("carriers",))
def app_named_twice(release: Variant) -> None:
    release.settings("INSTALLED_APPS += ['carriers']")


@fault(EMPTY_ROW, words=("carrier", "carriers.legacy"))
def model_registered_twice(release: Variant) -> None:
    release.write(
        "carriers/legacy.py",
        "from django.db import models\n\n\nclass Carrier(models.Model):\n    class Meta:\n        app_label = 'carriers'\n",
    )
    release.append("carriers/models.py", "from carriers import legacy")


@fault(EMPTY_ROW, words=("tenants.Tenant.site", "sites"))
def foreign_key_to_an_app_that_is_not_installed(release: Variant) -> None:
    release.replace(
        "tenants/models.py",
        "    is_active =",
        "    site = models.ForeignKey('sites.Site', null=True, on_delete=models.CASCADE)\n    is_active =",
    )


@fault(OLD_SCHEMA, words=("fields.E304",))
def clash_that_a_check_sees(release: Variant) -> None:
    release.append(
        "carriers/models.py",
        """
class Office(models.Model):
    first = models.ForeignKey(Carrier, on_delete=models.CASCADE)
    second = models.ForeignKey(Carrier, on_delete=models.CASCADE)
""",
    )


@fault(EMPTY_SCHEMA, words=("models.E034",))
def index_name_too_long(release: Variant) -> None:
    index = f"models.Index(fields=['name'], name='{'ix_' * 12}')"
    release.replace(
        "carriers/models.py", "    def __str__", f"    class Meta:\n        indexes = [{index}]\n\n    def __str__"
    )
    add_to_carriers(release, "0005_index", f"migrations.AddIndex('carrier', {index})")


@fault(OLD_ROW, words=("gone", "ImportError"))
def dropped_import_behind_an_address(release: Variant) -> None:
    release.write("config/no_urls.py", "from carriers.models import gone\n\nurlpatterns = []\n")


@fault(EMPTY_ROW, words=("accounts.User",))
def user_model_of_an_app_that_is_not_there(release: Variant) -> None:
    release.settings("AUTH_USER_MODEL = 'accounts.User'")


@fault(EMPTY_SCHEMA, words=("auth.Usr",))
def user_model_misspelt(release: Variant) -> None:
    release.settings("AUTH_USER_MODEL = 'auth.Usr'")
