"""The server that a command line names: where it is, who asks, and what is said when it gives no answer."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import Any, Final
from urllib.parse import quote, urlsplit

from casemate.errors import CasemateError
from casemate.secret import Secret

_SECONDS: Final = 60
_LARGEST_ANSWER: Final = 64 * 1024 * 1024
_SCHEMES: Final = ("http", "https")


class Unasked(CasemateError):
    """The server cannot be asked, or refuses. `status` is that of its answer, `told` what it says of the reason."""

    def __init__(self, message: str, *, status: int | None = None, told: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.told = told


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says of the server. Credentials of the command line win over those of the environment."""

    server: str | None
    user: str | None = field(default=None, repr=False)
    api_token: str | None = field(default=None, repr=False)
    tenant: str | None = None
    headers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def names_more(self) -> bool:
        """Is there something beside the server, which has no effect without it?"""
        return any((self.user, self.api_token, self.tenant, self.headers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Which server is asked, for which tenant, and with which credentials."""

    server: str
    tenant: str
    authorization: Secret | None
    headers: Mapping[str, Secret] = field(default_factory=dict)

    def url(self, path: str) -> str:
        """The address of an operation of the tenant: `flows/validate`."""
        return f"{self.server.rstrip('/')}/api/v1/{quote(self.tenant, safe='')}/{path}"


def connection(asked: Asked, environ: Mapping[str, str]) -> Connection:
    """The connection that a command line and the environment describe. Raises `Unasked` for what is none."""
    try:
        address = urlsplit(asked.server or "")
        known = address.scheme in _SCHEMES and address.hostname and (address.port or True)
    except ValueError:
        known = False
    if not known or "@" in address.netloc:
        raise Unasked("--server wants an address such as https://kestra.example.com, without credentials in it")
    return Connection(
        server=asked.server or "",
        tenant=asked.tenant or "main",
        authorization=_authorization(asked, environ),
        headers=dict(map(_header, asked.headers)),
    )


def _authorization(asked: Asked, environ: Mapping[str, str]) -> Secret | None:
    user, token = asked.user, asked.api_token
    if not user and not token:
        user, token = environ.get("CASEMATE_USER"), environ.get("CASEMATE_API_TOKEN")
    if user and token:
        raise Unasked("give a user or an API token, not both")
    if user and ":" not in user:
        raise Unasked("a user is given as USERNAME:PASSWORD")
    if user:
        return Secret("Basic " + base64.b64encode(user.encode()).decode())
    return Secret(f"Bearer {token}") if token else None


def _header(text: str) -> tuple[str, Secret]:
    name, equals, value = text.partition("=")
    if not name.strip() or not equals or not text.isprintable():
        raise Unasked("a header is given as NAME=VALUE")
    return name.strip(), Secret(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call of an operation. `does` ends the sentence that this account may not; `missing` says what a 404 means."""

    method: str
    path: str
    content: bytes | None = field(default=None, repr=False)
    type: str = "application/json"
    does: str
    missing: str = ""


def answer(to: Connection, question: Question) -> Any:
    """The JSON that the server answers with, None for nothing. Raises `Unasked`."""
    url, headers = to.url(question.path), _headers(to, question)
    request = urllib.request.Request(url, question.content, headers, method=question.method)  # noqa: S310 - its scheme was checked
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS) as said:
            content = said.read(_LARGEST_ANSWER)
            return json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        raise _explained(error, to, question) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Unasked(f"{to.server} does not answer: {reason}") from error
    except (ValueError, RecursionError) as error:
        raise Unasked(f"{to.server} answers with something else than JSON: is it a Kestra server?") from error


def _headers(to: Connection, question: Question) -> dict[str, str]:
    headers = {name: value.reveal() for name, value in to.headers.items()}
    if to.authorization is not None:
        headers["Authorization"] = to.authorization.reveal()
    return headers | {"Content-Type": question.type, "Accept": "application/json"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address might be another server, which must not get the credentials."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Never: the answer then counts as an error."""


def _explained(error: urllib.error.HTTPError, to: Connection, question: Question) -> Unasked:
    match error.code:
        case 401:
            given = "the credentials" if to.authorization else "a request without credentials (--user or --api-token)"
            said = f"refuses {given}"
        case 403:
            said = f"does not let this account {question.does}"
        case 404:
            said = question.missing or f"knows no tenant {to.tenant}"
        case 300 | 301 | 302 | 303 | 307 | 308:
            said = f"sends to {error.headers.get('Location', 'another address')}: name that one"
        case code:
            said = f"answers {code} {error.reason}"
    return Unasked(f"{to.server} {said}", status=error.code, told=_told(error))


def _told(error: urllib.error.HTTPError) -> str:
    """What the answer of Kestra's form says of the reason; nothing if it has another form."""
    try:
        said = json.loads(error.read(_LARGEST_ANSWER))
    except (ValueError, RecursionError, OSError, HTTPException):
        return ""
    message = said.get("message") if isinstance(said, dict) else None
    return message if isinstance(message, str) else ""
