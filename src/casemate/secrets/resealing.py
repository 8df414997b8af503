"""Sealing the secrets of a store anew with its present key, after another one was put in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from casemate.keys import UNREADABLE
from casemate.secrets.backend import Address
from casemate.secrets.errors import BackendFailed
from casemate.secrets.sealing import Seal, Sealed


@dataclass(slots=True)
class Tally:
    """How many secrets there are by the ids of their keys, and how many of them are sealed anew."""

    counts: Counter[str] = field(default_factory=Counter)
    renewed: int = 0

    def __iadd__(self, other: Tally) -> Tally:
        self.counts += other.counts
        self.renewed += other.renewed
        return self


@runtime_checkable
class Resealable(Protocol):
    """A store whose secrets are sealed by us."""

    @property
    def kid(self) -> str:
        """The id of the key that seals now."""
        ...

    def reseal(self, *, only_looks: bool) -> Iterator[Tally]:
        """Seal what is under another key anew, and count, some secrets at a time: what is told is kept.

        It may be stopped at any moment and begun again, beside others who read and write. What no key opens stays as
        it is. One that `only_looks` changes nothing. Raises `BackendFailed`.
        """
        ...


def check_resealable(*, read_only: bool, only_looks: bool) -> None:
    """Raises `BackendFailed` where looking is all that may be done."""
    if read_only and not only_looks:
        raise BackendFailed("The store is read-only: its secrets are not sealed anew.")


def renewed(seal: Seal, address: Address, kept: Sealed, tally: Tally, *, only_looks: bool) -> Sealed:
    """The same secret under the present key, and counted; unchanged if it is already, or if no key opens it."""
    try:
        value = seal.opened(address, kept)
    except BackendFailed:
        tally.counts[UNREADABLE] += 1
        return kept
    if only_looks or kept.kid == seal.kid:
        tally.counts[kept.kid] += 1
        return kept
    tally.counts[seal.kid] += 1
    tally.renewed += 1
    return seal.sealed(address, value)
