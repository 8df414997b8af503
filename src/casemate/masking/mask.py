"""The registry of one attempt, or of one decision: in memory only, and forgotten with it (spec/security 3.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Final

from casemate.masking.forms import forms, maskable
from casemate.masking.search import Search, joined
from casemate.masking.stars import STARS, Style, starred
from casemate.secret import Secret

_MOST: Final = 5_000
_MOST_CHARACTERS: Final = 1 << 19
"""How many secrets are looked for, and of how many characters in all: each is covered in dozens of forms."""
_MOST_DERIVED: Final = 2_000
_MOST_CHARACTERS_DERIVED: Final = _MOST_CHARACTERS // 2
"""How many of them templates may make of others."""
_TOO_MANY: Final = f"{STARS} (there are more secrets than logs can be searched for)"
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
        self._searches: tuple[Search, ...] = ()
        self._followed: list[tuple[Sequence[Secret], int]] = []
        self._characters = self._derived = self._characters_derived = 0
        self._instead: str | None = None
        self.add_all(secrets)

    def __bool__(self) -> bool:
        """Whether any secret is known."""
        self._catch_up()
        return bool(self._secrets)

    def add(self, secret: Secret) -> None:
        """Cover this one too."""
        self.add_all((secret,))

    def add_all(self, secrets: Iterable[Secret]) -> None:
        """Cover these too."""
        for secret in secrets:
            if secret not in self._secrets and self._instead is None:
                self._secrets.add(secret)
                # Its forms are worked out when there is something to cover: most templates write nothing.
                self._new.append(secret)
                self._characters += len(secret.reveal())
        if len(self._secrets) > _MOST or self._characters > _MOST_CHARACTERS:
            self._cover_everything_by(_TOO_MANY)

    def take_in(self, other: Mask) -> None:
        """Cover also what the other one covers."""
        self.add_all(tuple(other._secrets))

    def follow(self, growing: Sequence[Secret]) -> None:
        """Cover also what is in this list, or comes to it later."""
        self._followed.append((growing, 0))

    def derive(self, text: str) -> bool:
        """Cover this too, which was made of a secret; False if too much was made already."""
        if not text or Secret(text) in self._secrets:
            return True
        self._derived, self._characters_derived = self._derived + 1, self._characters_derived + len(text)
        if self._derived > _MOST_DERIVED or self._characters_derived > _MOST_CHARACTERS_DERIVED:
            return False
        self.add(Secret(text))
        return self._instead is None

    def knows(self, text: str) -> bool:
        """Is this text a secret, be it too short to be covered, or would something in it be covered?"""
        return bool(self) and (self.holds(text) or self.covers(text))

    def holds(self, text: str) -> bool:
        """Is this text itself one of the secrets?"""
        return Secret(text) in self._secrets

    def covers(self, text: str) -> bool:
        """Would something in this text be covered?"""
        return self.rest(text) != text

    def tells(self, text: str) -> bool:
        """Does this text hold a secret in any form, be it too short to be covered?"""
        if not self:
            return False
        return self.cover(text) != text or any(one.reveal() in text for one in self._secrets if one.reveal())

    def rest(self, text: str) -> str:
        """What `cover` would make of it, without sorting in what is new: templates ask at every step."""
        if not self:
            return text
        if self._instead is not None:
            return self._instead
        if len(self._new) > max(_UNSORTED, len(self._secrets) // 4):
            self._sort_in()
        for new in tuple(self._new):
            if new.reveal() in text and maskable(new.reveal()):
                text = text.replace(new.reveal(), STARS)
        return self._starred(text, cut=False)

    def cover(self, text: str, *, cut: bool = False) -> str:
        """The text with every secret replaced; at the end of one that was `cut`, the begin of a secret too."""
        self.learn()
        return self._starred(text, cut=cut) if self._instead is None else self._instead

    def learn(self) -> None:
        """Work out how the new ones are written; the next `cover` does it otherwise, and many of them take seconds."""
        self._catch_up()
        self._sort_in()

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
        self._cover_everything_by(STARS)
        self._secrets = set()
        self._followed.clear()

    def _cover_everything_by(self, text: str) -> None:
        self._instead = text
        self._new, self._searches = deque(), ()

    def _starred(self, text: str, *, cut: bool) -> str:
        searches = self._searches
        if not searches:
            return text
        content = _encoded(text)
        spans = joined([search.spans(content, cut=cut) for search in searches])
        return starred(content, spans, self._style) if spans else text

    def _catch_up(self) -> None:
        for place, (growing, seen) in enumerate(self._followed):
            if len(growing) > seen:
                self._followed[place] = (growing, len(growing))
                self.add_all(growing[seen:])

    def _sort_in(self) -> None:
        # Whoever covers waits here until what others sort in can be found.
        with self._making:
            waiting = self._new
            if not (new := tuple(waiting)):
                return
            texts = {_encoded(form) for secret in new for form in forms(secret.reveal())}
            kept = list(self._searches)
            # One by one they would be sorted anew for each: a search is made of those that are no larger than it.
            while texts and kept and len(kept[-1].texts) <= len(texts):
                texts.update(kept.pop().texts)
            found_by = (*kept, Search(texts)) if texts else tuple(kept)
            if self._instead is None:
                self._searches = found_by
            for _ in new:
                waiting.popleft()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
