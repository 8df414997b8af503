"""What the saving of a flow means for the records of its triggers (spec/engine 9.5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from casemate.flows import Flow, Trigger, trigger_to_json
from casemate.triggers.model import TriggerState, kind_of


def fresh_states(flow: Flow, now: datetime) -> tuple[TriggerState, ...]:
    """Records as new for every trigger of the flow that the scheduler looks at; nothing is planned yet."""
    return tuple(
        TriggerState(
            tenant=flow.tenant,
            namespace=flow.namespace,
            flow_id=flow.id,
            trigger_id=trigger.id,
            kind=kind,
            definition=_definition(flow, trigger),
            stop_after=_stop_after(trigger),
            updated=now,
        )
        for trigger in flow.triggers
        if (kind := kind_of(trigger)) is not None
    )


def redefined(known: TriggerState, fresh: TriggerState) -> TriggerState:
    """The record after the flow says something else of its trigger: planned anew, the rest is kept.

    What someone has switched off stays so, and a backfill goes on by the new dates.
    """
    return replace(
        known,
        kind=fresh.kind,
        definition=fresh.definition,
        stop_after=fresh.stop_after,
        updated=fresh.updated,
        planned=False,
        next_date=None,
        evaluating_since=None,
    )


def stops_after(flow: Flow, started_by: Mapping[str, object] | None, state: str) -> str | None:
    """The trigger that is stopped by the end of an execution that it started, if it has no record that says so."""
    if started_by is None:
        return None
    named = (each for each in flow.triggers if (each.id, each.type) == (started_by.get("id"), started_by.get("type")))
    return next((each.id for each in named if kind_of(each) is None and state in _stop_after(each)), None)


def _definition(flow: Flow, trigger: Trigger) -> str:
    """All that its dates may depend on: a flow that is enabled again goes on from then, not from where it stopped."""
    said = [trigger_to_json(trigger), flow.disabled, [dict(each) for each in flow.plugin_defaults]]
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _stop_after(trigger: Trigger) -> tuple[str, ...]:
    states = trigger.properties.get("stopAfter")
    return tuple(str(state) for state in states) if isinstance(states, Iterable) else ()
