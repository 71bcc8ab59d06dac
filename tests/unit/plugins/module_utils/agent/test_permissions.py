# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content types and permissions: what there is to be, and the SQL that sees to it."""

from __future__ import annotations

from ansible_collections.meatscentral.tenancy.plugins.module_utils.agent.permissions import (
    Kinds,
    added,
    common,
    literal,
    statements,
    wanted,
)
from django.apps import apps
from django.contrib.auth.management import _get_all_permissions

TAG, BOX = ("things", "tag"), ("things", "box")
MAY = (*TAG, "may", "May")


def test_what_is_new_is_known_by_its_key_and_not_by_its_name():
    before = Kinds((TAG,), (MAY,))
    after = Kinds((TAG, BOX), ((*TAG, "may", "Renamed"), (*BOX, "may", "May")))
    assert added(before, after) == Kinds((BOX,), ((*BOX, "may", "May"),))


def test_what_both_have_is_called_as_the_first_does():
    mine = Kinds((TAG, BOX), (MAY, (*BOX, "may", "May")))
    assert common(mine, Kinds((TAG,), ((*TAG, "may", "Renamed"),))) == Kinds((TAG,), (MAY,))


def test_django_wants_the_same_permissions():
    found = wanted(apps)
    models = [model for config in apps.get_app_configs() for model in config.get_models() if config.models_module]
    assert set(found.content_types) == {(model._meta.app_label, model._meta.model_name) for model in models}
    assert {row[2:] for row in found.permissions} == {
        (codename, str(name)) for model in models for codename, name in _get_all_permissions(model._meta)
    }


def test_nothing_new_is_no_statement():
    assert statements("t1", Kinds()) == []


def test_quotes_and_percent_signs_stay_as_they_are():
    schema = 'per%cent "x"'
    types, permissions = statements(schema, Kinds((TAG,), ((*TAG, "may", "May 'do' 50%"),)))
    assert 'INSERT INTO "per%cent ""x""".django_content_type (app_label, model)' in types
    assert "(0, 'things', 'tag', 'may', 'May ''do'' 50%')" in permissions
    assert literal("it's \\") == "'it''s \\'"
