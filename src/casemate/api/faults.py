"""From failures to answers: every refusal has Kestra's error body, and nothing of the server's inside leaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from casemate.api.errors import Declined, constraints, error_body, illegal_argument, illegal_state, not_built, not_found
from casemate.api.gate import Gate, Unauthorised
from casemate.api.guards import HEADERS
from casemate.api.unbuilt import unbuilt
from casemate.errors import Refused
from casemate.orchestrator import Conflict, NotFound
from casemate.storage import BadUri, NotThere
from casemate.store import Conflict as Overtaken
from casemate.store import StoreUnavailable

Answering = Callable[[Request, Any], Awaitable[Response]]


def handlers(keeper: Gate) -> Mapping[Any, Answering]:
    """What answers which exception."""

    async def declined(request: Request, error: Declined) -> Response:
        return _said(request, error)

    async def refused(request: Request, error: Refused) -> Response:
        message = "Invalid entity: " + constraints(error.problems).rstrip("\n")
        return JSONResponse(error_body(request.url.path, message, error.problems), 422)

    async def unknown(request: Request, error: NotFound) -> Response:
        return _said(request, not_found(str(error)))

    async def conflicting(request: Request, error: Conflict) -> Response:
        return _said(request, illegal_state(str(error)))

    async def overtaken(request: Request, _error: Overtaken) -> Response:
        return _said(request, illegal_state("someone else changed it meanwhile, try again"))

    async def no_file(request: Request, error: NotThere) -> Response:
        return _said(request, not_found(str(error)))

    async def bad_uri(request: Request, error: BadUri) -> Response:
        return _said(request, illegal_argument(str(error)))

    async def unwritable(request: Request, _error: UnicodeEncodeError) -> Response:
        # Half a surrogate pair, as JSON and YAML can spell it, is no text that anything could keep.
        return _said(request, illegal_argument("a text holds characters that Unicode does not have"))

    async def unavailable(request: Request, _error: StoreUnavailable) -> Response:
        return _said(request, Declined(503, "Service Unavailable: the database cannot be used just now"))

    async def unauthorised(request: Request, _error: Unauthorised) -> Response:
        return JSONResponse(error_body(request.url.path, "Unauthorized"), 401, headers=keeper.challenge(request))

    async def unrouted(request: Request, error: HTTPException) -> Response:
        try:
            # Strangers are not told which paths exist.
            keeper.admit(request, None)
        except Unauthorised as stranger:
            return await unauthorised(request, stranger)
        return _said(request, _unrouted(request, error), error.headers)

    async def crashed(request: Request, _error: Exception) -> Response:
        # The exception itself goes to the log: its text may hold what the asker must not see.
        return JSONResponse(error_body(request.url.path, "Internal Server Error"), 500, headers=dict(HEADERS))

    return {
        Declined: declined,
        Refused: refused,
        NotFound: unknown,
        Conflict: conflicting,
        Overtaken: overtaken,
        NotThere: no_file,
        BadUri: bad_uri,
        UnicodeEncodeError: unwritable,
        StoreUnavailable: unavailable,
        Unauthorised: unauthorised,
        HTTPException: unrouted,
        Exception: crashed,
    }


def _said(request: Request, refusal: Declined, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(error_body(request.url.path, str(refusal)), refusal.status, headers=headers)


def _unrouted(request: Request, error: HTTPException) -> Declined:
    planned = unbuilt(request.method, request.url.path)
    if planned:
        return not_built(planned.name)
    if error.status_code == 405:
        return Declined(405, f"Method [{request.method}] not allowed for URI [{request.url.path}]")
    return Declined(error.status_code, "Not Found" if error.status_code == 404 else error.detail)
