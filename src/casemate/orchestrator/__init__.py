"""Turning decisions into rows and hints: the executor, its relay, its timers, and the desk that workers talk to."""

from casemate.orchestrator.actions import Actions
from casemate.orchestrator.calls import Refusal, checked_key, expiry, typed
from casemate.orchestrator.controls import Controls, MaintenanceStatus
from casemate.orchestrator.desk import Desk
from casemate.orchestrator.errors import Conflict, NotFound, Stopped
from casemate.orchestrator.governing import PolicyUnreadable, placed
from casemate.orchestrator.kin import Reach
from casemate.orchestrator.orchestrator import Orchestrator, new_id
from casemate.orchestrator.removing import Belongings
from casemate.orchestrator.rules import QuotaRule, Rules
from casemate.orchestrator.triggers import Triggers
from casemate.orchestrator.webhook import WebRequest

__all__ = [
    "Actions",
    "Belongings",
    "Conflict",
    "Controls",
    "Desk",
    "MaintenanceStatus",
    "NotFound",
    "Orchestrator",
    "PolicyUnreadable",
    "QuotaRule",
    "Reach",
    "Refusal",
    "Rules",
    "Stopped",
    "Triggers",
    "WebRequest",
    "checked_key",
    "expiry",
    "new_id",
    "placed",
    "typed",
]
