# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is shown, wherever it comes from and whoever spells it; and nothing else is hidden."""

from __future__ import annotations

import json

import pytest

from tests.support import checkout
from tests.support.refusals import MODULES, require_no_secret, require_refusal

UNREACHABLE = "postgres://app:bMr7%2Fun'reach@127.0.0.1:1/meats"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEF\nAASCAT4wggE6AgEAAkEAq7BFUpkG\n-----END PRIVATE KEY-----\n"
# Every spelling of every secret that must not be seen.
SHOWN_NOWHERE = [
    "bMr7",
    "un'reach",
    "for tests only",
    "s3same",
    "MIIBVAIBADANBgkqhkiG9w0BAQEF",
    "AASCAT4wggE6AgEAAkEAq7BFUpkG",
    "q\\uot",
    "84717",
]
SECRETS = {
    "DATABASE_URL": UNREACHABLE,
    "SECRET_KEY": "for tests only",
    "SOMETHING": "open s3same",
    "SIGNING": KEY,
    "QUOTED": "q\\uot'e\u0107d \"pw",
    "PIN_PASSWORD": "84717",
}
HARMLESS = {"NUMBER": "1", "FLAG": "true", "DB_HOST": "localhost", "COMPANY": "acme", "TIER": "public", "EMPTY": ""}


@pytest.fixture
def broken(sample, run_module):
    """A function: what a module says to settings with this source."""

    def run(source, module="django_tenant_info", **options):
        project = sample("schema_tenants", database_url=UNREACHABLE)
        (project.directory / "broken.py").write_text(source)
        given = {**project.options(), "settings": "broken", "environment": SECRETS, **MODULES[module], **options}
        return run_module(module, **given)

    return run


LEAKS = {
    "raised": "import os\nraise RuntimeError(os.environ['DATABASE_URL'] + os.environ['SIGNING'] + os.environ['PIN_PASSWORD'])\n",
    "raised as a mapping": "import os\nraise KeyError(dict(os.environ))\n",
    "printed": "import os\nprint(*os.environ.values())\nraise RuntimeError('after that')\n",
    "printed as JSON": "import json, os\nprint(json.dumps(dict(os.environ)))\nraise RuntimeError('after that')\n",
    "printed as Python": "import os, sys\nprint(dict(os.environ), file=sys.stderr)\nos._exit(3)\n",
    "printed at great length": (
        "import os, sys\nfor size in range(200):\n"
        "    sys.stderr.write('x' * (16300 + size) + os.environ['SIGNING'] + os.environ['DATABASE_URL'] + '\\n')\n"
        "raise RuntimeError('after that')\n"
    ),
    "printed with many lines after": (
        "import os, sys\nprint(os.environ['SIGNING'] * 3)\nfor number in range(37): print(number)\nraise RuntimeError('after that')\n"
    ),
    "passed to sys.exit": "import os, sys\nsys.exit(os.environ['QUOTED'])\n",
    "in a line of the source": "DATABASES = {'default': int('postgres://app:s3same@db/meats')}\n",
    "in an assignment": "PASSWORD = 's3same'; SECRET_KEY = 's3same'; raise RuntimeError('after that')\n",
    "in the settings": (
        "from config.settings.dev import *\nDATABASES['default']['PASSWORD'] = 'xs3samex'\nEMAIL_HOST_PASSWORD = 's3same-mail'\n"
        "BROKER_URL = 'amqp://app:s3same-broker@mq'\nLOGGING, LOGGING_CONFIG = {'version': 1}, 'broken.leak'\n"
        "def leak(config):\n    print(EMAIL_HOST_PASSWORD, BROKER_URL)\n"
        "    raise RuntimeError(f\"{DATABASES['default']['PASSWORD']} {EMAIL_HOST_PASSWORD}\")\n"
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_project_that_shows_its_secrets_is_not_repeated(broken, leak):
    require_refusal(broken(LEAKS[leak]), "broken", secrets=SHOWN_NOWHERE)


def test_a_secret_of_the_far_sides_own_environment_is_not_repeated(broken, sample):
    python = sample("schema_tenants", database_url=None).python
    prefix = ["env", "REDIS_URL=redis://:s3same@cache/0", "API_TOKEN=s3same-token", python]
    source = "import os\nraise RuntimeError(os.environ['REDIS_URL'].split('@') + [os.environ['API_TOKEN']])\n"
    answer = broken(source, python=prefix)
    # What the task itself shows, as the command prefix here, is the task's own business.
    shown = {**answer, "invocation": None}
    require_refusal(shown, "broken", secrets=SHOWN_NOWHERE)


@pytest.mark.parametrize("module", MODULES)
def test_the_invocation_shows_the_names_of_the_environment_and_no_secret_value(broken, module):
    environment = {**SECRETS, **HARMLESS, "SHORT_PASSWORD": "abc", "UNSURE": "k7"}
    answer = broken("raise RuntimeError('no licence')\n", module, environment=environment)
    require_refusal(answer, "no licence", secrets=SHOWN_NOWHERE)
    shown = answer["invocation"]["module_args"]["environment"]
    assert set(shown) == set(environment)
    assert shown["DB_HOST"] == "localhost"
    assert {name for name, value in shown.items() if value == environment[name]} == {"DB_HOST"}


def test_an_error_of_an_option_shows_what_is_harmless_and_hides_what_is_not(broken):
    answer = broken("", python="/srv/acme1/localhost/python", environment={**SECRETS, **HARMLESS})
    assert answer["msg"] == "python: there is no interpreter at /srv/acme1/localhost/python."
    require_no_secret(json.dumps(answer), SHOWN_NOWHERE)


def test_an_environment_file_is_masked_like_the_environment(broken, tmp_path):
    file = tmp_path / "app.env"
    file.write_text(
        "# s3same, said the comment\n; and this one\n\n"
        'PLAIN_NAME=pass#word # not a comment\nexport EXPORTED_NAME=yes\nDOUBLE_NAME="two\nlines" # a comment\n'
        "SINGLE_NAME='$raw \\n'\nCONTINUED_NAME=one \\\n  two\nAPI_TOKEN=s3same-token\nSECOND=\"s3same second\"\n"
    )
    source = (
        "import json, os\n"
        "names = ['PLAIN', 'EXPORTED', 'DOUBLE', 'SINGLE', 'CONTINUED']\n"
        "raise RuntimeError(json.dumps([os.environ[name + '_NAME'] for name in names]), os.environ['API_TOKEN'], os.environ['SECOND'])\n"
    )
    message = require_refusal(broken(source, environment_file=[str(file)]), "RuntimeError", secrets=SHOWN_NOWHERE)
    for value in ("pass#word # not a comment", "yes", "two\\\\nlines", "$raw \\\\\\\\n", "one two"):
        assert f'"{value}"' in message, message


@pytest.mark.parametrize("text", ["s3same", "API_TOKEN='s3same", "API_TOKEN='s3'same", "-API_TOKEN=s3same"])
def test_an_environment_file_with_a_bad_line_is_refused_without_showing_it(broken, tmp_path, text):
    file = tmp_path / "app.env"
    file.write_text(f"A=1\n{text}\n")
    require_refusal(broken("", environment_file=[str(file)]), f"{file}, line 2", secrets=SHOWN_NOWHERE)


def test_harmless_values_leave_a_result_as_it_is(sample, run_module, database):
    project = sample("schema_tenants")
    options = {**project.options(), "environment": {**project.environment, **HARMLESS}}
    tenant = {"attributes": {"name": "Acme 1"}, "defaults": {"paid_until": "2099-12-31"}}
    shared = run_module("django_migrate_schemas", scope="shared", **options)
    tenants = run_module("django_tenant", diff=True, schema="acme", domains=["acme.localhost"], **tenant, **options)
    info = run_module("django_tenant_info", **options)
    assert shared["migrated"][0]["schemas"] == ["public"]
    assert tenants["planned"] == ["acme"]
    assert tenants["tenants"][0]["domains"] == ["acme.localhost"]
    assert [entry["schema"] for entry in info["tenants"]] == ["acme"]
    for answer in (shared, tenants, info):
        require_no_secret(json.dumps(answer), project.environment.values())
        require_no_secret(json.dumps({**answer, "invocation": None}), ["********"])


def test_what_a_failing_migration_says_is_masked_in_the_result_and_in_the_report(
    sample, run_module, database, tmp_path
):
    project = sample("schema_tenants")
    (project.directory / "tenants" / "migrations" / "0003_telling.py").write_text(
        "import os\nfrom django.db import migrations\n\n\ndef tell(apps, editor):\n"
        "    raise RuntimeError('licence ' + os.environ['LICENCE'] + ' of ' + os.environ['DATABASE_URL'])\n\n\n"
        "class Migration(migrations.Migration):\n    dependencies = [('tenants', '0002_client_on_trial_client_paid_until')]\n"
        "    operations = [migrations.RunPython(tell)]\n"
    )
    environment = {**project.environment, "LICENCE": "s3same-licence"}
    report = tmp_path / "report.json"
    answer = run_module(
        "django_migrate_schemas",
        scope="shared",
        report=str(report),
        **{**project.options(), "environment": environment},
    )
    assert "0003_telling" in answer["msg"]
    assert "licence ********" in answer["msg"]
    require_no_secret(json.dumps(answer), environment.values())
    assert "0003_telling" in report.read_text()
    require_no_secret(report.read_text(), environment.values())


@pytest.mark.parametrize("works", [True, False])
def test_ansible_shows_no_secret_at_its_most_talkative(sample, database, tmp_path, works):
    project = sample("schema_tenants")
    environment = {
        **project.environment,
        **{name: SECRETS[name] for name in ("SOMETHING", "SIGNING", "QUOTED", "PIN_PASSWORD")},
    }
    log = tmp_path / "ansible.log"
    done = checkout.ansible(
        "ansible",
        "localhost",
        "-m",
        "meatscentral.tenancy.django_migrate_schemas",
        "-a",
        json.dumps({**project.options(), "environment": environment, "scope": "shared" if works else "tenants"}),
        "-vvv",
        env={"ANSIBLE_LOG_PATH": str(log)},
    )
    assert ("CHANGED" if works else "FAILED") in done.stdout, done.stdout + done.stderr
    assert '"environment": {' in done.stdout
    # Nor does the log, which has the same.
    require_no_secret(done.stdout + done.stderr + log.read_text(), [*SHOWN_NOWHERE, *project.environment.values()])
