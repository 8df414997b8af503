"""Operations that carry flows out of a server and into another: archives, texts with several documents, tables."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterable
from datetime import datetime
from io import BytesIO

from starlette.datastructures import UploadFile

from casemate.api import shapes
from casemate.api.archives import LARGEST_ENTRY, archive_of, sources_in
from casemate.api.call import Call
from casemate.api.deps import Deps
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Body, Operation, Permission, json_of
from casemate.api.operations.flow_search import every_flow
from casemate.api.search import FILTERS, filters
from casemate.api.tables import csv_of
from casemate.api.written import flow_of
from casemate.errors import Problem, Refused
from casemate.flows import Flow, split_documents
from casemate.identifiers import FlowId, Namespace, TenantId
from casemate.store import StoredFlow, Tx
from casemate.store import flows as rows

UPLOAD = 64 << 20
"""The most bytes that an import may have."""

_NAMES = list[shapes.FlowName]
_COLUMNS = ("id", "namespace", "revision", "disabled", "deleted", "description", "labels", "updated")


async def export_flows_by_ids(call: Call) -> Answer:
    """Download the flows that are named as a ZIP archive of their sources."""
    given = await call.body_json(_NAMES)
    names = dict.fromkeys((Namespace(one["namespace"]), FlowId(one["id"])) for one in given)
    return await _archived(await call.deps.db.read(_read, call.tenant, names))


async def export_flows_by_query(call: Call) -> Answer:
    """Download the flows that a search finds as a ZIP archive of their sources."""
    return await _archived(await call.deps.db.read(every_flow, call.tenant, filters(call)))


async def export_flows_by_query_csv(call: Call) -> Answer:
    """Download the flows that a search finds as a table."""
    found = await call.deps.db.read(every_flow, call.tenant, filters(call))
    return csv_of(_COLUMNS, (_row(flow) for flow in found), "flows.csv")


async def import_flows(call: Call) -> Answer:
    """Create or update the flows of a ZIP archive or of a text; the answer names what could not be imported.

    With `failOnError` nothing is imported unless everything can be.
    """
    upload = (await call.form()).get("fileUpload")
    if not isinstance(upload, UploadFile):
        raise illegal_argument("fileUpload is required: a ZIP archive, or a YAML file")
    good, wrong = await to_thread(_judged, await upload.read(), call.deps, call.tenant)
    if wrong and call.flag("failOnError"):
        told = ", ".join(f"{name} ({reason})" for name, reason in wrong.items())
        raise illegal_argument(f"Following invalid flows were not imported: {told}")
    await call.deps.db.transact(_save, good, call.deps.now())
    return list(wrong)


def _read(tx: Tx, tenant: TenantId, names: Iterable[tuple[Namespace, FlowId]]) -> list[StoredFlow]:
    found = []
    for name in names:
        flow = rows.latest(tx, tenant, *name)
        if flow is None:
            raise not_found(f"flow {'.'.join(name)}")
        found.append(flow)
    return found


async def _archived(flows: Iterable[StoredFlow]) -> Answer:
    # In folders: `a.b` of `c` and `b` of `c.a` would share a name made of both with dots.
    return await archive_of(((f"{flow.namespace}/{flow.id}.yml", flow.source) for flow in flows), "flows.zip")


def _row(flow: StoredFlow) -> dict[str, object]:
    labels = {label.key: label.value for label in flow.labels}
    return {**{name: getattr(flow, name) for name in _COLUMNS}, "labels": labels or None}


def _judged(content: bytes, deps: Deps, tenant: TenantId) -> tuple[list[Flow], dict[str, str]]:
    """The flows of a file, and why the other parts of it are none, by the names of the parts."""
    good: list[Flow] = []
    wrong: dict[str, str] = {}
    for name, source in _parts(content, deps):
        try:
            good += _flows(source, deps, tenant)
        except Refused as refusal:
            wrong[name] = refusal.problems[0].printed()
    return good, wrong


def _parts(content: bytes, deps: Deps) -> list[tuple[str, str | None]]:
    """The files of an archive by their paths, or the documents of a text by their numbers."""
    if content.startswith(b"PK"):
        return sources_in(BytesIO(content), deps.archives)
    try:
        documents = split_documents(content.decode())
    except UnicodeDecodeError as error:
        raise illegal_argument(f"the file is neither a ZIP archive nor UTF-8: {error.reason}") from error
    return [(str(number), text) for number, (_, text) in enumerate(documents)]


def _flows(source: str | None, deps: Deps, tenant: TenantId) -> list[Flow]:
    if source is None:
        raise Refused([Problem(code="archive", message=f"more than {LARGEST_ENTRY} bytes, or not to be read")])
    return [flow_of(document.lstrip("\n"), deps, tenant) for _, document in split_documents(source)]


def _save(tx: Tx, flows: list[Flow], now: datetime) -> None:
    for flow in flows:
        rows.save(tx, flow, now)


_EXPORT = "/api/v1/{tenant}/flows/export"
_CAN_EXPORT: Permission = ("FLOW", "EXPORT")
_TO_STORE = "application/octet-stream"

TABLE = (
    Operation(
        "POST",
        _EXPORT + "/by-ids",
        can=_CAN_EXPORT,
        audit="flow:export",
        body=json_of(list[shapes.FlowName]),
        produces=_TO_STORE,
        run=export_flows_by_ids,
    ),
    Operation(
        "GET",
        _EXPORT + "/by-query",
        can=_CAN_EXPORT,
        audit="flow:export",
        asks=FILTERS,
        produces=_TO_STORE,
        run=export_flows_by_query,
    ),
    Operation(
        "GET",
        _EXPORT + "/by-query/csv",
        can=_CAN_EXPORT,
        audit="flow:export",
        asks=FILTERS,
        produces="text/csv",
        run=export_flows_by_query_csv,
    ),
    Operation(
        "POST",
        "/api/v1/{tenant}/flows/import",
        can=("FLOW", "IMPORT"),
        audit="flow:import",
        body=Body(types=("multipart/form-data",), limit=UPLOAD),
        asks={"failOnError": bool},
        returns=list[str],
        run=import_flows,
    ),
)
