"""Flows between their two forms: from the text of a request to a checked flow, and from a stored flow to JSON."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import replace

from casemate.api.deps import Deps
from casemate.api.errors import constraints
from casemate.errors import Problem, Refused
from casemate.flows import Flow, read_flow, to_json
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import StoredFlow


async def checked_flow(text: str, deps: Deps, tenant: TenantId) -> Flow:
    """The same as `flow_of`, beside the event loop: a large text takes a while."""
    return await to_thread(flow_of, text, deps, tenant)


async def described_all(stored: Sequence[StoredFlow], deps: Deps, *, source: bool = False) -> list[object]:
    """Each of them as `described`, beside the event loop."""
    return await to_thread(lambda: [described(one, deps, source=source) for one in stored])


def flow_of(text: str, deps: Deps, tenant: TenantId) -> Flow:
    """The flow that a text is, to be saved; raises `Refused` with every problem and its place.

    It is complete: what is kept beside its source, such as its limit and its triggers, is that of what will be run.
    """
    return _found(read_flow(text, deps.catalog, tenant, complete=True, judge=deps.judge))


def _found(found: Flow | tuple[Problem, ...]) -> Flow:
    if isinstance(found, Flow):
        return found
    raise Refused(found)


def reread(stored: StoredFlow, deps: Deps) -> Flow:
    """The flow that was stored, as it is written; raises `Refused` if it is not valid any more.

    One with options that are not granted any more can still be read: its tasks say so when they run.
    """
    flow = _found(read_flow(stored.source, deps.catalog, stored.tenant))
    return replace(flow, revision=stored.revision, deleted=stored.deleted)


def described(stored: StoredFlow, deps: Deps, *, source: bool = False) -> dict[str, object]:
    """A stored flow as Kestra's JSON. One that cannot be read any more has no tasks, but says why (spec/engine 14)."""
    shown = {**_content(stored, deps), "updated": stored.updated, "draft": False}
    return {**shown, "source": stored.source} if source else shown


def _content(stored: StoredFlow, deps: Deps) -> dict[str, object]:
    try:
        return dict(to_json(reread(stored, deps)))
    except Refused as refusal:
        return _unreadable(stored, constraints(refusal.problems))


def _unreadable(stored: StoredFlow, reason: str) -> dict[str, object]:
    return {
        "id": stored.id,
        "namespace": stored.namespace,
        "revision": stored.revision,
        "disabled": stored.disabled,
        "deleted": stored.deleted,
        "tasks": [],
        "exception": reason,
    }


def same_name(flow: Flow, namespace: Namespace, flow_id: FlowId) -> None:
    """Raises `Refused` if an update would rename the flow (spec/engine 13.2)."""
    problems = []
    if flow.id != flow_id:
        problems.append(Problem(code="flow-renamed", message="Illegal flow id update", path="flow.id"))
    if flow.namespace != namespace:
        problems.append(Problem(code="flow-renamed", message="Illegal namespace update", path="flow.namespace"))
    if problems:
        raise Refused(problems)
