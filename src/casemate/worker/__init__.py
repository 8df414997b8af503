"""Claims jobs and carries them out: render, isolate, run, collect, report. Knows the control plane by its link only."""

from casemate.worker.ahead import container_judge
from casemate.worker.docker import Docker, rules_for
from casemate.worker.local_files import LocalFiles
from casemate.worker.policy import policies, policy_for
from casemate.worker.worker import Worker

__all__ = ["Docker", "LocalFiles", "Worker", "container_judge", "policies", "policy_for", "rules_for"]
