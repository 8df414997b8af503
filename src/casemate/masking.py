"""No secret in a log: every form of a secret that a program is likely to print is covered with stars.

The stars are Kestra's (spec/engine 3.3): as many as the text has characters, the first nine of them read `**masked*`.
The forms are ours (spec/security 3.3): Kestra covers the value itself only.

What goes into logs, measurements, isolation reports and texts of errors is covered. What cannot be:

- outputs, KV values and files, with the names of files: they are what a task hands on, and stars would break the next
  one (use SECRET outputs). What was handed on so is no secret any more to the task that gets it.
- secrets of one or two characters, or of three digits, and words such as `true`: they stand everywhere.
- a secret that a program takes apart: split over lines or with something between its letters, cut where an overlong
  line is cut, reversed, in other letters, compressed, encrypted, hashed, encoded twice or in a way that `forms` lacks.
- what was written before the secret became known, and by other tasks that were never given it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

from casemate.secret import Secret

SHORTEST: Final = 3
"""Shorter secrets are not covered: their letters stand in every other word, and stars there would tell them."""

_COMMON: Final = frozenset(("true", "false", "null", "none"))
_NINE: Final = "*" * 9
_WORD: Final = "**masked*"
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_WIDTHS: Final = (76, 64)
_RECOGNISABLE: Final = 8
"""Digits of Base64 that hardly stand in a text by chance."""


class Mask:
    """The secrets of one attempt, or of one decision. More may become known while templates are rendered."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets: set[Secret] = set()
        # Templates are rendered in a thread, logs are written in another.
        self._new: deque[Secret] = deque()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add_all(secrets)

    def add(self, secret: Secret) -> None:
        """Cover this one too."""
        self.add_all((secret,))

    def add_all(self, secrets: Iterable[Secret]) -> None:
        """Cover these too."""
        # Their forms are worked out when there is something to cover: most templates open much and write nothing.
        self._new.extend(secret for secret in secrets if secret not in self._secrets)

    def _known(self) -> re.Pattern[str] | None:
        new = {self._new.popleft() for _ in range(len(self._new))} - self._secrets
        if new:
            self._secrets |= new
            self._forms |= {form for secret in new for form in forms(secret.reveal())}
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first))) if self._forms else None
        return self._pattern

    def cover(self, text: str) -> str:
        """The text with every secret replaced."""
        pattern = self._known()
        if pattern is None or not (found := {match.group() for match in pattern.finditer(text)}):
            return text
        covered = pattern.sub(lambda match: "*" * len(match.group()), text)
        for form in found:
            if len(form) >= len(_NINE):
                covered = covered.replace(_NINE, _WORD, 1)
        return covered

    def cover_all(self, value: object) -> object:
        """A JSON value with every secret replaced in its texts, those of its keys included."""
        match value:
            case str():
                return self.cover(value)
            case Mapping():
                return {self.cover(str(key)): self.cover_all(one) for key, one in value.items()}
            case list() | tuple():
                return [self.cover_all(one) for one in value]
        return value


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
        yield from _escaped(text)
        if len(text) >= 5:
            content = text.encode("utf-8", "replace")
            yield from {content.hex(), content.hex().upper()}
            yield from _base64(content)


def _escaped(text: str) -> Iterator[str]:
    """In texts of JSON, of programs and shells, in addresses and in markup."""
    json_texts = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    yield from json_texts
    yield from (one.replace("/", "\\/") for one in json_texts)
    yield from {repr(text)[1:-1], text.replace("'", "'\"'\"'"), text.replace("'", "'\\''")}
    yield from {html.escape(text), html.escape(text, quote=False)}
    for address in {quote(text, safe=""), quote(text), quote_plus(text)}:
        yield from {address, _ESCAPE.sub(lambda match: match.group().lower(), address)}


def _base64(content: bytes) -> Iterator[str]:
    """How Base64 shows the value wherever it begins inside a longer text, without the digits its neighbours share.

    Of a long one also the lines that the usual programs break it into.
    """
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        complete = (before + len(content)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + content).decode()[shared:complete]
    digits = base64.b64encode(content).decode()
    # Alone, the last digit and the padding would tell the last bits.
    yield from {digits, digits.rstrip("="), base64.urlsafe_b64encode(content).decode().rstrip("=")}
    for width in _WIDTHS:
        if len(digits) > width:
            lines = (digits[begin : begin + width] for begin in range(0, len(digits), width))
            yield from (line for line in lines if len(line) >= _RECOGNISABLE)
