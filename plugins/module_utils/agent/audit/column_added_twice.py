# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""No column is added to a table by two migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from ..conflicts import COLUMN_THERE
from ..findings import Finding
from ..refused import leave_to_state, refused

if TYPE_CHECKING:
    from ..evidence import Evidence


def findings(evidence: Evidence) -> Iterator[Finding]:
    for item in refused(evidence, COLUMN_THERE):
        conflict = item.conflict
        effect, maker = conflict.effect, conflict.maker
        if maker is None:
            continue
        does = "renames a column to" if effect.kind == "rename_column" else "adds"
        yield Finding(
            item.severity,
            effect.place,
            f"{effect.name} {does} {conflict.table}.{conflict.column}, which {maker.name} ({maker.place}) has made already: {item.where}.",
            leave_to_state(effect),
            item.schemas,
        )
