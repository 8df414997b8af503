"""Claims jobs and carries them out: render, isolate, run, collect, report. Knows the control plane by its link only."""

from casemate.worker.policy import policies, policy_for
from casemate.worker.worker import Worker

__all__ = ["Worker", "policies", "policy_for"]
