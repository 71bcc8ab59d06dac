# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what is not measured yet, and write build/bench.json and build/bench.svg of all that is."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from tests.support import checkout

from . import chart, figures, groups, records, server

BUILD = checkout.ROOT / "build"


def main() -> int:
    options = arguments()
    wanted = [name for name in groups.GROUPS if name in {figures.KEYS[key].group for key in options.keys}]
    directory = BUILD / "bench.d" / f"scale-{options.scale:g}"
    failed = []
    server.HOME.mkdir(parents=True, exist_ok=True)
    bench = server.Bench(options.data)
    try:
        facts = server.server_facts(bench)
        for number, name in enumerate(wanted):
            bench.keep_only(groups.wanted_fleets(wanted[number:], options.scale))
            if options.again:
                (directory / f"{name}.json").unlink(missing_ok=True)
            if not measure(bench, name, directory, options):
                failed.append(name)
            write(directory, options.scale, facts)
    finally:
        bench.stop()
    print(figures.table(write(directory, options.scale, facts)))
    print("\nbuild/bench.json, build/bench.svg")
    if options.scale != 1:
        print(f"With {options.scale:g} times the tenants: what is to be reached is meant for all of them.")
    if failed:
        print(f"Not measured to the end: {', '.join(failed)}")
    return 1 if failed else 0


def measure(bench: server.Bench, name: str, directory: Path, options: argparse.Namespace) -> bool:
    """Whether a group could be measured to its end."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {name}: {text}", flush=True)

    server.wait_for_quiet(options.patience, say)
    record = records.Record(directory / f"{name}.json", options.scale)
    try:
        groups.GROUPS[name](groups.Kit(bench, options.scale, options.rounds, record, say))
    except Exception:
        say(f"failed after {time.monotonic() - started:.0f} s\n{traceback.format_exc()}")
        return False
    say(f"{time.monotonic() - started:.0f} s")
    return True


def write(directory: Path, scale: float, server_facts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Put together what there is of this scale."""
    code = records.code()
    found = {name: records.read(directory / f"{name}.json") for name in groups.GROUPS}
    entries = {}
    for key in figures.KEYS.values():
        record = found[key.group]
        try:
            if record is None:
                raise KeyError(key.group)
            entries[key.name] = {
                **figures.entry(key, record["parts"]),
                "measured": record["measured"],
                "load": record["load"],
                "of_this_code": record["basis"]["code"] == code,
            }
        except KeyError:
            entries[key.name] = figures.missing(key, "Not measured yet.")
    machine_facts, versions_facts = machine(), versions()
    report = {
        **entries,
        "scale": scale,
        "machine": machine_facts,
        "versions": versions_facts,
        "postgresql": server_facts,
    }
    (BUILD / "bench.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    measured = {name: record["parts"] for name, record in found.items() if record and "fleet" in record["parts"]}
    picture = chart.chart(measured, entries, measured_on(machine_facts, versions_facts, server_facts))
    (BUILD / "bench.svg").write_text(picture, encoding="utf-8")
    return entries


def measured_on(machine: dict[str, Any], versions: dict[str, str], server: dict[str, str]) -> list[str]:
    """What it was measured on, as the chart says it."""
    hardware = f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['processor']}"
    software = f"PostgreSQL {server['version']}, Python {versions['python']}, "
    return [
        "43 tables and 75 migrations a tenant. Medians; all sides in turns on one server and the same data.",
        f"{hardware}.",
        software + ", ".join(f"{name} {versions[name]}" for name in _SHOWN) + ".",
    ]


_SHOWN = ("Django", "django-tenants", "psycopg", "ansible-core")


def machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": groups.project.CORES,
        "processor": _processor(),
        "memory_gib": round(pages / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


_ASK = """
import json, platform
from importlib.metadata import version
names = ("Django", "django-tenants", "psycopg", "django-tenants-smart-executor")
print(json.dumps({"python": platform.python_version(), **{name: version(name) for name in names}}))
"""


def versions() -> dict[str, str]:
    from ansible.release import __version__ as ansible_core

    asked = subprocess.run(
        [checkout.stack_python("bench"), "-c", _ASK], capture_output=True, check=True, env=checkout.environment()
    )
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=checkout.ROOT, capture_output=True, text=True, check=False
    )
    return {
        **json.loads(asked.stdout),
        "ansible-core": ansible_core,
        "controller_python": platform.python_version(),
        "collection": described.stdout.strip() or "unknown",
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--keys", nargs="+", choices=[*figures.KEYS], default=[*figures.KEYS], metavar="KEY", help="default: all"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="times all numbers of tenants (default: 1)")
    parser.add_argument(
        "--rounds", type=int, default=99, help="at most so many of each (default: as many as there are)"
    )
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a quiet machine (default: 60)")
    parser.add_argument("--data", type=Path, help="directory of the PostgreSQL server (default: build/bench/postgres)")
    parser.add_argument("--again", action="store_true", help="measure also what is measured already")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
