"""Several documents in one text, as the validation of flows accepts them (spec/engine 1.1)."""

from __future__ import annotations

import re
from typing import Final

# A marker stands at the very start of a line: the lines of a block scalar are indented, so theirs never match.
_MARKER: Final = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NOTHING: Final = re.compile(r"(?:[ \t]*(?:#.*|%.*|\.\.\.[ \t]*)?(?:\n|\Z))*")


def split_documents(text: str) -> list[tuple[int, str]]:
    """The documents of a text, each with the number of lines that stand before it; never empty.

    A document that holds nothing but comments is left out. What follows a marker on its line belongs to its document.
    """
    starts = [0, *(marker.end() for marker in _MARKER.finditer(text))]
    ends = [*(marker.start() for marker in _MARKER.finditer(text)), len(text)]
    parts = [(text.count("\n", 0, start), text[start:end]) for start, end in zip(starts, ends, strict=True)]
    return [(line, part) for line, part in parts if not _NOTHING.fullmatch(part)] or [(0, text)]
