"""What goes to a worker beside its task: secrets and plugin defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from casemate.documents import Plain
from casemate.expressions import literal_secrets
from casemate.flows import TEMPLATED, Flow, Task
from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import Secrets

Defaults: TypeAlias = tuple[Mapping[str, Plain], ...]


def secrets_of(secrets: Secrets, tenant: TenantId, namespace: Namespace, task: Task) -> dict[str, Secret]:
    """Only those that the task names: a worker gets no secret it was not asked to deliver."""
    names = literal_secrets([dict(task.properties), task.timeout, task.log_level])
    found = {name: secrets.find(tenant, namespace, name) for name in names}
    return {name: secret for name, secret in found.items() if secret is not None}


def defaults_for(task: Task, flow: Flow, installed: Defaults) -> Defaults:
    """Flows are completed before they are run; what a template writes down only whoever renders it can complete."""
    if task.canonical != TEMPLATED:
        return ()
    return (*cast("Defaults", flow.plugin_defaults), *installed)
