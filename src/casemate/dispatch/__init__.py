"""Carrying jobs: the ports between control plane and workers, and the adapter for one process."""

from casemate.dispatch.embedded import Embedded
from casemate.dispatch.errors import DispatchError, LinkLost, NotHeld
from casemate.dispatch.model import Ask, Reply
from casemate.dispatch.ports import ControlPlane, Dispatch, WorkerLink

__all__ = ["Ask", "ControlPlane", "Dispatch", "DispatchError", "Embedded", "LinkLost", "NotHeld", "Reply", "WorkerLink"]
