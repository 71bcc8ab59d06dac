# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No index and no constraint of a table is made by two migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..conflicts import INDEX_THERE
from ..findings import Finding
from ..refused import leave_to_state, refused

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    for item in refused(evidence, INDEX_THERE):
        conflict = item.conflict
        effect, maker = conflict.effect, conflict.maker
        if maker is None:
            continue
        what = "index" if effect.kind == "add_index" else "constraint"
        yield Finding(
            item.severity,
            effect.place,
            f"{effect.name} makes the {what} {conflict.column} of {conflict.table}, which {maker.name} ({maker.place}) has made already:"
            f" {item.where}.",
            leave_to_state(effect),
            item.schemas,
        )
