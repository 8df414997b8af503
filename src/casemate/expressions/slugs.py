"""Names as storage paths have them (spec/engine 12.1)."""

from __future__ import annotations

import re
import unicodedata

_BLANK = re.compile(r"[ \t\n\x0b\f\r]")
_DROPPED = re.compile(r"[^a-zA-Z0-9_-]")
_DASHES = re.compile(r"-{2,}")


def slug(text: str) -> str:
    """The text in lower-case letters, digits and single dashes."""
    letters = _DROPPED.sub("", unicodedata.normalize("NFD", _BLANK.sub("-", text)))
    return _DASHES.sub("-", letters.replace("_", "-")).removeprefix("-").removesuffix("-").lower()
