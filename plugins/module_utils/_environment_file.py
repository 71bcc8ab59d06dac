# Copyright (c) 2026 The meatscentral.tenancy authors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The KEY=value files that systemd, Docker and django-environ read."""

from __future__ import annotations

import re

from ._errors import OptionError

_NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def environment_of(text: str, path: str) -> dict[str, str]:
    """The variables that the text of an environment file sets.

    What the three readers agree on is read as they do: blank lines and lines that start
    with ``#`` or ``;`` are left out (systemd.exec(5), EnvironmentFile=), a leading
    ``export`` is allowed (django-environ), a value may stand in single quotes, taken as it
    is, or in double quotes, where a backslash escapes. A quoted value may span lines, as in
    systemd. A value without quotes is taken as it is, without the blanks at its end, for
    Docker would keep a ``#`` in it; a backslash at its end joins the next line to it, as in
    systemd, where that line is not itself a variable or a comment.

    :raises OptionError: a line that is none of these; it is named by number, never shown,
        since it may hold a secret.
    """
    variables: dict[str, str] = {}
    # Not splitlines(), which also ends a line at characters that a value may hold (U+0085, U+2028 …).
    lines = _LINE_END.split(text)
    number = 0
    while number < len(lines):
        start = number + 1
        # Blanks at its end belong to the value where a quote is open.
        line = lines[number].lstrip()
        number += 1
        if not line or line[0] in "#;":
            continue
        match = _NAME.fullmatch(line)
        if match is None:
            raise OptionError(
                f"{path}, line {start}: not of the form KEY=value.",
                hint="Environment files hold one KEY=value a line, comments start with '#'.",
            )
        name, value = match.groups()
        quote = value[:1]
        if quote in ("'", '"'):
            while _closing(value, quote) is None and number < len(lines):
                value += "\n" + lines[number]
                number += 1
            end = _closing(value, quote)
            if end is None:
                raise OptionError(f"{path}, line {start}: the quote after {name}= is never closed.")
            rest = value[end + 1 :].strip()
            if rest and not rest.startswith("#"):
                raise OptionError(
                    f"{path}, line {start}: more follows the closing quote of {name}.",
                    hint='Put the whole value in quotes, a quote within it as \\" in double ones; or leave the outer quotes out.',
                )
            value = value[1:end]
            if quote == '"':
                value = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), value)
        else:
            value = value.rstrip()
            while value.endswith("\\") and number < len(lines) and _goes_on(lines[number]):
                value = value[:-1] + lines[number].strip()
                number += 1
        variables[name] = value
    return variables


def _goes_on(line: str) -> bool:
    """Whether a line can only be the rest of the one before, which ended in a backslash."""
    text = line.strip()
    return bool(text) and text[0] not in "#;" and _NAME.fullmatch(text) is None


def _closing(value: str, quote: str) -> int | None:
    position = 1
    while position < len(value):
        if quote == '"' and value[position] == "\\":
            position += 1
        elif value[position] == quote:
            return position
        position += 1
    return None
