"""Starting a flow by its webhook: whoever knows the key may (spec/engine 9.2)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers

from casemate.api import shapes
from casemate.api.call import NOBODY, Call
from casemate.api.entrance import CSRF_HEADER, session_of
from casemate.api.errors import not_found
from casemate.api.gate import OWNER, Throttled
from casemate.api.operation import ANYTHING, Answer, Operation, Run, Verb
from casemate.api.operations.execution_start import with_url
from casemate.executions import read_json
from casemate.orchestrator import NotFound, WebRequest

_OURS = ("authorization", "cookie", CSRF_HEADER)
"""Headers that carry credentials for this server."""

_SHOWN = ("tenantId", "id", "namespace", "flowId", "flowRevision", "trigger", "outputs", "labels", "state", "url")


async def trigger_execution_by_webhook(call: Call) -> Answer:
    """Start a flow by its webhook; nothing (204) if its conditions do not hold."""
    address, key = call.request.client.host if call.request.client else "", call.part("key")
    about = "/".join((call.tenant, *call.flow))
    # A key is a secret that can be guessed: see test_guessing_the_key_of_a_webhook_gets_slow.
    if wait := call.deps.guesses.wait(address, key, about):
        raise Throttled(wait)
    request = WebRequest(
        body=_value(await call.request.body()),
        headers=_headers(call),
        parameters=_grouped(call.request.query_params.multi_items()),
    )
    try:
        begun = await call.deps.orchestrator.webhook(call.tenant, *call.flow, key, request)
    except NotFound as error:
        call.deps.guesses.missed(address, key, about)
        # One answer for both: it must not tell which flows exist to those who know no key.
        raise not_found("Webhook not found") from error
    if begun is None:
        return None
    shown = with_url(begun, call)
    return {name: shown[name] for name in _SHOWN if name in shown}


async def trigger_execution_by_webhook_with_path(_call: Call) -> Answer:
    """Start a flow by a webhook with a path of its own; no webhook has one yet, so none is found."""
    raise not_found("Webhook not found")


def _value(body: bytes) -> object:
    """JSON as a value, anything else as a text, nothing as null."""
    if not body:
        return None
    try:
        return read_json(body)
    except ValueError:
        return body.decode(errors="replace")


def _headers(call: Call) -> dict[str, list[str]]:
    # With credentials of ours the sender is a user of this server, whose password must not get into an execution.
    # A session that may change nothing (it came without its CSRF token) is theirs too.
    stranger = (call.principal is NOBODY or call.principal is OWNER) and not session_of(call.request)
    hidden = () if stranger else _OURS
    headers: Headers = call.request.headers
    return {name: headers.getlist(name) for name in headers if name not in hidden}


def _grouped(items: list[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in items:
        found.setdefault(name, []).append(value)
    return found


_PATH = "/api/v1/{tenant}/executions/webhook/{namespace}/{id}/{key}"


def _rows(path: str, run: Run, ending: str = "") -> list[Operation]:
    verbs: tuple[Verb, ...] = ("GET", "POST", "PUT")
    return [
        Operation(
            verb,
            path,
            can=("FLOW", "EXECUTE"),
            audit="webhook:call",
            body=ANYTHING,
            hears_all=True,
            returns=shapes.Webhook,
            run=run,
            name=f"trigger_execution_by_{verb.lower()}_webhook{ending}",
        )
        for verb in verbs
    ]


TABLE = (
    *_rows(_PATH, trigger_execution_by_webhook),
    *_rows(_PATH + "/{webhook_path:path}", trigger_execution_by_webhook_with_path, "_with_path"),
)
