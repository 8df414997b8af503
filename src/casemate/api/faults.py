"""From failures to answers: every refusal has Kestra's error body, and nothing of the server's inside leaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from casemate.api.entrance import Entrance
from casemate.api.errors import (
    Declined,
    constraints,
    error_body,
    illegal_argument,
    illegal_state,
    not_built,
    not_found,
)
from casemate.api.gate import Throttled, Unauthorised
from casemate.api.guards import HEADERS
from casemate.api.unbuilt import unbuilt
from casemate.errors import Refused
from casemate.executions import WrongChoice, WrongState
from casemate.identifiers import MAIN
from casemate.orchestrator import Conflict, NotFound, Refusal
from casemate.plugins import ManagementOff, NoSuchPlugin, PluginRefused
from casemate.secrets import BackendFailed, Denied, ReadOnly
from casemate.storage import BadUri, NotThere, Occupied, StorageError
from casemate.store import Conflict as Overtaken
from casemate.store import StoreUnavailable

Answering: TypeAlias = Callable[[Request, Any], Awaitable[Response]]

_MEANINGS: Mapping[type[Exception], Callable[[Any], Declined]] = {
    Declined: lambda refusal: refusal,
    NotFound: lambda error: not_found(str(error)),
    NotThere: lambda error: not_found(str(error)),
    BadUri: lambda error: illegal_argument(str(error)),
    Occupied: lambda error: illegal_state(str(error)),
    StorageError: lambda _: Declined(503, "Service Unavailable: the internal storage cannot be used just now"),
    Refusal: lambda error: illegal_argument(str(error)),
    WrongChoice: lambda error: illegal_argument(str(error)),
    WrongState: lambda error: illegal_state(str(error)),
    Conflict: lambda error: illegal_state(str(error)),
    ReadOnly: lambda error: illegal_state(str(error)),
    Denied: lambda error: Declined(403, f"Forbidden: {error}"),
    # Its texts hold neither values nor what a server said: see `casemate.secrets.errors`.
    BackendFailed: lambda error: Declined(503, f"Service Unavailable: {error}"),
    Overtaken: lambda _: illegal_state("someone else changed it meanwhile, try again"),
    ManagementOff: lambda error: Declined(403, f"Forbidden: {error}"),
    NoSuchPlugin: lambda error: not_found(str(error)),
    PluginRefused: lambda error: illegal_argument(str(error)),
    # Half a surrogate pair, as JSON and YAML can spell it, is no text that anything could keep.
    UnicodeEncodeError: lambda _: illegal_argument("a text holds characters that Unicode does not have"),
    StoreUnavailable: lambda _: Declined(503, "Service Unavailable: the database cannot be used just now"),
}
"""What the failures of other rooms are to someone who asks over HTTP."""


def handlers(entrance: Entrance) -> Mapping[Any, Answering]:
    """What answers which exception."""
    return {
        **{failure: partial(_declined, meaning) for failure, meaning in _MEANINGS.items()},
        Refused: _refused,
        Unauthorised: partial(_unauthorised, entrance),
        Throttled: _throttled,
        HTTPException: partial(_unrouted, entrance),
        Exception: _crashed,
    }


async def _declined(meaning: Callable[[Any], Declined], request: Request, error: Exception) -> Response:
    return _said(request, meaning(error))


async def _refused(request: Request, error: Refused) -> Response:
    message = "Invalid entity: " + constraints(error.problems).rstrip("\n")
    return JSONResponse(error_body(request.scope["path"], message, error.problems), 422)


async def _unauthorised(entrance: Entrance, request: Request, _error: Unauthorised) -> Response:
    challenge = entrance.gate.challenge(request)
    return JSONResponse(error_body(request.scope["path"], "Unauthorized"), 401, headers=challenge)


async def _throttled(request: Request, error: Throttled) -> Response:
    return _said(request, Declined(429, str(error)), {"retry-after": str(error.wait)})


async def _unrouted(entrance: Entrance, request: Request, error: HTTPException) -> Response:
    try:
        # Strangers are not told which paths exist.
        await entrance.admit(request, None)
    except Unauthorised as stranger:
        return await _unauthorised(entrance, request, stranger)
    except Throttled as stranger:
        return await _throttled(request, stranger)
    return _said(request, _meant(request, error), error.headers)


async def _crashed(request: Request, _error: Exception) -> Response:
    # The exception itself goes to the log: its text may hold what the asker must not see.
    return JSONResponse(error_body(request.scope["path"], "Internal Server Error"), 500, headers=dict(HEADERS))


def _meant(request: Request, error: HTTPException) -> Declined:
    path = request.scope["path"]
    planned = unbuilt(request.method, path)
    if planned is not None:
        return (
            not_built(planned.name) if planned.part("{tenant}", path) in (None, MAIN) else not_found("no such tenant")
        )
    if error.status_code == 405:
        return Declined(405, f"Method [{request.method}] not allowed for URI [{path}]")
    return Declined(error.status_code, "Not Found" if error.status_code == 404 else error.detail)


def _said(request: Request, refusal: Declined, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(error_body(request.scope["path"], str(refusal)), refusal.status, headers=headers)
