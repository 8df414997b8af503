"""What every request meets before anything else, and what every answer carries: guards against other web sites."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casemate.api.errors import error_body

HEADERS: Mapping[str, str] = {
    # Answers are data: whatever a tenant's file contains, a browser neither guesses its type nor runs it.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    # The key of a webhook is part of its address.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guarded:
    """Refuses what only another web site would send, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, *, url: str, any_host: bool) -> None:
        self._app = app
        self._own = split(url)
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            body = error_body(scope["path"], refusal)
            await JSONResponse(body, 403, headers=dict(HEADERS))(scope, receive, send)
            return
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, verb: str, headers: Headers) -> str | None:
        host = headers.get("host", "")
        # DNS rebinding: a foreign name that resolves to this machine. Without credentials only the name tells.
        if not self._any_host and not self._is_ours(host):
            return f"Forbidden: this server is not {host[:200]!r}; set kestra.url to the address that people use"
        # A page of another site may send forms here with the credentials that the browser keeps.
        if verb not in _SAFE and self._is_foreign(headers, host):
            return "Forbidden: requests from another origin may not change anything"
        return None

    def _is_ours(self, host: str) -> bool:
        name = split(f"//{host}").hostname
        return name is not None and (is_loopback(name) or name == self._own.hostname)

    def _is_foreign(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site") in ("cross-site", "same-site")
        return split(origin).netloc.lower() not in (host.lower(), self._own.netloc.lower())


def is_loopback(name: str) -> bool:
    """Only this machine itself can reach that host."""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def split(url: str) -> SplitResult:
    """The parts of an address that somebody sent; all empty if it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
