"""The gate: who asks, and may they? One user with a password, or everybody on this machine (spec/security 4.12)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from starlette.requests import Request

from casemate.api.call import NOBODY, Principal
from casemate.api.guards import split
from casemate.api.operation import PUBLIC, Operation
from casemate.api.throttle import Throttle
from casemate.errors import CasemateError
from casemate.settings import OPEN_URLS, BasicAuth

Segments: TypeAlias = tuple[str, ...]

OWNER = Principal("owner")

_EVERYTHING = ((), ("api",), ("api", "v1"))


class TooOpen(CasemateError):
    """An open URL that opens the whole API is refused."""


class Unauthorised(CasemateError):
    """Credentials are missing or wrong."""


class Throttled(CasemateError):
    """Too many wrong guesses came from there; `wait` is the seconds until the next may come."""

    def __init__(self, wait: int) -> None:
        super().__init__("Too Many Requests: wrong credentials came from this address too often, wait a little")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides on every request. Without `auth` there is nobody to tell apart, so that only loopback may be served.

    `open_paths` are segments of paths; `written` are those of them that the table of operations has word by word.
    """

    auth: BasicAuth | None
    open_paths: tuple[Segments, ...]
    written: frozenset[Segments]
    throttle: Throttle

    def admit(self, request: Request, operation: Operation | None, *, closed: bool = False) -> Principal:
        """Who asks, if they may; raises `Unauthorised`, `Throttled`. Strangers are not shown which paths exist.

        `closed`: there are accounts, so that without `auth` too nobody passes unknown.
        """
        if self.auth is None and not closed:
            return OWNER
        given, address = request.headers.get("authorization", ""), request.client.host if request.client else ""
        wait = self.throttle.wait(address, given) if given else 0
        if given and not wait:
            if self.auth is not None and _knows(self.auth, given):
                return Principal(self.auth.username)
            self.throttle.missed(address, given)
        if (operation is not None and operation.can is PUBLIC) or self._opens(request.scope["path"], operation):
            return NOBODY
        raise Throttled(wait) if wait else Unauthorised

    def challenge(self, request: Request) -> dict[str, str]:
        """The header that makes a browser ask for credentials; our own login page asks by itself."""
        if self.auth is None or split(request.headers.get("referer", "")).path.endswith("/login"):
            return {}
        realm = "".join(mark for mark in self.auth.realm if mark.isprintable() and mark not in '"\\')
        return {"www-authenticate": f'Basic realm="{realm}", charset="UTF-8"'}

    def _opens(self, path: str, operation: Operation | None) -> bool:
        segments = tuple(path.removeprefix("/").split("/"))
        # Dot segments and doubled slashes could make this prefix and the router's path differ:
        # see test_a_path_that_only_looks_like_an_open_url_stays_closed.
        if any(segment in ("", ".", "..") for segment in segments[:-1]) or segments[-1] in (".", ".."):
            return False
        return any(segments[: len(opened)] == opened and self._means(opened, operation) for opened in self.open_paths)

    def _means(self, opened: Segments, operation: Operation | None) -> bool:
        # A namespace may be called `webhook`: see test_a_namespace_that_is_called_like_an_open_url_stays_closed.
        return operation is None or opened not in self.written or _has(operation.path, opened)


def gate(auth: BasicAuth | None, paths: Iterable[str] = (), throttle: Throttle | None = None) -> Gate:
    """The gate for this configuration before operations with these paths; raises `TooOpen`."""
    opened = tuple(_open_paths(auth.open_urls if auth else OPEN_URLS))
    known = tuple(paths)
    written = frozenset(one for one in opened if any(_has(path, one) for path in known))
    return Gate(auth, opened, written, throttle or Throttle())


def _has(path: str, opened: Segments) -> bool:
    """Does the path of an operation begin with these segments word by word? The tenant is always a parameter."""
    segments = path.removeprefix("/").split("/")
    return len(segments) >= len(opened) and all(
        wanted in (given, "{tenant}") for wanted, given in zip(segments, opened, strict=False)
    )


def _open_paths(urls: Iterable[str]) -> Iterable[Segments]:
    for url in urls:
        segments = tuple(segment for segment in url.split("/") if segment)
        if segments in _EVERYTHING or any(segment in (".", "..") for segment in segments):
            raise TooOpen(f"kestra.server.basic-auth.open-urls may not contain {url!r}: name what is to be open")
        yield segments


def _knows(auth: BasicAuth, header: str) -> bool:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(token.strip(), validate=True)
    except ValueError:
        return False
    username, _, password = given.partition(b":")
    # Both are compared, always and in constant time: the time of an answer must not tell which half was right.
    right_name = _same(username, auth.username)
    right_password = _same(password, auth.password.reveal())
    return right_name & right_password


def _same(given: bytes, wanted: str) -> bool:
    return hmac.compare_digest(sha256(given).digest(), sha256(wanted.encode()).digest())
