# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random releases, migrated by the stock command in one database and by ours in another: nothing may differ but times and random values."""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.differential.fleet import TENANTS, Releases, Stock, create_ours, make_template, migrate_ours
from tests.differential.generate import DRAWN, SEED, Case, cases
from tests.differential.picture import differences, picture
from tests.differential.rows import fill
from tests.support.databases import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

# `make differential` raises both.
SECONDS = float(os.environ.get("DIFFERENTIAL_SECONDS", "170"))
CASES = int(os.environ.get("DIFFERENTIAL_CASES", "400"))
LEAST_REPLAYED = 0.6
# New tenants take as long as all else in a case: those with Python have some now and then, and the others, whose SQL may be made beforehand, always.
NEW_TENANTS, EVERY = ("n1", "n2", "n3"), 4
LEAST_PLANNED = 0.1

_numbers = itertools.count(1)


class Sides:
    """Two databases a case, and what both sides did over the whole run."""

    def __init__(self, postgres: Any, directory: Any) -> None:
        self.postgres, self.directory = postgres, directory
        self.template = f"differential_{os.getpid()}"
        make_template(postgres, self.template)
        self.stock = Stock(Database(postgres, self.template).url)
        self.threads = ThreadPoolExecutor(2)
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def close(self) -> None:
        self.stock.close()
        self.threads.shutdown()
        self.postgres.drop_database(self.template)

    def case(self, case: Case) -> None:
        databases = [Database(self.postgres, f"{self.template}_{side}") for side in ("stock", "ours")]
        for database in databases:
            self.postgres.drop_database(database.name)
            self.postgres.create_database(database.name, self.template)
        releases = Releases(self.directory / str(next(_numbers)))
        for number, migrations in enumerate(case, 1):
            operations = {f"things.{releases.add(*lines, body=body)}": len(lines) for lines, body in migrations}
            if not self.release(databases, releases, operations):
                break
            fill(databases, TENANTS, number)
        else:
            has_python = "RunPython" in str(case)
            if not has_python or self.counts["cases"] % EVERY == 0:
                self.new_tenants(databases, releases)
        self.counts["cases"] += 1

    def new_tenants(self, databases: list[Database], releases: Releases) -> None:
        """Make tenants in both from all the releases and compare."""
        stock, ours = databases
        theirs = self.threads.submit(self.stock.create, stock, releases.directory, NEW_TENANTS)
        reply, doing = create_ours(ours, releases.directory, NEW_TENANTS)
        theirs.result()
        found = differences(picture(stock, NEW_TENANTS), picture(ours, NEW_TENANTS))
        if found or any(line["state"] != "created" for line in reply["tenants"]):
            pytest.fail("\n".join([*found[:40], str(reply["tenants"]), _text(releases)]))
        self.counts["made"] += 1
        self.counts["planned"] += f"ensuring {len(NEW_TENANTS)} new tenants" in doing

    def release(self, databases: list[Database], releases: Releases, operations: dict[str, int]) -> bool:
        """Migrate both and compare; whether there may be another release."""
        stock, ours = databases
        theirs = self.threads.submit(self.stock.migrate, stock, releases.directory)
        reply = migrate_ours(ours, releases.directory)
        failed = theirs.result()
        found = differences(picture(stock, TENANTS), picture(ours, TENANTS))
        messages = {failure["schema"]: f"{failure['migration']}: {failure['message']}" for failure in reply["failed"]}
        if found or failed.keys() != messages.keys():
            pytest.fail(
                "\n".join(
                    [
                        *found[:40],
                        f"stock failed: {failed}",
                        f"ours failed: {messages}",
                        str(reply["through_django"]),
                        _text(releases),
                    ]
                )
            )
        self.count(reply, operations)
        self.counts["failed"] += len(failed)
        self.failures.update(message.partition(": ")[2][:60] for message in messages.values())
        return not failed

    def count(self, reply: dict[str, Any], operations: dict[str, int]) -> None:
        for entry in reply["schemas"]:
            for applied in entry["applied"]:
                self.counts[applied["executed"]] += operations[applied["migration"]]
        for reason, schemas in reply["through_django"].items():
            self.reasons[reason.partition(": ")[2] or reason] += schemas


def _text(releases: Releases) -> str:
    return "\n".join(
        file.read_text(encoding="utf-8").partition("class Migration")[2]
        for file in sorted((releases.directory / "released").glob("0*.py"))[1:]
    )


@pytest.fixture(scope="module")
def sides(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    made = Sides(postgres, tmp_path_factory.mktemp("differential"))
    yield made
    made.close()


def test_random_releases_leave_what_the_stock_command_leaves(sides: Sides) -> None:
    started = time.monotonic()

    @hypothesis.seed(SEED)
    @hypothesis.settings(DRAWN, max_examples=CASES)
    @hypothesis.given(cases())
    def compare(case: Case) -> None:
        if time.monotonic() - started < SECONDS:
            sides.case(case)

    compare()
    counts = sides.counts
    total = counts["replayed"] + counts["django"]
    share = counts["replayed"] / total
    print(
        f"seed {SEED}: {counts['cases']} cases in {time.monotonic() - started:.0f} s, {total} operations in schemas, {share:.0%} replayed,"
        f" {counts['failed']} schemas failed on both sides\nthrough Django: {dict(sides.reasons.most_common())}"
        f"\nfailed: {dict(sides.failures.most_common())}\nnew tenants in {counts['made']} cases, their SQL made beforehand in {counts['planned']}"
    )
    assert share >= LEAST_REPLAYED, sides.reasons
    assert counts["planned"] >= LEAST_PLANNED * counts["made"], counts
