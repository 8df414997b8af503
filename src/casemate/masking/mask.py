"""The registry of one attempt, or of one decision: in memory only, and forgotten with it (spec/security 3.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

from casemate.masking.forms import forms, maskable
from casemate.masking.search import Search
from casemate.masking.stars import STARS, Style, starred
from casemate.secret import Secret

_UNSORTED: Final = 64
"""New secrets that are looked for one by one: a search is made anew only when there are many, or something to cover."""


class Mask:
    """The secrets of one attempt, or of one decision. More may become known while templates are rendered."""

    def __init__(self, secrets: Iterable[Secret] = (), style: Style = "fixed") -> None:
        self._style = style
        self._secrets: set[Secret] = set()
        # Templates are rendered in a thread, logs are written in another.
        self._making = Lock()
        self._new: deque[Secret] = deque()
        self._forms: set[bytes] = set()
        self._search: Search | None = None
        self._forgotten = False
        self.add_all(secrets)

    def __bool__(self) -> bool:
        """Whether there is anything to cover."""
        return bool(self._secrets)

    def add(self, secret: Secret) -> None:
        """Cover this one too."""
        self.add_all((secret,))

    def add_all(self, secrets: Iterable[Secret]) -> None:
        """Cover these too."""
        for secret in secrets:
            if secret not in self._secrets:
                self._secrets.add(secret)
                # Its forms are worked out when there is something to cover: most templates write nothing.
                self._new.append(secret)

    def knows(self, text: str) -> bool:
        """Is this text a secret, or does it hold one as it is written, or encoded in a way that is covered?"""
        if not self._secrets:
            return False
        if Secret(text) in self._secrets:
            return True
        if len(self._new) > max(_UNSORTED, len(self._secrets) // 2):
            self._sort_in()
        if any(maskable(one.reveal()) and one.reveal() in text for one in tuple(self._new)):
            return True
        return self._search is not None and bool(self._search.spans(_encoded(text)))

    def cover(self, text: str, *, cut: bool = False) -> str:
        """The text with every secret replaced; at the end of one that was `cut`, the begin of a secret too."""
        if self._forgotten:
            return STARS
        if self._new:
            self._sort_in()
        if self._search is None:
            return text
        content = _encoded(text)
        spans = self._search.spans(content, cut=cut)
        return starred(content, spans, self._style) if spans else text

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

    def forget(self) -> None:
        """Let go of all secrets. Nothing is written any more: a text that still comes is covered from end to end."""
        self._forgotten = True
        self._secrets, self._new, self._forms, self._search = set(), deque(), set(), None

    def _sort_in(self) -> None:
        with self._making:
            new = [self._new.popleft() for _ in range(len(self._new))]
            self._forms.update(_encoded(form) for secret in new for form in forms(secret.reveal()))
            if self._forms:
                self._search = Search(self._forms)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
