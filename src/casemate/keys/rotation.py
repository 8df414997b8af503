"""Sealing stored values anew with the primary key (spec/security 1.8)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from casemate.keys.cipher import Undecipherable
from casemate.keys.keyring import Keyring
from casemate.sealed import Sealed, envelope, sealed_in

UNREADABLE: Final = ""
"""Counts, among the ids of keys, what none of them opens."""

_BARE = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
"""A ciphertext of one character has 40 digits of Base64."""


class Rotation:
    """Looks through JSON texts for sealed values. `counts` says by the ids of keys how many there were, `renewed` how
    many of them are sealed with the primary key now and were not before.

    Done again it changes nothing: what the primary key opens under its own name stays as it is.
    """

    def __init__(self, keys: Keyring, *, only_looks: bool = False) -> None:
        """One that `only_looks` counts, and changes nothing."""
        self._keys = keys
        self._only_looks = only_looks
        self.counts: Counter[str] = Counter()
        self.renewed = 0

    def text(self, document: str, bare: Sequence[tuple[str, ...]] = ()) -> str:
        """The same text with every sealed value in it under the primary key, byte for byte if there is nothing to do.

        `bare` are the ways, key by key, to values that may be ciphertexts without an envelope, as inputs are in
        Kestra. Whether a text is one is for the cipher to say: it opens nothing that it did not make.
        """
        before = self.renewed
        value = json.loads(document, object_hook=self._node)
        for way in bare:
            self._bare(_at(value, way))
        return document if self.renewed == before else json.dumps(value, separators=(",", ":"))

    def _node(self, node: dict[str, Any]) -> dict[str, Any]:
        sealed = sealed_in(node)
        if sealed is None:
            return node
        try:
            key, clear = self._keys.opened(sealed)
        except Undecipherable:
            self.counts[UNREADABLE] += 1
            return node
        renewed = self._keys.seal(clear)
        if key == self._keys.primary and sealed.key == renewed.key:
            self.counts[key] += 1
            return node
        self.counts[self._after(key)] += 1
        if self._only_looks:
            return node
        self.renewed += 1
        return {**node, **envelope(renewed)}

    def _bare(self, root: object) -> None:
        """Ciphertexts stay bare: their readers expect them so, and try every key."""
        for node, place, text in _texts(root):
            try:
                key, clear = self._keys.opened(Sealed(text))
            except Undecipherable:
                continue
            self.counts[self._after(key)] += 1
            if key != self._keys.primary and not self._only_looks:
                self.renewed += 1
                node[place] = self._keys.seal(clear).cipher

    def _after(self, key: str) -> str:
        return key if self._only_looks else self._keys.primary


def _at(value: object, way: tuple[str, ...]) -> object:
    for name in way:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _texts(root: object) -> Iterator[tuple[Any, Any, str]]:
    """Every text within maps and lists that may be a ciphertext: what holds it, where, and the text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        entries = list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ())
        for place, one in entries:
            if isinstance(one, str) and _BARE.fullmatch(one):
                yield node, place, one
            elif sealed_in(one) is None:
                waiting.append(one)
