"""Triggers as tasks switch them (spec/engine 9.2, Toggle)."""

from __future__ import annotations

from functools import partial

from casemate.identifiers import FlowId
from casemate.orchestrator.calls.borders import meant
from casemate.orchestrator.calls.model import Arguments, Caller, refuse
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.triggers import changed
from casemate.store import Tx, flows
from casemate.triggers import switched


def toggle(tx: Tx, caller: Caller, arguments: Arguments) -> None:
    """Enable or disable a trigger of the flow that is named, by default of the one that asks."""
    namespace = meant(caller, arguments.maybe_text("namespace"))
    flow = FlowId(arguments.maybe_text("flowId") or caller.flow.id)
    if flows.latest(tx, caller.tenant, namespace, flow) is None:
        refuse(f"Unable to find flow {namespace[:200]}.{flow[:200]}")
    key = (caller.tenant, namespace, flow, arguments.text("trigger")[:200])
    try:
        changed(tx, key, partial(switched, disabled=not arguments.flag("enabled", default=False)))
    except NotFound as error:
        refuse(str(error))
