"""What one server gives to those who ask: so many at once, and nobody for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from casemate.api.errors import Declined


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Numbers at once, times in seconds, rates in bytes a second.

    Whoever is slower than `head` for a request's head, or reads or writes less than `rate` beyond `patience`, holds a
    connection that others could use, and loses it.
    """

    connections: int = 500
    head: float = 20.0
    patience: float = 30.0
    rate: int = 1024

    def allows(self, taken: int) -> float:
        """How many seconds after its beginning a body may still be coming, of which so many bytes are there."""
        return self.patience + taken / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How many files an archive that comes in may have, and the bytes that one of them may unfold to.

    Beside these each kind of archive has limits of its own, which hold in any case.
    """

    entries: int = 10_000
    entry_size: int | None = None


@dataclass(slots=True)
class Spool:
    """The bytes of forms and archives that lie on this machine's disk until they are stored or sent.

    Each form alone has its own limit.
    """

    most: int
    taken: int = field(default=0)

    def take(self, size: int) -> None:
        """Room for so many more bytes; raises `Declined` if there is not so much."""
        if self.taken + size > self.most:
            raise Declined(503, "Service Unavailable: too much is being sent just now, try again in a while")
        self.taken += size

    def give_back(self, size: int) -> None:
        """So many bytes are gone from the disk."""
        self.taken -= size


@dataclass(slots=True)
class Seats:
    """How many event streams there are; each keeps a connection and a place in memory for as long as it likes."""

    most: int
    taken: int = field(default=0)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A seat for a while; raises `Declined` if there is none."""
        if self.taken >= self.most:
            raise Declined(503, f"Service Unavailable: {self.most} event streams are open, and no more can be")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
