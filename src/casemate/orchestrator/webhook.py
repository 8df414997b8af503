"""Starting a flow by a web request (spec/engine 9.2, Webhook)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import structlog

from casemate.expressions import ExpressionError, World, printed, render
from casemate.flows import Flow, Trigger
from casemate.orchestrator.answering import budget
from casemate.orchestrator.world import ServiceWorld

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
            "body": self.body,
            "headers": {name: list(values) for name, values in self.headers.items()},
            "parameters": {name: list(values) for name, values in self.parameters.items()},
        }


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
