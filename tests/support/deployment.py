# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploys of a sample with the playbooks and inventories of the checkout, each environment's secrets where it keeps them."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import checkout

if TYPE_CHECKING:
    from pathlib import Path

    from .samples import Sample

ENVIRONMENTS = {"dev": "localhost", "uat": "uat.meatscentral.com", "prod": "meatscentral.com"}


@dataclass(frozen=True)
class Run:
    """What one run of ansible-playbook said."""

    returncode: int
    output: str

    @property
    def recap(self) -> dict[str, int]:
        """The counts of the recap's one host."""
        lines = re.findall(r"^\S+ +: (ok=.+)$", self.output, re.MULTILINE)
        assert len(lines) == 1, self.output
        return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", lines[0])}

    @property
    def changed(self) -> int:
        return self.recap["changed"]

    def sections(self) -> dict[str, str]:
        """What was said of each task, by its name, in the order of the run."""
        found = {}
        for task in re.split(r"^(?:TASK|PLAY|RUNNING HANDLER) (?=\[)", self.output, flags=re.MULTILINE)[1:]:
            heading, _newline, text = task.partition("\n")
            found[heading[1:].rpartition("]")[0].rpartition(" : ")[2]] = text.partition("\nPLAY RECAP")[0].strip()
        return found

    def tasks(self) -> dict[str, str]:
        """The status of each task by its name; a loop's is that of its last item."""
        statuses = {
            name: re.findall(r"^(ok|changed|skipping|included|failed|fatal): ", text, re.MULTILINE)
            for name, text in self.sections().items()
        }
        return {name: found[-1] if found else "" for name, found in statuses.items()}


@dataclass
class Deployment:
    """One sample, one environment: everything that the command line has to say for it."""

    sample: Sample
    inventory: str
    arguments: list[str]
    variables: dict[str, Any]
    env: dict[str, str]
    secrets: list[str] = field(default_factory=list)

    def run(self, playbook: str | Path, *arguments: str, succeed: bool | None = True, **variables: Any) -> Run:
        done = checkout.ansible_playbook(
            "-i",
            f"inventories/{self.inventory}",
            *self.arguments,
            "-e",
            json.dumps({**self.variables, **variables}),
            *arguments,
            f"playbooks/{playbook}.yml" if isinstance(playbook, str) else playbook,
            env=self.env,
        )
        run = Run(done.returncode, done.stdout + done.stderr)
        for secret in self.secrets:
            assert secret not in run.output, f"{secret} is a secret\n{run.output}"
        if succeed is not None:
            assert (run.returncode == 0) == succeed, run.output
        return run

    def deploy(self, *arguments: str, succeed: bool | None = True, **variables: Any) -> Run:
        return self.run("deploy", *arguments, succeed=succeed, **variables)


def deployment(sample: Sample, environment: str, directory: Path) -> Deployment:
    """This machine in the place of the environment's node, and this sample in the place of its project."""
    key = secrets.token_urlsafe(24)
    own = {
        "SECRET_KEY": key,
        **({"DATABASE_URL": sample.environment["DATABASE_URL"]} if "DATABASE_URL" in sample.environment else {}),
        "DJANGO_ENVIRONMENT": environment,
    }
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(checkout.TOOLS / "python"),
        "tenancy_project": str(sample.directory),
        "tenancy_python": sample.python,
    }
    if sample.name == "row_tenants":
        variables |= {"tenancy_settings": sample.settings, "tenancy_tenants": row_tenants(environment)}
    result = Deployment(sample, environment, [], variables, {}, secrets=[key])
    if "DATABASE_URL" in own:
        password = own["DATABASE_URL"].partition("@")[0].rpartition(":")[2]
        if password.isprintable() and len(password) > 8:
            result.secrets.append(password)
    if environment == "dev":
        result.env = own
        if "DATABASE_URL" not in own:
            variables["tenancy_environment"] = {}
    elif environment == "uat":
        file = directory / "environment"
        file.write_text("".join(f"{name}={value}\n" for name, value in own.items()), encoding="utf-8")
        variables["tenancy_environment_file"] = [str(file)]
    else:
        result.arguments = vault(directory, own)
        if sample.name == "row_tenants":
            variables["tenancy_environment"] = {
                "DATABASE_URL": "{{ vault_database_url }}",
                "SECRET_KEY": "{{ vault_secret_key }}",
                "DJANGO_ENVIRONMENT": environment,
            }
    return result


def vault(directory: Path, own: dict[str, str]) -> list[str]:
    """The arguments that hand over an encrypted file with the secrets."""
    password, plain, file = directory / "vault-password", directory / "plain.yml", directory / "vault.yml"
    password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    plain.write_text(
        json.dumps({"vault_database_url": own["DATABASE_URL"], "vault_secret_key": own["SECRET_KEY"]}), encoding="utf-8"
    )
    done = checkout.ansible("ansible-vault", "encrypt", "--vault-password-file", password, "--output", file, plain)
    assert done.returncode == 0, done.stderr
    plain.unlink()
    return ["-e", f"@{file}", "--vault-password-file", str(password)]


def row_tenants(environment: str) -> list[dict[str, Any]]:
    """What an inventory declares of the sample whose tenants are rows."""
    domain = ENVIRONMENTS[environment]
    return [
        {
            "key": {"slug": slug},
            "defaults": {"name": f"{slug.title()} Foods", "contact_email": f"ops@{slug}.example"},
            "domains": domains,
        }
        for slug, domains in {"acme": [domain, f"acme.{domain}"], "globex": [f"globex.{domain}"]}.items()
    ]
