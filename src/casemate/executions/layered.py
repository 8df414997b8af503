"""Maps whose next version costs little, however many entries they have.

A version is a *base*, shared with earlier versions and changed no more, below a thin *layer* of what is different. To
copy a version is to copy its layer. A layer that has grown to the root of the base's size becomes one with it in a new
base; as only one of so many changes pays for that, a change costs about the same in a map of ten and of ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

_THIN = 1024
"""The square of how thick a layer may be in any case."""


class Layered(Mapping[K, V]):
    """A map that keeps the order of insertion, as a dict does. A copy and its origin never see each other's changes."""

    __slots__ = ("_base", "_gone", "_layer", "_owned")

    def __init__(self) -> None:
        self._base: dict[K, V] = {}
        self._layer: dict[K, V] = {}
        self._gone: set[K] = set()
        self._owned = True

    def copy(self) -> Layered[K, V]:
        """The same, to be changed on its own."""
        other: Layered[K, V] = Layered()
        other._base, other._layer, other._gone = self._base, self._layer.copy(), self._gone.copy()
        self._owned = other._owned = False
        return other

    def __getitem__(self, key: K) -> V:
        if key in self._layer:
            return self._layer[key]
        if key in self._gone:
            raise KeyError(key)
        return self._base[key]

    def __contains__(self, key: object) -> bool:
        return key in self._layer or (key in self._base and key not in self._gone)

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._base if key not in self._gone)
        yield from (key for key in self._layer if key not in self._base or key in self._gone)

    def __len__(self) -> int:
        new = self._layer.keys() - self._base.keys()
        return len(self._base) - len(self._gone) + len(new) + len(self._gone & self._layer.keys())

    def __setitem__(self, key: K, value: V) -> None:
        if self._owned:
            self._base[key] = value
        else:
            self._layer[key] = value
            self._keep_thin()

    def __delitem__(self, key: K) -> None:
        if self._owned:
            del self._base[key]
            return
        if key not in self:
            raise KeyError(key)
        self._layer.pop(key, None)
        if key in self._base:
            self._gone.add(key)
        self._keep_thin()

    def _keep_thin(self) -> None:
        if (len(self._layer) + len(self._gone)) ** 2 <= len(self._base) + _THIN:
            return
        self._base = self._base.copy()
        for key in self._gone:
            del self._base[key]
        self._base |= self._layer
        self._layer, self._gone, self._owned = {}, set(), True
