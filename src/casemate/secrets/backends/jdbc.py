"""`kestra.secret.type: jdbc`: secrets in a database, sealed under a key of their own (spec/security 2.4).

That is the database of the instance, or one of their own on a server of PostgreSQL. The rows hold names, descriptions
and tags in the clear, and values as AES-256-GCM bound to where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import tags
from casemate.secrets.backend import Address, Entry, Found
from casemate.secrets.backends.jdbc_options import Options, Place
from casemate.secrets.errors import BackendFailed, InvalidOptions, MissingExtra, ReadOnly
from casemate.secrets.options import Choice
from casemate.secrets.resealing import Tally, check_resealable, renewed
from casemate.secrets.sealing import Seal, Sealed
from casemate.store import Database, SealedSecret, StoreError, StoreUnavailable, Tx
from casemate.store import secrets as rows

if TYPE_CHECKING:
    from casemate.store.postgres import Postgres

__all__ = ["DatabaseSecrets", "Options", "opened"]

P = ParamSpec("P")
T = TypeVar("T")


class Transactions(Protocol):
    """A database with the rows: `Database`, or `Postgres`."""

    def read_now(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads."""
        ...

    def transact_now(self, function: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in one transaction."""
        ...


def opened(options: Options, *, read_only: bool, at: str, database: Database | None) -> DatabaseSecrets:
    """The secrets of the instance's database, or of their own, which nothing was asked yet.

    Raises `InvalidOptions` where there is none of both, `MissingExtra`.
    """
    if options.place is not None:
        server = _server(options, options.place, make=not read_only)
        return DatabaseSecrets(options, server, read_only=read_only, close=server.close)
    if database is None:
        raise InvalidOptions((f"{at}: without url secrets are in the database of the instance, and none is open here",))
    return DatabaseSecrets(options, database, read_only=read_only)


def _server(options: Options, place: Place, *, make: bool) -> Postgres:
    try:
        from casemate.store.postgres import Postgres, Server
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise MissingExtra("jdbc", "postgres") from error
    server = Server(
        host=place.host,
        port=place.port,
        database=place.database,
        username=options.username or "",
        password=options.password,
        tls=options.mode,
        authorities=options.authorities,
        connect_timeout=options.connect_timeout.total_seconds(),
        read_timeout=options.read_timeout.total_seconds(),
    )
    return Postgres(server, options.schema, make=make)


class DatabaseSecrets:
    """Rows of one table. Descriptions and tags are kept."""

    def __init__(
        self,
        options: Options,
        database: Transactions,
        *,
        read_only: bool,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """`close` lets go of a database that is ours to close."""
        self._options = options
        self._close = close
        self._database = database
        self._read_only = read_only
        self._seal = options.seal

    def read(self, address: Address) -> Found | None:
        """See `Backend`."""
        if not _storable(address.name):
            return None
        with _answering():
            row = self._database.read_now(rows.get, address.tenant, address.namespace, address.name)
        if row is None or not tags.shown(_tags(row), self._options):
            return None
        return Found(value=self._seal.opened(address, Sealed(kid=row.kid, text=row.sealed)))

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> Sequence[Entry]:
        """See `Backend`."""
        with _answering():
            found = self._database.read_now(rows.all_of, tenant, namespace)
        return [
            tags.entry(_address(row), _tags(row), self._options)
            for row in found
            if tags.shown(_tags(row), self._options)
        ]

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Backend`."""
        self._writable(entry.address)
        kept = tags.written(entry, self._options, None)
        if not tags.shown(kept, self._options):
            raise BackendFailed("With these tags filter-on-tags would hide the secret.")
        if not _storable(entry.address.name, entry.description or ""):
            raise BackendFailed("The name or the description has characters that databases do not keep.")
        sealed = None if value is None else self._seal.sealed(entry.address, value)
        with _answering():
            self._database.transact_now(_put, entry.address, kept, sealed)

    def delete(self, address: Address) -> bool:
        """See `Backend`."""
        self._writable(address)
        if not _storable(address.name):
            return False
        with _answering():
            return self._database.transact_now(_delete, address, self._options)

    @property
    def kid(self) -> str:
        """See `Resealable`."""
        return self._seal.kid

    def reseal(self, *, only_looks: bool) -> Iterator[Tally]:
        """See `Resealable`."""
        check_resealable(read_only=self._read_only, only_looks=only_looks)
        run = self._database.read_now if only_looks else self._database.transact_now
        after: rows.Key | None = None
        while True:
            with _answering():
                after, tally = run(_resealed, after, self._seal, only_looks)
            yield tally
            if after is None:
                return

    def close(self) -> None:
        """See `Backend`."""
        self._close()

    def _writable(self, address: Address) -> None:
        if self._read_only:
            raise ReadOnly(address.namespace)


def _storable(*texts: str) -> bool:
    """Whether every database takes them: PostgreSQL no NUL, none of them half a pair of surrogates."""
    return not any("\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text) for text in texts)


def _delete(tx: Tx, address: Address, choice: Choice) -> bool:
    row = rows.get(tx, address.tenant, address.namespace, address.name)
    if row is None or not tags.shown(_tags(row), choice):
        return False
    return rows.delete(tx, address.tenant, address.namespace, address.name)


def _put(tx: Tx, address: Address, kept: dict[str, str], sealed: Sealed | None) -> None:
    before = rows.get(tx, address.tenant, address.namespace, address.name)
    if sealed is None and before is not None:
        sealed = Sealed(kid=before.kid, text=before.sealed)
    if sealed is None:
        return
    beside = {name: text for name, text in kept.items() if name not in (*tags.RESERVED, tags.DESCRIPTION)}
    rows.put(
        tx,
        SealedSecret(
            tenant=address.tenant,
            namespace=address.namespace,
            name=address.name,
            kid=sealed.kid,
            sealed=sealed.text,
            description=kept.get(tags.DESCRIPTION),
            tags=beside,
        ),
    )


def _resealed(tx: Tx, after: rows.Key | None, seal: Seal, only_looks: bool) -> tuple[rows.Key | None, Tally]:
    # Counted within the transaction, which may be run more than once.
    tally = Tally()

    def change(row: SealedSecret) -> SealedSecret:
        new = renewed(seal, _address(row), Sealed(kid=row.kid, text=row.sealed), tally, only_looks=only_looks)
        return replace(row, kid=new.kid, sealed=new.text)

    return rows.rewrite(tx, after, change), tally


def _address(row: SealedSecret) -> Address:
    return Address(tenant=row.tenant, namespace=row.namespace, name=row.name)


def _tags(row: SealedSecret) -> dict[str, str]:
    described = {tags.DESCRIPTION: row.description} if row.description else {}
    return {**row.tags, **described, **tags.of_address(_address(row), None)}


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise BackendFailed(f"The database of secrets does not answer: {error}", passing=True) from None
    except StoreError as error:
        raise BackendFailed(f"The database of secrets cannot be used: {error}") from None
