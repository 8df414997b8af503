"""How often one address may guess credentials, or what else opens something (`about`: what it would open).

Other addresses never wait for it, and it never waits for long.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import TypeAlias

GUESSES = 10
"""Wrong guesses that an address has at once."""

SECONDS = 3.0
"""How long it takes until it has one more."""

_REMEMBERED = 10_000
"""Addresses that are remembered; the one that guessed longest ago is forgotten first."""

_SAME = 4
"""Wrong guesses of an address that are known again: a program with an old password only repeats itself."""


_Aim: TypeAlias = tuple[str, bytes]
"""Who guesses, and a digest of what would open."""


@dataclass(frozen=True, slots=True)
class _Guessed:
    """What an address used up: `until` is when it will have all guesses again."""

    until: float
    digests: tuple[bytes, ...] = ()


class Throttle:
    """Wrong guesses by address. An address that has none left waits, whatever it knows: a right guess would show."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guessed: OrderedDict[_Aim, _Guessed] = OrderedDict()

    def wait(self, address: str, guess: str, about: str = "") -> int:
        """The seconds until the address may guess this about that; 0 if it may now, or guessed it before."""
        before = self._guessed.get(_aim(address, about))
        if before is None or _digest(guess) in before.digests:
            return 0
        return max(0, ceil(before.until - self._clock() - (GUESSES - 1) * SECONDS))

    def missed(self, address: str, guess: str, about: str = "") -> None:
        """The address guessed wrong."""
        aim, now, digest = _aim(address, about), self._clock(), _digest(guess)
        before = self._guessed.pop(aim, _Guessed(now))
        if digest not in before.digests:
            kept = (*before.digests, digest)[-_SAME:]
            before = _Guessed(max(now, before.until) + SECONDS, kept)
        self._guessed[aim] = before
        if len(self._guessed) > _REMEMBERED:
            self._guessed.popitem(last=False)


def _aim(address: str, about: str) -> _Aim:
    return _origin(address), _digest(about)


def _digest(guess: str) -> bytes:
    return sha256(guess.encode(errors="replace")).digest()


def _origin(address: str) -> str:
    """Whom an address belongs to: with IPv6 one has as many as one likes below the first 64 bits."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
