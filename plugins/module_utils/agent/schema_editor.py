# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Django's schema editor, but with its transaction ended also where what it puts off to the end fails.

``BaseDatabaseSchemaEditor.__exit__`` sends the statements put off (indexes, foreign keys) before it leaves its transaction, and
leaves it open if one is refused: whatever the same connection does next belongs to it, and is lost with it.
"""

from __future__ import annotations

import sys
from typing import Any


def end_transactions(connection: Any) -> None:
    """Let a connection's schema editors end the transaction that they have begun, whatever fails."""
    if connection.vendor != "postgresql":
        return
    base: Any = connection.SchemaEditorClass

    class EndingSchemaEditor(base):
        def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
            if exc_type is None:
                try:
                    while self.deferred_sql:
                        self.execute(self.deferred_sql[0], None)
                        del self.deferred_sql[0]
                except BaseException:
                    super().__exit__(*sys.exc_info())
                    raise
            super().__exit__(exc_type, exc_value, traceback)

    connection.SchemaEditorClass = EndingSchemaEditor
