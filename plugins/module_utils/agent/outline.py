# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The outline of some relations: a third of the work of their fingerprint, and enough where the same SQL has run on what was alike."""

from __future__ import annotations

from typing import Any, Iterable, Sequence

# A type or a relation of the schema's own has an oid of its own; what kind it is has been compared before.
_OUTLINE = """
WITH ns AS MATERIALIZED (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%(schemas)s)),
rel AS MATERIALIZED (
    SELECT c.* FROM pg_catalog.pg_class c WHERE c.relname = ANY(%(relations)s) AND c.relnamespace IN (SELECT oid FROM ns)
)
SELECT ns.nspname, coalesce(string_agg(concat_ws(' ', c.relname, c.relkind, c.relchecks, c.relrowsecurity,
    (SELECT sum(hashtext(concat_ws(' ', a.attname, a.attnum, CASE WHEN a.atttypid < 16384 THEN a.atttypid END, a.atttypmod,
            a.attnotnull, a.atthasdef, a.attidentity, a.attgenerated)))
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisvalid),
    (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.convalidated)
), ', ' ORDER BY c.relname), '')
FROM ns LEFT JOIN rel c ON c.relnamespace = ns.oid GROUP BY ns.nspname
"""


def read_outlines(cursor: Any, schemas: Sequence[str], relations: Iterable[str]) -> dict[str, str]:
    """Of each schema that exists: the columns of these relations, and how many valid indexes and constraints they have."""
    cursor.execute("SET jit = off")
    cursor.execute(_OUTLINE, {"schemas": list(schemas), "relations": list(relations)})
    return dict(cursor.fetchall())
