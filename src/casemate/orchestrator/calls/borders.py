"""Which namespaces a flow may change (spec/engine 8.4), which files it may delete. No tenant can be named at all."""

from __future__ import annotations

from casemate.identifiers import Namespace
from casemate.orchestrator.calls.model import Caller, refuse
from casemate.secrets import NotAllowed
from casemate.storage import paths
from casemate.store import Tx, flows, namespaces


def meant(caller: Caller, given: str | None) -> Namespace:
    """The namespace that a task names; its flow's own by default."""
    return Namespace(given) if given else caller.namespace


def readable(tx: Tx, caller: Caller, given: str | None) -> Namespace:
    """The same, if that namespace lets the flow read what is its own."""
    namespace = meant(caller, given)
    record = namespaces.get(tx, caller.tenant, namespace)
    if record is not None and not record.admits(caller.namespace):
        refuse(str(NotAllowed(namespace)))
    return namespace


def writable(tx: Tx, caller: Caller, given: str | None, what: str) -> Namespace:
    """The same, if the flow may change something there: in its own namespace, a parent, or one that has flows."""
    namespace = readable(tx, caller, given)
    own = namespace == caller.namespace or caller.namespace.startswith(f"{namespace}.")
    if not own and not flows.exist_in(tx, caller.tenant, namespace):
        refuse(f"Cannot access the {what}. The namespace '{namespace[:200]}' does not exist.")
    return namespace


def deletable(caller: Caller, uri: str) -> bool:
    """Is this a file of the flow's own namespace: one of an execution there, or a namespace file?"""
    folder = f"{paths.SCHEME}{paths.folder_of(caller.namespace)}/"
    steps = uri.removeprefix(folder).split("/") if uri.startswith(folder) else []
    # The flow `b` of the namespace `a` has its files below `a/b`, and so has the namespace `a.b`: only the shape of
    # the rest tells whose they are.
    return (len(steps) > 1 and steps[0] == "_files") or (len(steps) > 3 and steps[1] == "executions")
