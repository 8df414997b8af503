"""Secrets on a PostgreSQL server of their own: the transactions that `Database` runs, run there.

Nothing is asked before the first transaction, which makes the tables where there are none. They have a schema to
themselves, so that neither the server's other tables nor a second instance get in their way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from psycopg import Connection as Driver
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as NoneFree

from casemate.store import postgres_tables
from casemate.store.database import Tx
from casemate.store.errors import StoreUnavailable
from casemate.store.postgres_failures import COLLISIONS, told
from casemate.store.postgres_wire import Server, connected, told_something

__all__ = ["Postgres", "Server"]

P = ParamSpec("P")
T = TypeVar("T")

_CONNECTIONS: Final = 8
_TRIES: Final = 20
"""Of a transaction that others came before: as many may write to one row at once."""


class _Collided(Exception):
    """Somebody else's transaction came first; nothing of this one was kept."""


class Postgres:
    """The tables of one schema. Its methods block, and are called from several threads at once."""

    def __init__(self, server: Server, schema: str, *, make: bool) -> None:
        """Where `make` is false, tables that are missing are not made."""
        engine = _engine(server)
        names = {None: schema}
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT", schema_translate_map=names)
        # Transactions may read what they write by; SQLite lets only one of them write at a time.
        self._writing = engine.execution_options(isolation_level="SERIALIZABLE", schema_translate_map=names)
        self._making = engine.execution_options(isolation_level="READ COMMITTED", schema_translate_map=names)
        self._schema = schema
        self._make = make
        self._ready = False
        self._closed = False

    def read_now(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads; each of its statements sees what is newest.

        Raises `StoreUnavailable`, `StoreError`, neither with a word of the server's.
        """
        self._prepare()
        with _answering(), self._reading.connect() as connection:
            return function(connection, *args, **kwargs)

    def transact_now(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in one transaction. It may be run more than once, so it does nothing but read and write rows.

        Raises `StoreUnavailable`, `StoreError`, neither with a word of the server's.
        """
        self._prepare()
        for _ in range(_TRIES):
            try:
                with _answering(), self._writing.begin() as connection:
                    return function(connection, *args, **kwargs)
            except _Collided:
                continue
        raise StoreUnavailable("PostgreSQL is busy with others who write the same.")

    def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        self._reading.dispose()

    def _prepare(self) -> None:
        if self._closed:
            raise StoreUnavailable("The connection to PostgreSQL is closed.")
        if self._ready:
            return
        with _answering():
            with self._reading.connect() as connection:
                found = postgres_tables.found(connection, self._schema, make=self._make)
            if not found:
                with self._making.begin() as connection:
                    postgres_tables.make(connection, self._schema)
        self._ready = True


def _engine(server: Server) -> Engine:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=partial(connected, server),
        hide_parameters=True,
        max_overflow=0,
        pool_size=_CONNECTIONS,
        pool_timeout=server.read_timeout,
        pool_use_lifo=True,
        use_native_hstore=False,
    )

    @event.listens_for(engine, "checkout")
    def still_there(driver: Driver[Any], _record: object, _proxy: object) -> None:
        # A server that went away, if only to start anew, has told so to connections at rest.
        if told_something(driver):
            raise InvalidatePoolError

    return engine


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in COLLISIONS:
            raise _Collided from None
        raise told(error.orig) from None
    except NoneFree:
        raise StoreUnavailable("All connections to PostgreSQL are in use.") from None
