# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The environments of a project agree in what makes its tenancy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, Mapping

from ..findings import WARNING, Finding
from ..settings_facts import settings_facts
from ..settings_place import place_of_setting

if TYPE_CHECKING:
    from ..evidence import Evidence

_SET_IN = {"ENGINE": "DATABASES"}


def findings(evidence: Evidence) -> Iterator[Finding]:
    from django.conf import settings

    evidence.require_apps()
    others: dict[str, Any] = evidence.options.get("compare") or {}
    if not others:
        return
    own = str(settings.SETTINGS_MODULE)
    database = evidence.context.alias if evidence.tenancy_error is None else None
    environments = {own: settings_facts(database)}
    for name, facts in others.items():
        if "error" in facts:
            yield Finding(
                WARNING,
                place_of_setting("SETTINGS_MODULE"),
                f"{name} can't be compared with {own}: {facts['error']}",
                f"Give in environment: what {name} needs to load, or take it out of compare_settings.",
            )
        else:
            environments[name if name != own else f"{name} (compare)"] = facts.get("facts", facts)
    for fact, sentence in differences(environments):
        yield Finding(
            WARNING,
            place_of_setting(_SET_IN.get(fact, fact.partition("[")[0])),
            sentence,
            f"Let {' and '.join(environments)} agree on {fact}; what differs on purpose is named in ignore.",
        )


def differences(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What environments disagree on: (fact, sentence). A fact that one does not tell is not compared with it. Pure."""
    names = list(environments)
    for fact in dict.fromkeys(fact for facts in environments.values() for fact in facts):
        told = {name: environments[name][fact] for name in names if fact in environments[name]}
        if any(isinstance(value, list) for value in told.values()):
            items = {name: list(value or ()) for name, value in told.items()}
            for item in dict.fromkeys(item for value in items.values() for item in value):
                having = [name for name in items if item in items[name]]
                lacking = [name for name in items if item not in items[name]]
                if lacking:
                    yield fact, f"{fact} has {item} in {' and '.join(having)}, and not in {' and '.join(lacking)}."
            continue
        values: dict[Any, list[str]] = {}
        for name, value in told.items():
            values.setdefault(value, []).append(name)
        if len(values) > 1:
            parts = [
                f"{'not set' if value is None else value} in {' and '.join(where)}" for value, where in values.items()
            ]
            yield fact, f"{fact} is {' and '.join(parts)}."
