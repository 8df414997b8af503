"""What goes to a worker beside its task: secrets, and the rules for what is rendered there."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from casemate.documents import Mark, Plain, node_of
from casemate.expressions import literal_secrets
from casemate.flows import TEMPLATED, Flow, Task
from casemate.governance import Law, Rulebook, declared
from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets import Secrets


def secrets_of(secrets: Secrets, tenant: TenantId, namespace: Namespace, task: Task) -> dict[str, Secret]:
    """Only those that the task names: a worker gets no secret it was not asked to deliver."""
    names = literal_secrets([dict(task.properties), task.timeout, task.log_level])
    found = {name: secrets.find(tenant, namespace, name) for name in names}
    return {name: secret.value for name, secret in found.items() if secret is not None}


def laws_for(task: Task, flow: Flow, rules: Rulebook) -> tuple[Law, ...]:
    """Flows are governed before they are run; what a template writes down only whoever renders it can govern.

    The policies that the flow refers to reach the task as they would, had it been written into the flow.
    """
    if task.canonical != TEMPLATED:
        return ()
    written = {"pluginDefaults": [dict(each) for each in flow.plugin_defaults]}
    own = declared(node_of(cast("Plain", written), Mark(1, 1)))
    refs = flow.document.get("policyRefs")
    named = frozenset(each for each in refs if isinstance(each, str)) if isinstance(refs, list) else frozenset()
    laws = (*rules.laws(flow.tenant, flow.namespace), *own)
    return tuple(replace(law, called=law.called and law.policy not in named) for law in laws)
