# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rehearsal where tenants are there already: one schema of each state stands for all, and what the copy lacks is no alarm."""

from __future__ import annotations

import pytest
from ansible_collections.meatscentral.tenancy.plugins.module_utils._errors import ProjectError

from tests.support.rehearsals import ACME, scratch_databases, warnings

ADD = "migrations.AddField('Tag', 'more', models.IntegerField(null=True))"
REQUIRED = "migrations.AlterField('Item', 'made', models.DateTimeField())"
UNIQUE = "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['note'], name='one_note'))"


def rehearsal(pair, **options):
    """The answer to a check that rehearses, which writes nothing."""
    before = pair.ours.dump()
    reply = pair.migrate(check=True, rehearse="scratch", **options)
    assert pair.ours.dump() == before
    return reply


def failed(pair, **options):
    with pytest.raises(ProjectError) as caught:
        rehearsal(pair, **options)
    return caught.value


def test_one_schema_stands_for_those_that_are_like_it(pair):
    pair.release(ADD)
    reply = rehearsal(pair)
    assert reply["warnings"] == []
    assert reply["rehearsal"]["schemas"] == [{"schema": "t1", "stands_for": 5, "like": ["t2", "t3", "t4", "t5"]}]
    assert reply["rehearsal"]["sql"] == {
        "things.0002_more": ['ALTER TABLE "things_tag" ADD COLUMN "more" integer NULL']
    }
    pair.ours.execute("ALTER TABLE t3.things_tag ADD COLUMN more integer")
    error = failed(pair)
    assert "would fail in t3 with: column" in str(error)
    assert error.details["rehearsal"]["schemas"] == [
        {"schema": "t1", "stands_for": 4, "like": ["t2", "t4", "t5"]},
        {"schema": "t3", "stands_for": 1, "like": []},
    ]
    assert [failure["stands_for"] for failure in error.details["rehearsal"]["failures"]] == [1]
    assert scratch_databases(pair.ours) == []


def test_what_rows_make_fail_is_found_where_rows_are_copied(pair):
    pair.release(REQUIRED)
    assert rehearsal(pair)["warnings"] == []
    error = failed(pair, rehearse_rows=100)
    (failure,) = error.details["rehearsal"]["failures"]
    assert (failure["migration"], failure["sqlstate"]) == ("things.0002_more", "23502")
    assert failure["operation"] == "Alter field made on Item"
    assert "like 4 others" in str(error)


def test_a_value_that_is_there_twice_is_found_where_rows_are_copied(pair):
    pair.release(UNIQUE)
    assert rehearsal(pair)["warnings"] == []
    assert failed(pair, rehearse_rows=100).details["rehearsal"]["failures"][0]["sqlstate"] == "23505"


READS = """
def work(apps, schema_editor):
    apps.get_model('things', 'Item').objects.get(name='item 1')
"""


def test_python_that_misses_a_row_that_was_not_copied_is_no_alarm(pair):
    pair.release("migrations.RunPython(work)", body=READS)
    reply = rehearsal(pair)
    assert "Perhaps only because it reads things_item" in reply["warnings"][0]
    assert rehearsal(pair, rehearse_rows=100)["warnings"] == []


def test_python_that_fails_on_rows_that_are_all_there_is_one(pair):
    body = READS.replace("item 1", "nothing of that name")
    pair.release("migrations.RunPython(work)", body=body)
    assert "Item matching query does not exist" in str(failed(pair, rehearse_rows=100))


LOOP = """
from django_tenants.utils import get_tenant_model, schema_context


def work(apps, schema_editor):
    Tag = apps.get_model('things', 'Tag')
    for tenant in get_tenant_model().objects.exclude(schema_name='public'):
        with schema_context(tenant.schema_name):
            Tag.objects.create(title='of all')
            assert Tag.objects.filter(title='of all').count() == 1
"""


def test_a_migration_that_goes_from_tenant_to_tenant_is_no_alarm(pair):
    pair.release(
        "migrations.RunPython(work)",
        body=LOOP.replace(
            "def work(apps, schema_editor):",
            "def work(apps, schema_editor):\n    if schema_editor.connection.schema_name != 't1':\n        return",
        ),
    )
    reply = rehearsal(pair)
    assert reply["warnings"] == []
    assert reply["rehearsal"]["failures"] == []


def test_a_new_foreign_key_to_rows_that_were_not_copied_is_no_alarm(pair):
    pair.release(
        "migrations.AddField('Part', 'owner', models.ForeignKey('things.Item', models.CASCADE, null=True, related_name='+'))"
    )
    pair.release("migrations.RunSQL('UPDATE things_part SET owner_id = number WHERE number IS NOT NULL')")
    reply = rehearsal(pair, rehearse_rows=1)
    assert reply["rehearsal"]["failures"] == []


def test_a_new_tenant_gets_all_migrations_and_the_others_theirs(pair):
    pair.release(ADD)
    pair.release("migrations.RunSQL('ALTER TABLE things_tag ADD CONSTRAINT few CHECK (id < 1000 OR more IS NOT NULL)')")
    new = {"schema": "t9", "state": "present", "attributes": {"name": "nine"}}
    reply = rehearsal(pair, rehearse_tenants=[new, {"schema": "t2", "state": "present", "domains": ["t2.example"]}])
    assert reply["warnings"] == []
    assert reply["rehearsal"]["migrations"] > 2 * 1 + 3
    pair.release("migrations.RunSQL('ALTER TABLE things_tag ADD COLUMN more integer')")
    error = failed(pair, rehearse_tenants=[new])
    assert {failure["schema"] for failure in error.details["rehearsal"]["failures"]} == {"t1", "t9"}


@pytest.mark.parametrize("name", ["schema_tenants", "row_tenants"])
def test_a_release_to_a_database_with_rows_is_rehearsed_and_deployed_without_an_alarm(name, sample, run_module):
    project = sample(name)
    if name == "schema_tenants":
        declared = [
            {**ACME, "schema": schema, "domains": [f"{schema}.localhost"]} for schema in ("public", "acme", "globex")
        ]
    else:
        values = {"name": "Foods", "contact_email": "ops@x.example"}
        declared = [
            {"key": {"slug": slug}, "defaults": values, "domains": [f"{slug}.localhost"]} for slug in ("acme", "globex")
        ]

    def deploy():
        tasks = [
            (
                "django_migrate_schemas",
                {"scope": "shared", "rehearse": "scratch", "rehearse_tenants": declared},
            ),
            ("django_tenant", {"tenants": declared}),
            ("django_migrate_schemas", {"scope": "tenants"}),
        ]
        results = [run_module(module, **project.options(), **task) for module, task in tasks]
        assert [result["msg"] for result in results if result.get("failed")] == []
        return results

    assert warnings(deploy()[0]) == []
    project.manage("shell", "-c", ROWS[name])
    project.upgrade("2")
    for rows in (0, 100):
        result = run_module(
            "django_migrate_schemas",
            **project.options(),
            scope="shared",
            rehearse="scratch",
            rehearse_tenants=declared,
            rehearse_rows=rows,
            check=True,
        )
        assert not result.get("failed"), result["msg"]
        assert [text for text in warnings(result) if not text.startswith("squawk has")] == []
        assert result["rehearsal"]["findings"]
    assert any(result["changed"] for result in deploy())


ROWS = {
    "schema_tenants": """
from django_tenants.utils import schema_context
from customers.models import Customer
for schema in ("acme", "globex"):
    with schema_context(schema):
        Customer.objects.create(name="Diner")
""",
    "row_tenants": """
from customers.models import Customer
from tenants.models import Tenant
for tenant in Tenant.objects.all():
    Customer.objects.create(name="Diner", tenant=tenant)
""",
}
