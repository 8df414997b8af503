"""The database: transactions are plain functions `def apply(tx, ...)`, each run whole in a database thread.

No `await` can stand inside a transaction; that keeps them short, and testable without an event loop.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import Future as Promise
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from casemate.store.errors import StoreError, StoreUnavailable
from casemate.store.migrate import migrate
from casemate.store.patterns import provide
from casemate.store.sole import Sole
from casemate.store.writer import AT_ONCE, Work, Writer, told

Tx: TypeAlias = Connection
"""An open transaction."""

P = ParamSpec("P")
T = TypeVar("T")

_READERS = 2

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "cache_size = -8192",
    "journal_size_limit = 67108864",
    # What is deleted or written over is not left in the file; how the library was built must not decide that.
    "secure_delete = ON",
)


class Database:
    """One SQLite file: a thread that writes, a few that read."""

    def __init__(self, writing: Engine, reading: Engine, sole: Sole) -> None:
        self._sole = sole
        self._writer = Writer(writing)
        self._reading = reading
        self._own = local()
        self._closed = False
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="casemate-reader")

    @classmethod
    def open(cls, url: str) -> Database:
        """Open `sqlite:///PATH`, making the file or bringing it to the newest schema.

        Raises `StateInUse` while another process has it open, `SchemaUnknown` if a newer version made it,
        `StoreUnavailable` if it cannot be read or written.
        """
        path = _path(url)
        sole = Sole.of(path)
        writing, reading = _engine(path, "BEGIN IMMEDIATE"), _engine(path, "BEGIN", "query_only = ON")
        try:
            with writing.connect() as connection:
                migrate(connection)
        except DBAPIError as error:
            sole.release()
            raise told(error) from error
        except StoreError:
            sole.release()
            raise
        return cls(writing, reading, sole)

    async def transact(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in one transaction; when this returns, what it wrote is on the disk.

        An exception of the function undoes all it wrote. The function may be run more than once, so it does nothing but
        read and write rows. If the caller is cancelled meanwhile, the outcome is unknown.
        """
        assert not kwargs, "arguments of a transaction are positional"
        loop = get_running_loop()
        future = loop.create_future()
        self._writer.submit(Work(function, args, future, loop))
        result: T = await future
        return result

    def transact_now(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a thread that waits; not for the event loop's, which would wait with it."""
        assert not kwargs, "arguments of a transaction are positional"
        future: Promise[T] = Promise()
        self._writer.submit(Work(function, args, future, AT_ONCE))
        return future.result()

    async def read(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads, on one consistent view of the database, beside any writer."""
        assert not kwargs, "arguments of a transaction are positional"
        try:
            reading = get_running_loop().run_in_executor(self._readers, self._read, function, args)
        except RuntimeError as error:
            raise StoreUnavailable("The database is closed") from error
        return await reading

    def read_now(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same in the calling thread, for work that mostly waits for something else than rows.

        Not for the event loop's thread, which would wait with it.
        """
        assert not kwargs, "arguments of a transaction are positional"
        if self._closed:
            raise StoreUnavailable("The database is closed")
        return self._read(function, args)

    def close(self) -> None:
        """Finish the transactions that are in line and let go of the file."""
        self._closed = True
        self._writer.close()
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._sole.release()

    def _read(self, function: Callable[..., T], args: tuple[Any, ...]) -> T:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._reading.connect()
        try:
            with connection.begin():
                return function(connection, *args)
        except Exception as error:
            # A cursor that the error has left open, and the error keeps alive, would hold this connection to the view
            # of the database that it had: whoever read after it would never see anything new.
            self._own.connection = None
            connection.close()
            failure = told(error)
            if failure is error:
                raise
            raise failure from error


def _path(url: str) -> Path:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError(f"Only databases of the form sqlite:///PATH can be opened, not {parsed.render_as_string()}")
    return Path(parsed.database)


def _engine(path: Path, begin: str, *further: str) -> Engine:
    """An engine that begins transactions in our words: Python's driver would begin them too late to see conflicts."""
    # What fails is told with its statement, and must not be with the values that go with it.
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(driver: Any, _record: object) -> None:
        driver.isolation_level = None
        provide(driver)
        for pragma in (*_PRAGMAS, *further):
            driver.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
