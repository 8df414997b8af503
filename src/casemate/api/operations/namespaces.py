"""Operations on namespaces: one is there when it, or one below it, has a flow, or when something is said of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Operation, json_of
from casemate.api.search import FILTERS, cut, page, plain_filters
from casemate.identifiers import Namespace, TenantId
from casemate.store import Filter, StoredNamespace, Tx
from casemate.store import flows as rows
from casemate.store import namespaces as records

_ASKED = shapes.Autocomplete


async def namespace(call: Call) -> Answer:
    """Read a namespace."""
    name = Namespace(call.part("id"))
    record = await call.deps.db.read(records.get, call.tenant, name)
    if record is None and not await is_there(call, name):
        raise not_found(f"namespace {name}")
    return shown(name, record)


async def search_namespaces(call: Call) -> Answer:
    """Search namespaces by their names."""
    part, wanted = page(call), plain_filters(call)
    existing = call.flag("existing") or any(one.field == "existingOnly" and one.value == "true" for one in wanted)
    every = await _every(call, existing=existing)
    found = [name for name in every if all(_fits(name, one) for one in wanted if one.field != "existingOnly")]
    said = await call.deps.db.read(records.all_of, call.tenant)
    page_of = [shown(name, said.get(Namespace(name)), listed=True) for name in cut(found, part, {"id": str})]
    return paged(page_of, len(found))


async def autocomplete_namespaces(call: Call) -> Answer:
    """List the namespaces whose names hold a text, among those that are named if any are."""
    asked = await call.body_json(_ASKED)
    text, named = (asked.get("q") or "").lower(), asked.get("ids")
    every = await _every(call, existing=asked.get("existingOnly") or False)
    return [name for name in every if text in name and (not named or name in named)]


async def _every(call: Call, *, existing: bool = False) -> list[str]:
    """All namespaces; `existing`: only those that have flows themselves, or of which something is said."""
    found = await call.deps.db.read(_found, call.tenant)
    return sorted(found) if existing else with_parents(found)


def _found(tx: Tx, tenant: TenantId) -> set[Namespace]:
    return {*rows.namespaces(tx, tenant), *records.names(tx, tenant)}


async def is_there(call: Call, name: str) -> bool:
    """Is there a namespace of that name?"""
    return name in await _every(call)


def with_parents(names: Iterable[Namespace]) -> list[str]:
    """The namespaces with all that they lie in, sorted: `company` with `company.team`."""
    parts = (name.split(".") for name in names)
    return sorted({".".join(each[:length]) for each in parts for length in range(1, len(each) + 1)} - {""})


def _fits(name: str, wanted: Filter) -> bool:
    text = str(wanted.value).lower()
    match wanted.field, wanted.op:
        case "q", "EQUALS" | "CONTAINS":
            return text in name
        case "namespace" | "id", "EQUALS":
            return name == text
        case "namespace" | "id", "NOT_EQUALS":
            return name != text
        case "namespace" | "id", "PREFIX":
            return name == text or name.startswith(f"{text}.")
        case "namespace" | "id", "STARTS_WITH":
            return name.startswith(text)
        case "namespace" | "id", "ENDS_WITH":
            return name.endswith(text)
        case "namespace" | "id", "CONTAINS":
            return text in name
    raise illegal_argument(f"{wanted.field[:100]} {wanted.op[:100]} is not a filter of namespaces")


def shown(name: str, record: StoredNamespace | None, *, listed: bool = False) -> dict[str, Any]:
    """A namespace as people see it. In lists the options of its store are left out: Kestra's client reads no texts
    there.
    """
    document = {} if record is None else dict(record.document)
    options = document.pop("shownConfiguration", None)
    document.pop("secretConfiguration", None)
    if options is not None and not listed:
        document["secretConfiguration"] = options
    if allowed := document.get("allowedNamespaces"):
        document["allowedNamespaces"] = [{"namespace": one} for one in allowed]
    return {"id": name, "deleted": False, **document}


_NAMESPACES = "/api/v1/{tenant}/namespaces"

TABLE = (
    Operation(
        "GET",
        _NAMESPACES + "/search",
        can=("NAMESPACE", "LIST"),
        audit="namespace:list",
        asks={"page": int, "size": int, "sort": list, "existing": bool, **FILTERS},
        returns=shapes.Namespaces,
        run=search_namespaces,
    ),
    Operation(
        "POST",
        _NAMESPACES + "/autocomplete",
        can=("NAMESPACE", "LIST"),
        audit="namespace:list",
        body=json_of(shapes.Autocomplete),
        returns=list[str],
        run=autocomplete_namespaces,
    ),
    Operation(
        "GET",
        _NAMESPACES + "/{id}",
        can=("NAMESPACE", "VIEW"),
        audit="namespace:view",
        returns=shapes.Namespace,
        run=namespace,
    ),
)
