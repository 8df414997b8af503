"""`{% raw %}…{% endraw %}`: what stands between is never rendered, however often the text is."""

from __future__ import annotations

import re
from collections.abc import Callable

_BEGIN = re.compile(r"\{%-*\s*raw\s*-*%\}")
_END = re.compile(r"\{%-*\s*endraw\s*-*%\}")
_MARK = "\ue000"  # of the private use area, so no text of anyone's language


class RawBlocks:
    """The raw blocks of a text, each replaced by a mark while the rest is rendered."""

    __slots__ = ("_blocks", "_mark", "text")

    def __init__(self, text: str) -> None:
        self._mark = _MARK
        while self._mark in text:
            self._mark += _MARK
        self._blocks: list[str] = []
        self.text = _replaced(text, self._keep) if "raw" in text else text

    def _keep(self, whole: str, _content: str) -> str:
        self._blocks.append(whole)
        return f"{self._mark}{len(self._blocks) - 1}{_MARK}"

    def restored(self, text: str) -> str:
        """The text with the blocks back in their places."""
        for number, block in enumerate(self._blocks):
            text = text.replace(f"{self._mark}{number}{_MARK}", block)
        return text


def unwrapped(text: str) -> str:
    """The text without the markers of raw blocks, their contents left."""
    return _replaced(text, lambda _whole, content: content) if "{%" in text and "raw" in text else text


def _replaced(text: str, replacement: Callable[[str, str], str]) -> str:
    """Every block exchanged; looked for in one pass, since a text may hold thousands of beginnings without an end."""
    pieces: list[str] = []
    start = 0
    while (begin := _BEGIN.search(text, start)) and (end := _END.search(text, begin.end())):
        pieces += (
            text[start : begin.start()],
            replacement(text[begin.start() : end.end()], text[begin.end() : end.start()]),
        )
        start = end.end()
    return "".join(pieces) + text[start:]
