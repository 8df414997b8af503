"""Who asks? By a token, by the session of a browser, or as the gate tells (spec/security 4.8).

As long as there is no account, a server without one in its configuration is open to whoever is on this machine; the
first account closes it. Sessions and tokens are random, and only their digests are kept.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from starlette.requests import Request

from casemate.api.call import Principal
from casemate.api.gate import Gate
from casemate.api.operation import PUBLIC, Operation
from casemate.store import Database, Known, accounts

COOKIE = "casemate-session"
"""Holds the session. Browsers show it to no script, and send it to no other site."""

CSRF_HEADER = "x-csrf-token"
"""What a browser's session changes must come with: another site cannot know it."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Decides on every request."""

    gate: Gate
    db: Database
    now: Callable[[], datetime]

    async def admit(self, request: Request, operation: Operation | None) -> Principal:
        """Who asks, if they may; raises as `Gate.admit`. What is public needs no look at accounts."""
        if operation is not None and operation.can is PUBLIC:
            return self.gate.admit(request, operation)
        known = await self._known(request)
        if known.account is not None:
            return Principal(known.account.name, known.account.id)
        return self.gate.admit(request, operation, closed=known.anybody)

    async def _known(self, request: Request) -> Known:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self.db.read(accounts.by_token, digest(shown.strip()), self.now())
        session = session_of(request)
        good = session and (request.method in _SAFE or _same(csrf_of(session), request.headers.get(CSRF_HEADER, "")))
        return await self.db.read(accounts.by_session, digest(session) if good else None, self.now())


def new_secret() -> str:
    """A new session or token: 256 bits of chance."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a session or a token; they are too long to be guessed, so nothing slow is needed."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def session_of(request: Request) -> str:
    """The session that a browser shows; empty without one."""
    return request.cookies.get(COOKIE, "")


def csrf_of(session: str) -> str:
    """The token that goes with a session; whoever knows it does not know the session."""
    return digest(f"csrf:{session}")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode(errors="replace"))
