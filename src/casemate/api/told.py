"""Every request in the log, by its operation: what was done, by whom, with which result."""

from __future__ import annotations

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casemate.api.operation import Operation

log = structlog.get_logger()


class Told:
    """Logs `request.answered` for each request, when its answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        told = False

        async def sending(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                told = True
                _tell(scope, message["status"], time.monotonic() - began)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            if not told:
                _tell(scope, 500, time.monotonic() - began)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    state = scope.get("state", {})
    operation, principal = state.get("operation"), state.get("principal")
    entry = {"verb": scope["method"], "status": status, "milliseconds": round(seconds * 1000, 1)}
    if isinstance(operation, Operation):
        # The path of the operation, not of the request: a webhook's key stays out of the log.
        entry |= {"operation": operation.title, "audit": operation.audit, "path": operation.path}
    log.info("request.answered", **entry, principal=principal.name if principal else None)
