"""Triggers that the end of what they started has stopped (`stopAfter`, spec/engine 9.1)."""

from __future__ import annotations

from casemate.flows import Flow, Trigger
from casemate.store import Database, stopped


async def is_stopped(db: Database, flow: Flow, trigger: Trigger) -> bool:
    """Was this trigger stopped? Asks the database only of one that can be. Those with a record are not meant."""
    if not trigger.properties.get("stopAfter"):
        return False
    return trigger.id in await db.read(stopped.of_flow, flow.tenant, flow.namespace, flow.id)
