# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Read the content types and permissions of a fleet while the public schema and the first tenant are migrated, which keeps one core busy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from .permissions import read_digests
from .workers import Pool

if TYPE_CHECKING:
    from .loading import Context

# With fewer schemas a process costs more than it saves.
_SMALLEST_FLEET = 60


class KindsAhead:
    """A process that reads the digests of schemas until they are asked for.

    They have to be asked for before another process is forked: it would hold this one's pipe open.
    """

    def __init__(self, context: Context, schemas: Sequence[str]) -> None:
        self._schemas = list(schemas) if len(schemas) >= _SMALLEST_FLEET else []
        self._pool = Pool(context, 1, lambda names: read_digests(context.connection, names))
        self._digests: dict[str, str] = {}

    def __enter__(self) -> KindsAhead:
        if self._schemas:
            self._pool.__enter__()
            self._pool.begin(self._schemas)
        return self

    def __exit__(self, *exc: object) -> None:
        self.digests()

    def digests(self) -> dict[str, str]:
        """The digest of each schema, as ``read_digests`` gives it; none where the fleet is small, or that process was lost."""
        if self._schemas:
            self._schemas = []
            answer: Any = self._pool.end()
            self._pool.__exit__()
            self._digests = answer if isinstance(answer, dict) else {}
        return self._digests
