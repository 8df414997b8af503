"""Other executions as tasks count, resume and purge them (spec/engine 8.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casemate.executions import Execution
from casemate.identifiers import ExecutionId
from casemate.orchestrator.calls.borders import meant
from casemate.orchestrator.calls.dates import date_of
from casemate.orchestrator.calls.effects import Means, Outcome
from casemate.orchestrator.calls.model import Arguments, Caller, refuse
from casemate.storage import paths
from casemate.store import Filter, Page, Tx, executions, jobs, logs, metrics, replies, timers

_AT_ONCE = 100


def count(tx: Tx, caller: Caller, arguments: Arguments) -> list[dict[str, object]]:
    """How many executions each of the flows and namespaces has: `[{namespace, flowId, count}]`."""
    common = list(_filters(arguments))
    places = [*_flows(arguments), *((namespace, None) for namespace in arguments.texts("namespaces"))]
    if not places:
        refuse("You must provide a list of flows or namespaces")
    results: list[dict[str, object]] = []
    for namespace, flow in places:
        filters = [*common, Filter("namespace", "EQUALS", namespace)]
        filters += [] if flow is None else [Filter("flowId", "EQUALS", flow)]
        number = executions.count(tx, caller.tenant, filters)
        results.append({"namespace": namespace, **({} if flow is None else {"flowId": flow}), "count": number})
    return results


def _flows(arguments: Arguments) -> Iterator[tuple[str, str | None]]:
    given = arguments.given.get("flows")
    for flow in given if isinstance(given, list) else ():
        one = Arguments(flow if isinstance(flow, Mapping) else {})
        yield one.text("namespace"), one.maybe_text("flowId")


def _filters(arguments: Arguments) -> Iterator[Filter]:
    if (start := arguments.maybe_text("startDate")) is not None:
        yield Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", date_of(start, "startDate"))
    if (end := arguments.maybe_text("endDate")) is not None:
        yield Filter("startDate", "LESS_THAN_OR_EQUAL_TO", date_of(end, "endDate"))
    if states := arguments.texts("states"):
        yield Filter("state", "IN", [state.upper() for state in states])


async def resume(means: Means, caller: Caller, arguments: Arguments) -> Outcome:
    """Let a paused execution go on: of the flow's own namespace, or of the one that is named."""
    wanted = arguments.maybe_text("executionId") or caller.execution.id
    found = await means.db.read(executions.get, caller.tenant, ExecutionId(wanted))
    namespace, flow = meant(caller, arguments.maybe_text("namespace")), arguments.maybe_text("flowId")
    if found is None or found.namespace != namespace or flow not in (None, found.flow_id):
        refuse(f"No execution found for execution id {wanted[:100]}")
    arguments.mapping("inputs")  # refused now, before anything is kept
    return Outcome(None, (("resume", found.id, ""),))


async def purge(means: Means, caller: Caller, arguments: Arguments) -> dict[str, int]:
    """Remove ended executions, and what is asked for of theirs: how many of each. Done again it finds fewer."""
    end = arguments.maybe_text("endDate") or refuse("endDate is required")
    filters = [*_filters(Arguments({**arguments.given, "endDate": end})), Filter("open", "EQUALS", False)]
    if (namespace := arguments.maybe_text("namespace")) is not None:
        filters.append(Filter("namespace", "PREFIX", namespace))
    if (flow := arguments.maybe_text("flowId")) is not None:
        filters.append(Filter("flowId", "EQUALS", flow))
    totals = dict.fromkeys(("executionsCount", "logsCount", "storagesCount", "metricsCount"), 0)
    number = 1
    while True:
        page = Page(number=number, size=_AT_ONCE, sort=("startDate:asc",))
        found, _ = await means.db.read(executions.search, caller.tenant, filters, page)
        if not found:
            break
        for execution in found:
            for name, amount in (await _purged(means, execution, arguments)).items():
                totals[name] += amount
        # What was removed does not stand in the way of the next page; what was kept does.
        number += 0 if arguments.flag("purgeExecution", default=True) else 1
    return {name: amount for name, amount in totals.items() if arguments.flag(_ASKED[name], default=True)}


_ASKED = {
    "executionsCount": "purgeExecution",
    "logsCount": "purgeLog",
    "storagesCount": "purgeStorage",
    "metricsCount": "purgeMetric",
}


async def _purged(means: Means, execution: Execution, arguments: Arguments) -> dict[str, int]:
    counts = {"storagesCount": 0}
    if arguments.flag("purgeStorage", default=True):
        folder = paths.execution_folder(execution.namespace, execution.flow_id, execution.id)
        counts["storagesCount"] = len(await means.storage.delete_below(execution.tenant, folder))
    return {**counts, **await means.db.transact(_purge_rows, execution, arguments)}


def _purge_rows(tx: Tx, execution: Execution, arguments: Arguments) -> dict[str, int]:
    key = (execution.tenant, execution.id)
    counts: dict[str, int] = {}
    if arguments.flag("purgeLog", default=True):
        counts["logsCount"] = logs.delete(tx, *key)
    if arguments.flag("purgeMetric", default=True):
        counts["metricsCount"] = metrics.delete(tx, *key)
    if arguments.flag("purgeExecution", default=True):
        for remove in (jobs.delete, replies.delete, timers.delete):
            remove(tx, *key)
        counts["executionsCount"] = int(executions.delete(tx, *key))
    return counts
