"""No secret in a log: every form of a secret that a program is likely to print is covered with stars.

The stars are Kestra's (spec/engine 3.3): as many as the text has characters, the first nine of them read `**masked*`.
The forms are ours (spec/security 3.3): Kestra covers the value itself only.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from casemate.secret import Secret

SHORTEST: Final = 3
"""Shorter secrets are not covered: their letters stand in every other word, and stars there would tell them."""

_COMMON: Final = frozenset(("true", "false", "null", "none"))
_NINE: Final = "*" * 9
_WORD: Final = "**masked*"


class Mask:
    """The secrets of one attempt. More may become known while its templates are rendered."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add_all(secrets)

    def add(self, secret: Secret) -> None:
        """Cover this one too."""
        self.add_all((secret,))

    def add_all(self, secrets: Iterable[Secret]) -> None:
        """Cover these too."""
        new = {form for secret in secrets for form in forms(secret.reveal())} - self._forms
        if new:
            self._forms |= new
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def cover(self, text: str) -> str:
        """The text with every secret replaced."""
        if self._pattern is None or not (found := {match.group() for match in self._pattern.finditer(text)}):
            return text
        covered = self._pattern.sub(lambda match: "*" * len(match.group()), text)
        for form in found:
            if len(form) >= len(_NINE):
                covered = covered.replace(_NINE, _WORD, 1)
        return covered


def forms(value: str) -> Iterator[str]:
    """The value as it is, line by line, and as the usual encodings write it."""
    whole = value.strip()
    if len(whole) < SHORTEST or whole.lower() in _COMMON or (whole.isdigit() and len(whole) < 4):
        return
    yield from {value, whole}
    # A script's output arrives line by line: a key of several lines would never be found as a whole.
    if "\n" in whole:
        yield from (line.strip() for line in whole.splitlines() if len(line.strip()) >= 4)
    for text in {value, whole}:
        yield from {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        yield from {quote(text, safe=""), quote(text), quote_plus(text)}
        if len(text) >= 5:
            yield from _base64(text.encode("utf-8", "replace"))
            yield text.encode("utf-8", "replace").hex()


def _base64(value: bytes) -> Iterator[str]:
    """How Base64 shows the value wherever it begins inside a longer text, without the digits its neighbours share."""
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        complete = (before + len(value)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + value).decode()[shared:complete]
