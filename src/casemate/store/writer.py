"""One thread that writes, so that writers never wait for each other's locks and share their commits.

A commit waits for the disk. Transactions that arrive meanwhile are run one after the other and committed together;
nobody hears of success before that commit. If one of them fails, all are run again, each alone: none needs a savepoint.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence
from concurrent.futures import Future as Promise
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from casemate.store.errors import StoreError, StoreUnavailable

_TOGETHER = 64
"""How many transactions may share a commit."""

_UNAVAILABLE = frozenset((5, 6, 7, 8, 10, 11, 13, 14, 26))
"""Result codes of SQLite that are the world's fault: busy, locked, no memory, read-only, I/O, corrupt, full..."""


class Calling(Protocol):
    """Whoever tells the outcome: an event loop, or `AT_ONCE`."""

    def is_closed(self) -> bool:
        """Is there nobody left to tell?"""
        ...

    def call_soon_threadsafe(self, function: Callable[..., object], /, *args: Any) -> object:
        """Have a function called."""
        ...


class _AtOnce:
    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, function: Callable[..., object], /, *args: Any) -> object:
        return function(*args)


AT_ONCE: Final = _AtOnce()
"""Tells the outcome in the writer's own thread: for futures that other threads wait for."""


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction that waits for its turn, and who waits for its outcome."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: Future[Any] | Promise[Any]
    loop: Calling


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


_Outcome: TypeAlias = Any
"""What the function returned, or `_Failed`."""


class Writer:
    """The thread. `submit` gives it work from any event loop; `close` lets it finish what it has."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._line: SimpleQueue[Work | None] = SimpleQueue()
        self._closed = False
        self._thread = Thread(target=self._run, name="casemate-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Put a transaction in line. Raises `StoreUnavailable` once closed."""
        if self._closed:
            raise StoreUnavailable("The database is closed")
        self._line.put(work)

    def close(self) -> None:
        """Finish what is in line, then end."""
        self._closed = True
        self._line.put(None)
        self._thread.join()

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while batch := self._next():
                wanted = [work for work in batch if not work.future.cancelled()]
                _deliver(wanted, _together(connection, wanted))

    def _next(self) -> list[Work]:
        """What is in line now, waiting for the first; empty at the end."""
        batch: list[Work] = []
        work = self._line.get()
        while work is not None:
            batch.append(work)
            if len(batch) == _TOGETHER:
                return batch
            try:
                work = self._line.get_nowait()
            except Empty:
                return batch
        if batch:
            self._line.put(None)
        return batch


def _together(connection: Connection, batch: Sequence[Work]) -> list[_Outcome]:
    """The outcomes of a batch, committed."""
    try:
        with connection.begin():
            return [work.function(connection, *work.args) for work in batch]
    except Exception as error:  # the top of the thread's loop: the outcome goes to those who wait for it
        _let_go(connection, error)
        if len(batch) == 1:
            return [_Failed(told(error))]
    return [outcome for work in batch for outcome in _together(connection, [work])]


def _let_go(connection: Connection, error: Exception) -> None:
    """A cursor that an error has left open would keep the next transactions from writing: begin anew without it."""
    if not isinstance(error, DBAPIError | StoreError):
        connection.invalidate()


def told(error: Exception) -> Exception:
    """The error as callers know it: what the database could not do just now becomes `StoreUnavailable`."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None or code & 0xFF not in _UNAVAILABLE:
        return error
    unavailable = StoreUnavailable(f"The database is unavailable: {cause}")
    unavailable.__cause__ = error
    return unavailable


def _deliver(batch: Sequence[Work], outcomes: Sequence[_Outcome]) -> None:
    by_loop: dict[Calling, list[tuple[Future[Any] | Promise[Any], _Outcome]]] = {}
    for work, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(work.loop, []).append((work.future, outcome))
    for loop, outcomes_there in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, outcomes_there)


def _settle(outcomes: Sequence[tuple[Future[Any] | Promise[Any], _Outcome]]) -> None:
    for future, outcome in outcomes:
        if future.cancelled():
            continue
        if isinstance(outcome, _Failed):
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome)
