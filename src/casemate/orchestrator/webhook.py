"""Starting a flow by a web request (spec/engine 9.2, Webhook)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256

import structlog

from casemate.errors import Refused
from casemate.executions import Execution
from casemate.expressions import ExpressionError, Unanswerable, World, printed, render
from casemate.flows import Flow, FlowKey, Trigger
from casemate.orchestrator.answering import Worlds, budget
from casemate.orchestrator.errors import Conflict, NotFound
from casemate.orchestrator.lives import Lives
from casemate.orchestrator.shelf import Shelf
from casemate.orchestrator.starting import Starting
from casemate.orchestrator.stopping import is_stopped
from casemate.orchestrator.world import ServiceWorld, whose_flow
from casemate.sealed import disowned
from casemate.store import Database

log = structlog.get_logger()

_WEBHOOK = "io.kestra.plugin.core.trigger.Webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """What came in: the body as a JSON value or text, headers and query parameters by name."""

    body: object = None
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def variables(self) -> dict[str, object]:
        """As templates see it under `trigger`."""
        return {
            "body": disowned(self.body),  # whoever knows the key may send what looks like one of ours
            "headers": {name: list(values) for name, values in self.headers.items()},
            "parameters": {name: list(values) for name, values in self.parameters.items()},
        }


class Webhooks:
    """Starts flows by them."""

    def __init__(
        self,
        db: Database,
        shelf: Shelf,
        lives: Lives,
        worlds: Worlds,
        starting: Starting,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._shelf = shelf
        self._lives = lives
        self._worlds = worlds
        self._starting = starting
        self._now = now

    async def start(self, place: FlowKey, key: str, request: WebRequest) -> Execution | None:
        """Start a flow; see `Orchestrator.webhook`."""
        try:
            flow = await self._shelf.latest(*place)
        except Refused as refusal:
            log.warning("webhook.flow_unreadable", flow=place[2], problems=len(refusal.problems))
            raise NotFound("Webhook not found") from refusal
        trigger = await self._opened(flow, key)
        if trigger is None or await is_stopped(self._db, flow, trigger):
            raise NotFound("Webhook not found")
        if flow.disabled:
            raise Conflict("Cannot execute a flow which is disabled")
        execution = await self._starting.triggered(flow, trigger, request.variables())
        if not await self._starting.hold(flow, trigger, execution):
            return None
        return await self._lives.begin(flow, execution)

    async def _opened(self, flow: Flow, key: str) -> Trigger | None:
        if has_plain_keys(flow):
            return asked_for(flow, key, Unanswerable(now=self._now()))
        return await self._worlds.within(whose_flow(flow), partial(asked_for, flow, key))


def has_plain_keys(flow: Flow) -> bool:
    """Can the keys of its webhooks be compared as they are written?"""
    return not any("{" in str(trigger.properties.get("key")) for trigger in _webhooks(flow))


def _webhooks(flow: Flow) -> list[Trigger]:
    return [each for each in flow.triggers if each.canonical == _WEBHOOK and not each.disabled]


def asked_for(flow: Flow, key: str, world: World) -> Trigger | None:
    """The webhook of the flow that this key opens."""
    # Every key is compared, each in constant time: how long it takes must not tell how much of a guess was right.
    opened = [trigger for trigger in _webhooks(flow) if _opens(trigger, key, flow, world)]
    return opened[0] if opened else None


def _opens(trigger: Trigger, key: str, flow: Flow, world: World) -> bool:
    variables = {"flow": {"id": flow.id, "namespace": flow.namespace, "tenantId": flow.tenant}, "vars": flow.variables}
    try:
        wanted = printed(render(trigger.properties.get("key"), variables, world, budget=budget())).strip()
    except ExpressionError as error:
        log.warning("webhook.key_failed", flow=flow.id, trigger=trigger.id, error=_told(error, world))
        return False
    return bool(wanted) and hmac.compare_digest(_digest(wanted), _digest(key))


def _digest(key: str) -> bytes:
    """Of the same length for every key, so that comparing two does not tell how long the right one is."""
    return sha256(key.encode(errors="replace")).digest()


def _told(error: ExpressionError, world: World) -> str:
    return world.covered(error) if isinstance(world, ServiceWorld) else str(error)
