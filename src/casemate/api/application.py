"""The application: the table of operations behind guards, gate and limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from casemate.api import faults, forms
from casemate.api.answers import Json
from casemate.api.bodies import received
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.entrance import Entrance
from casemate.api.errors import Declined, illegal_argument, not_built, not_found
from casemate.api.gate import gate
from casemate.api.guards import Guarded
from casemate.api.openapi import openapi
from casemate.api.operation import Answer, Body, Operation, Permission, checked
from casemate.api.told import Told
from casemate.api.unbuilt import instead_of
from casemate.identifiers import MAIN, TenantId


def application(deps: Deps, table: Iterable[Operation]) -> Starlette:
    """The application that serves these operations; raises `IncompleteTable`, `TooOpen`."""
    rows = checked((*table, _documentation(table)))
    keeper = gate(deps.basic_auth, (row.path for row in rows))
    entrance = Entrance(gate=keeper, db=deps.db, now=deps.now)
    served = Starlette(
        routes=[Route(row.path, _endpoint(row, deps, entrance), methods=[row.verb]) for row in rows],
        middleware=[Middleware(Told), Middleware(Guarded, url=deps.url, any_host=deps.basic_auth is not None)],
        exception_handlers=faults.handlers(entrance),
    )
    served.router.redirect_slashes = False
    served.state.deps = deps
    return served


def _documentation(table: Iterable[Operation]) -> Operation:
    described = tuple(table)

    async def api_description(call: Call) -> Answer:
        return openapi(described, version=call.deps.version, url=call.deps.url)

    can: Permission = ("INSTANCE", "VIEW")
    return Operation("GET", "/api/v1/openapi.json", can=can, audit="instance:describe", run=api_description)


def _endpoint(operation: Operation, deps: Deps, entrance: Entrance) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        request.state.operation = operation
        principal = request.state.principal = await entrance.admit(request, operation)
        tenant = _tenant(request)
        meant = instead_of(operation.path, request.method, request.scope["path"])
        if meant is not None:
            raise not_built(meant.name)
        _expect(operation.body, request)
        _know(operation, request)
        limit = deps.upload_limit if operation.body.limit is None else operation.body.limit
        bounded = Request(request.scope, received(request, limit, deps.limits))
        call = Call(bounded, operation, deps, principal, tenant)
        try:
            return _response(await operation.run(call), operation)
        finally:
            await forms.close(bounded, deps.spool)

    return endpoint


def _tenant(request: Request) -> TenantId:
    """The tenant of the path; there is only `main` until there are tenants."""
    if request.path_params.get("tenant", MAIN) != MAIN:
        raise not_found("no such tenant")
    return MAIN


def _expect(body: Body, request: Request) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body.types and given and given not in body.types:
        wanted = ", ".join(body.types)
        raise Declined(415, f"Content Type [{given[:100]}] not allowed. Allowed types: [{wanted}]")


def _know(operation: Operation, request: Request) -> None:
    # A word that is overlooked makes a request mean more than it says: `kill/by-query?namespace=x` would kill
    # everything. Where one thing is only looked at nothing is lost by it.
    if operation.hears_all or (operation.verb == "GET" and "filters" not in operation.asks):
        return
    unknown = {name for name in request.query_params if name.partition("[")[0] not in operation.asks}
    if unknown:
        known = ", ".join("filters[field][OPERATION]" if name == "filters" else name for name in operation.asks)
        raise illegal_argument(
            f"{min(unknown)[:100]!r} is no query parameter of this operation, which knows {known or 'none'}"
        )


def _response(answer: Answer, operation: Operation) -> Response:
    match answer:
        case Response():
            return answer
        case None:
            return Response(status_code=204)
        case str() if operation.produces != "application/json":
            return PlainTextResponse(answer, operation.status, media_type=operation.produces)
    return Json(answer, operation.status)
