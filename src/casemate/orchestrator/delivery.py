"""Secrets on their way to a worker."""

from __future__ import annotations

from casemate.expressions import literal_secrets
from casemate.flows import Task
from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import Secrets


def secrets_of(secrets: Secrets, tenant: TenantId, namespace: Namespace, task: Task) -> dict[str, Secret]:
    """Only those that the task names: a worker gets no secret it was not asked to deliver."""
    names = literal_secrets([dict(task.properties), task.timeout, task.log_level])
    found = {name: secrets.find(tenant, namespace, name) for name in names}
    return {name: secret for name, secret in found.items() if secret is not None}
