"""Which names our resolvers answered with which addresses, to one sandbox: what a name may open."""

from __future__ import annotations

from collections.abc import Iterable

LEAST_SECONDS, MOST_SECONDS = 300, 86_400
"""How long a name stands for an address. Programs connect again for a while without asking again; none for ever."""
_MOST = 4096


class Pins:
    """Addresses and the names they were the answer for, until their time is over. The oldest make room for the newest.

    `now` is any clock in seconds that never goes back.
    """

    def __init__(self) -> None:
        self._until: dict[str, dict[str, float]] = {}
        self._order: list[tuple[str, str]] = []

    def remember(self, name: str, addresses: Iterable[tuple[str, int]], now: float) -> None:
        """A resolver answered a name with these addresses, each for so many seconds."""
        for address, seconds in addresses:
            until = now + min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
            names = self._until.setdefault(address, {})
            if name not in names:
                self._order.append((address, name))
            names[name] = max(until, names.get(name, 0.0))
        self._make_room()

    def names_of(self, address: str, now: float) -> tuple[str, ...]:
        """The names that stand for an address now, the latest first."""
        names = self._until.get(address, {})
        return tuple(name for name, until in reversed(names.items()) if until >= now)

    def _make_room(self) -> None:
        excess = len(self._order) - _MOST
        for address, name in self._order[: max(0, excess)]:
            names = self._until[address]
            del names[name]
            if not names:
                del self._until[address]
        del self._order[: max(0, excess)]
