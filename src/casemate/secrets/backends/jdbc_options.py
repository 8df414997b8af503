"""The options of `kestra.secret.jdbc`: what secrets are sealed with, and where their rows are (spec/security 2.4).

Without `url` that is the database of the instance. The address is JDBC's, as in Kestra's configuration, or libpq's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Final, Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from casemate.secrets.authorities import authorities_fault
from casemate.secrets.options import FORM, Duration, SecretText
from casemate.secrets.sealed_options import SealedChoice
from casemate.secrets.urls import is_loopback

Mode = Literal["disable", "require", "verify-ca", "verify-full"]

_MODES: Final = get_args(Mode)
PORT: Final = 5432
_FORM: Final = "url is no address such as jdbc:postgresql://db.example:5432/casemate"
_HOST: Final = re.compile(r"[A-Za-z0-9_.:-]+")
_DATABASE: Final = re.compile(r"[^/]+")
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_IN_URL: Final = frozenset(("host", "sslmode", "sslrootcert"))
_TWICE: Final = ("sslmode", "sslrootcert")
_UNPROVEN: Final = ("disable", "require")


@dataclass(frozen=True, slots=True)
class Place:
    """A database on a server. `host` may be the folder of a socket; `said` are the options in its address."""

    host: str
    port: int
    database: str
    said: Mapping[str, str]

    @property
    def is_here(self) -> bool:
        """Whether nothing that is told to it leaves this machine."""
        return self.is_socket or is_loopback(self.host)

    @property
    def is_socket(self) -> bool:
        """Whether it is reached through a file."""
        return self.host.startswith("/")


@dataclass(frozen=True, kw_only=True)
class Options(SealedChoice):
    """With `url` a database of their own, and how it is reached."""

    __pydantic_config__ = FORM
    url: str | None = None
    username: str | None = None
    password: SecretText | None = None
    sslmode: Mode | None = None
    sslrootcert: str | None = None
    schema: str = "casemate_secrets"
    allow_insecure: bool = False
    connect_timeout: Duration = timedelta(seconds=15)
    read_timeout: Duration = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if fault := _fault(self):
            raise ValueError(fault)

    @property
    def place(self) -> Place | None:
        """The database of their own; None if there is none."""
        return None if self.url is None else _place(self.url)

    @property
    def authorities(self) -> str | None:
        """The file of those who may have signed the server's certificate."""
        return self.sslrootcert or (self.place.said.get("sslrootcert") if self.place else None)

    @property
    def mode(self) -> str:
        """How the server is spoken to: where nothing is said, without TLS to this machine only."""
        place = self.place
        assert place is not None, "there is a server"
        said = self.sslmode or place.said.get("sslmode")
        return said or ("disable" if place.is_here and not self.authorities else "verify-full")


def _fault(options: Options) -> str | None:
    """What is wrong with options, in words that quote none of them."""
    if options.url is None:
        return _idle(options)
    try:
        place = _place(options.url)
    except ValueError as error:
        return str(error)
    return _login_fault(options, place) or _tls_fault(options, place) or _form_fault(options)


def _idle(options: Options) -> str | None:
    of_server = {each.name: each.default for each in fields(Options)[len(fields(SealedChoice)) :]}
    given = (name for name, default in of_server.items() if getattr(options, name) != default)
    return next((f"{name.replace('_', '-')} has no effect without url" for name in given), None)


def _login_fault(options: Options, place: Place) -> str | None:
    if not options.username:
        return "username is needed"
    if options.password is None and not place.is_socket:
        return "password is needed"
    return next((f"{name} stands twice" for name in _TWICE if getattr(options, name) and name in place.said), None)


def _tls_fault(options: Options, place: Place) -> str | None:
    mode = options.mode
    if mode not in _MODES:
        return f"sslmode is one of {', '.join(_MODES)}"
    if mode in _UNPROVEN and not place.is_here and not options.allow_insecure:
        return f"sslmode {mode} would show secrets to the network (or set allow-insecure: true)"
    if mode in _UNPROVEN:
        return f"sslrootcert has no effect with sslmode {mode}" if options.authorities else None
    if place.is_socket:
        return f"sslmode {mode} has no effect on a socket of this machine"
    if options.authorities is None:
        return "sslrootcert is needed: the file of the authorities that signed the server's certificate"
    return authorities_fault("sslrootcert", options.authorities)


def _form_fault(options: Options) -> str | None:
    if not _SCHEMA.fullmatch(options.schema) or options.schema.startswith("pg_"):
        return "schema is of small letters, digits and _"
    return None


def _place(url: str) -> Place:
    """Raises `ValueError` in words that quote nothing."""
    try:
        parts = urlsplit(url.removeprefix("jdbc:"))
        port = parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        raise ValueError(_FORM) from None
    said = dict(pairs)
    if parts.username is not None or "user" in said or "password" in said:
        raise ValueError("url holds credentials: give username and password beside it")
    if set(said) - _IN_URL or len(said) < len(pairs):
        raise ValueError(f"url has options other than {', '.join(sorted(_IN_URL))}, or one of them twice")
    folder, database = said.pop("host", None), parts.path.removeprefix("/")
    if (
        parts.scheme not in ("postgresql", "postgres")
        or parts.fragment
        or port == 0
        or not _DATABASE.fullmatch(database)
    ):
        raise ValueError(_FORM)
    return Place(_host(parts.hostname, folder), port or PORT, unquote(database), said)


def _host(name: str | None, folder: str | None) -> str:
    if (name is None) == (folder is None):
        raise ValueError(_FORM)
    host = name or folder or ""
    if not (_HOST.fullmatch(host) if folder is None else host.startswith("/")):
        raise ValueError(_FORM)
    return host
