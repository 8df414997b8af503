"""What stands where a secret stood: decision 0027."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

Style: TypeAlias = Literal["fixed", "kestra"]
"""`fixed` tells nothing, not even the length; `kestra` writes what Kestra writes (spec/security 3.1)."""

STYLES: Final[tuple[Style, ...]] = ("fixed", "kestra")
STARS: Final = "*" * 8

_NINE: Final = "*" * 9
_WORD: Final = "**masked*"

Spans: TypeAlias = Sequence[tuple[int, int]]
"""Places in a text, by begin and end: one after the other, none touching the next."""


def starred(content: bytes, spans: Spans, style: Style) -> str:
    """The text, UTF-8, with stars in these places."""
    hidden = [_decoded(content[begin:end]) for begin, end in spans]
    pieces, last = [], 0
    for (begin, end), text in zip(spans, hidden, strict=True):
        pieces += [_decoded(content[last:begin]), STARS if style == "fixed" else "*" * len(text)]
        last = end
    covered = "".join([*pieces, _decoded(content[last:])])
    return covered if style == "fixed" else _worded(covered, set(hidden))


def _worded(covered: str, hidden: set[str]) -> str:
    """Kestra's stars: as many as there were characters, and for each long secret nine of them with a word in them."""
    for _ in (text for text in hidden if len(text) >= len(_NINE)):
        covered = covered.replace(_NINE, _WORD, 1)
    return covered


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")
