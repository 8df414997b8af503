"""The gate: who asks, and may they? One user with a password, or everybody on this machine (spec/security 4.12)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import Request

from casemate.api.call import NOBODY, Principal
from casemate.api.guards import split
from casemate.api.operation import PUBLIC, Operation
from casemate.errors import CasemateError
from casemate.settings import BasicAuth

OWNER = Principal("owner")

_EVERYTHING = ((), ("api",), ("api", "v1"))


class TooOpen(CasemateError):
    """An open URL that opens the whole API is refused."""


class Unauthorised(CasemateError):
    """Credentials are missing or wrong."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides on every request. Without `auth` there is nobody to tell apart, so that only loopback may be served."""

    auth: BasicAuth | None
    open_paths: tuple[tuple[str, ...], ...]

    def admit(self, request: Request, operation: Operation | None) -> Principal:
        """Who asks, if they may; raises `Unauthorised`. Unknown paths (no operation) are not shown to strangers."""
        if self.auth is None:
            return OWNER
        if _knows(self.auth, request.headers.get("authorization", "")):
            return Principal(self.auth.username)
        if (operation is not None and operation.can is PUBLIC) or self._opens(request.url.path):
            return NOBODY
        raise Unauthorised

    def challenge(self, request: Request) -> dict[str, str]:
        """The header that makes a browser ask for credentials; our own login page asks by itself."""
        if self.auth is None or split(request.headers.get("referer", "")).path.endswith("/login"):
            return {}
        realm = "".join(mark for mark in self.auth.realm if mark.isprintable() and mark not in '"\\')
        return {"www-authenticate": f'Basic realm="{realm}", charset="UTF-8"'}

    def _opens(self, path: str) -> bool:
        segments = path.removeprefix("/").split("/")
        # Dot segments and doubled slashes could make this prefix and the router's path differ:
        # see test_a_path_that_only_looks_like_an_open_url_stays_closed.
        if any(segment in ("", ".", "..") for segment in segments[:-1]) or segments[-1] in (".", ".."):
            return False
        return any(tuple(segments[: len(opened)]) == opened for opened in self.open_paths)


def gate(auth: BasicAuth | None) -> Gate:
    """The gate for this configuration; raises `TooOpen`."""
    return Gate(auth, tuple(_open_paths(auth.open_urls)) if auth else ())


def _open_paths(urls: Iterable[str]) -> Iterable[tuple[str, ...]]:
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
