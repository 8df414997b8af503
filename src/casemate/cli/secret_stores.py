"""The secrets that `casemate secrets` works on: those of this machine's configuration and database, or of a server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from cyclopts import Parameter

from casemate.cli.configuration import default_state, settings_from
from casemate.cli.connecting import Asked, Connection, Unasked, connection
from casemate.errors import CasemateError
from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import Address, Entry, InvalidOptions, ReadOnly, Secrets, secrets_from
from casemate.settings import Service, Settings, keyring
from casemate.store import Database

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_AS: Final = Service.WEBSERVER
"""Whoever manages secrets here is held to the rights of the service that lets others manage them."""

Config: TypeAlias = Annotated[tuple[Path, ...], Parameter(name=("-c", "--config"), negative=(), show_default=False)]


class Impossible(CasemateError):
    """The command line asks for what cannot be done so."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Whose secrets: what every command of `casemate secrets` takes."""

    config: Config = ()
    "A `kestra:` configuration file. May be repeated; later files win key by key."
    state: Path | None = None
    "The state folder of the server; by default `casemate` in the user's state folder."
    tenant: str = MAIN
    "The tenant."


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """The server that is asked, if one is."""

    server: str | None = None
    "Ask the server with this address, instead of the stores themselves."
    user: str | None = None
    "USERNAME:PASSWORD for the server. Better in CASEMATE_USER: others can see command lines."
    api_token: str | None = None
    "A token for the server. Better in CASEMATE_API_TOKEN: others can see command lines."
    headers: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    "NAME=VALUE, a header that is sent to the server, as often as needed."

    @property
    def in_clear(self) -> bool:
        """Could others on the way read what is sent to it?"""
        address = urlsplit(self.server or "")
        return address.scheme == "http" and address.hostname not in _LOOPBACK


HERE = Where()
NOBODY = Remote()


@dataclass(frozen=True, slots=True)
class Listed:
    """A secret as it is listed. `backend` is the kind of its store, None where a server does not tell."""

    entry: Entry
    backend: str | None
    read_only: bool


class Keeper(Protocol):
    """Who lists and changes secrets, of one tenant. Raises what `Secrets` does, or `Unasked`."""

    def listed(self, namespace: Namespace | None) -> Sequence[Listed]:
        """What a namespace has itself, or all namespaces have."""
        ...

    def before(self, address: Address) -> Entry | None:
        """What is there before a change. Raises `ReadOnly` where there can be none."""
        ...

    def write(self, entry: Entry, value: Secret | None) -> None:
        """Create or replace a secret; without a value only its description and tags."""
        ...

    def delete(self, address: Address) -> bool:
        """Remove a secret; whether there was one."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """The secrets of a configuration, and the database that is open beside them, if there is one."""

    settings: Settings
    secrets: Secrets
    database: Database | None


class Here:
    """The stores that the configuration names, asked by this process."""

    def __init__(self, opened: Opened, tenant: TenantId) -> None:
        self._secrets = opened.secrets
        self._kind = opened.settings.secrets.store.kind
        self._tenant = tenant

    def listed(self, namespace: Namespace | None) -> Sequence[Listed]:
        """See `Keeper`."""
        entries = self._secrets.entries(_AS, self._tenant, namespace)
        return [self._listed(entry, namespace) for entry in entries]

    def _listed(self, entry: Entry, namespace: Namespace | None) -> Listed:
        place = entry.address.namespace or namespace
        kind = self._secrets.kind_at(self._tenant, place) or self._kind
        return Listed(entry, kind, self._secrets.read_only_at(self._tenant, place))

    def before(self, address: Address) -> Entry | None:
        """See `Keeper`."""
        if self._secrets.read_only_at(self._tenant, address.namespace):
            raise ReadOnly(address.namespace)
        found = self._secrets.entries(_AS, self._tenant, address.namespace)
        return next((entry for entry in found if entry.address == address), None)

    def write(self, entry: Entry, value: Secret | None) -> None:
        """See `Keeper`."""
        self._secrets.write(_AS, entry, value)

    def delete(self, address: Address) -> bool:
        """See `Keeper`."""
        return self._secrets.delete(_AS, address)


@contextmanager
def keeper(where: Where, remote: Remote) -> Iterator[Keeper]:
    """Who keeps the secrets that a command line means. Raises `Impossible`, `Unasked`, and what `opened` does."""
    if remote.server is None:
        with opened(where, remote) as found:
            yield Here(found, TenantId(where.tenant))
    else:
        from casemate.cli.secrets_of_servers import There

        yield There(asked(where, remote), TenantId(where.tenant))


def asked(where: Where, remote: Remote) -> Connection:
    """The connection to the server that a command line names. Raises `Unasked`."""
    if where.config or where.state:
        raise Unasked("--config and --state are for use without a --server, which has its own")
    named = {name: getattr(remote, name) for name in ("server", "user", "api_token", "headers")}
    return connection(Asked(tenant=where.tenant, **named), os.environ)


@contextmanager
def opened(where: Where, remote: Remote = NOBODY) -> Iterator[Opened]:
    """The secrets of a configuration, while no server works on its state folder.

    Raises `Unasked` for what is said of a server when none is named, `Impossible`, `StateInUse`, `Refused`,
    `InvalidOptions`, `MissingExtra`.
    """
    if remote != NOBODY:
        raise Unasked("--user, --api-token and --headers are for a --server")
    with database_in(where.state or default_state()) as database:
        settings = settings_from(*where.config)
        with closing(secrets_of(settings, database, where.state or default_state())) as secrets:
            yield Opened(settings, secrets, database)


def secrets_of(settings: Settings, database: Database | None, state: Path) -> Secrets:
    """The secrets of these settings, none of them remembered: each is asked for once, and must be what is there now."""
    try:
        return secrets_from(replace(settings.secrets, cache=None), database, keyring(settings.encryption))
    except InvalidOptions as error:
        if database is not None:
            raise
        here = f"(there is no database in {state}; --state names the folder of the server)"
        raise InvalidOptions((*error.faults, here)) from None


@contextmanager
def database_in(state: Path) -> Iterator[Database | None]:
    """The database of a state folder, None where none is."""
    file = state / "casemate.db"
    if not file.exists():
        yield None
        return
    with closing(Database.open(f"sqlite:///{file}")) as database:
        yield database
