"""What to do about a syntax error, where the cause is typical."""

from __future__ import annotations

import re
from typing import Final

QUOTE_EXPRESSION: Final = 'a value that starts with {{ needs quotes: "{{ ... }}"'

_EXPRESSION: Final = re.compile(r"(?:[:\-\[,]\s+|^\s*)\{[{%]")
_RESERVED: Final = re.compile(r"(?:[:\-]\s+|^\s*)([@`%])")


def hint(line: str, problem: str, column: int) -> str:
    """A remedy for the syntax error found on this line of the text; empty when the cause is not a usual one.

    `problem` is the parser's text, `column` (from 0) the place where it gave up.
    """
    if "\t" in line[: column + 1] and not line[: column + 1].strip():
        return "YAML is indented with spaces, not with tabs"
    if _EXPRESSION.search(line):
        return QUOTE_EXPRESSION
    if "mapping values are not allowed" in problem:
        return "put quotes around a value that contains ': ', and check the indentation of this line"
    if reserved := _RESERVED.search(line):
        return f"a value that starts with {reserved[1]} needs quotes"
    if "end of stream" in problem:
        return "a quote or bracket that was opened here is never closed"
    return ""
