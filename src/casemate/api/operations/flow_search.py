"""Operations that find flows."""

from __future__ import annotations

from asyncio import to_thread
from typing import cast, get_args

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.api.operation import Answer, Operation, Permission
from casemate.api.search import LARGEST, SEARCH, filters, page
from casemate.api.sources import Match, Scope, Wanted, matches
from casemate.api.written import described_all
from casemate.flows import Label
from casemate.identifiers import Namespace, TenantId
from casemate.store import Criterion, Filter, Page, StoredFlow, Tx
from casemate.store import flows as rows


async def search_flows(call: Call) -> Answer:
    """Search flows by their fields and labels."""
    found, total = await call.deps.db.read(rows.search, call.tenant, filters(call), page(call))
    return paged(await described_all(found, call.deps), total)


async def search_flows_by_source_code(call: Call) -> Answer:
    """Search the sources of flows; every hit names the lines that match."""
    wanted = Wanted(
        call.text("q") or "",
        case_sensitive=call.flag("caseSensitive"),
        whole_word=call.flag("wholeWord"),
        regex=call.flag("regex"),
        scope=_scope(call.text("scope") or "ALL"),
    )
    namespace, part = call.text("namespace"), page(call)
    within = (Filter("namespace", "PREFIX", namespace),) if namespace else ()
    candidates = await call.deps.db.read(every_flow, call.tenant, within, part.sort)
    hits = await to_thread(lambda: [(one, found) for one in candidates if (found := matches(one.source, wanted))])
    shown = hits[(part.number - 1) * part.size : part.number * part.size]
    return paged([_hit(one, found) for one, found in shown], len(hits))


async def list_flows_by_namespace(call: Call) -> Answer:
    """List every flow of a namespace."""
    within = (Filter("namespace", "EQUALS", Namespace(call.part("namespace"))),)
    return await described_all(await call.deps.db.read(every_flow, call.tenant, within), call.deps)


async def list_distinct_namespaces(call: Call) -> Answer:
    """List the namespaces that have flows; `q` is how they begin."""
    begin = call.text("q") or ""
    every = await call.deps.db.read(rows.namespaces, call.tenant)
    return [namespace for namespace in every if namespace.startswith(begin)]


def every_flow(tx: Tx, tenant: TenantId, wanted: tuple[Criterion, ...], sort: tuple[str, ...] = ()) -> list[StoredFlow]:
    """All flows that these filters find, page after page."""
    found: list[StoredFlow] = []
    total, number = 1, 0
    while len(found) < total:
        number += 1
        part, total = rows.search(tx, tenant, wanted, Page(number=number, size=LARGEST, sort=sort))
        found += part
        if not part:
            break
    return found


def _scope(text: str) -> Scope:
    if text not in get_args(Scope):
        raise illegal_argument(f"{text[:100]!r} is no scope; one of {', '.join(get_args(Scope))} is")
    return cast("Scope", text)


def editable(flow: StoredFlow) -> bool:
    """May it be edited by hand? Its author can say no with a label."""
    return Label("system.readOnly", "true") not in flow.labels


def _hit(flow: StoredFlow, found: tuple[Match, ...]) -> dict[str, object]:
    places = [{"line": one.line, "column": one.column, "snippet": one.snippet} for one in found]
    return {"namespace": flow.namespace, "id": flow.id, "editable": editable(flow), "matches": places}


_FLOWS = "/api/v1/{tenant}/flows"
_LIST: Permission = ("FLOW", "LIST")
_SOURCE = {"q": str, "namespace": str, "caseSensitive": bool, "wholeWord": bool, "regex": bool, "scope": str}

TABLE = (
    Operation(
        "GET",
        _FLOWS + "/search",
        can=_LIST,
        audit="flow:list",
        asks=SEARCH,
        returns=shapes.Flows,
        run=search_flows,
    ),
    Operation(
        "GET",
        _FLOWS + "/source",
        can=_LIST,
        audit="flow:list",
        asks={"page": int, "size": int, "sort": list, **_SOURCE},
        returns=shapes.SourcesFound,
        run=search_flows_by_source_code,
    ),
    Operation(
        "GET",
        _FLOWS + "/{namespace}",
        can=_LIST,
        audit="flow:list",
        returns=list[shapes.Flow],
        run=list_flows_by_namespace,
    ),
    Operation(
        "GET",
        _FLOWS + "/distinct-namespaces",
        can=_LIST,
        audit="flow:list",
        asks={"q": str},
        returns=list[str],
        run=list_distinct_namespaces,
    ),
)
