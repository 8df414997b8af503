"""Operations on the KV store of namespaces."""

from __future__ import annotations

import json
from datetime import timedelta

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import Declined, not_found
from casemate.api.names import namespace_of
from casemate.api.operation import TEXT, Answer, Operation, Permission, json_of
from casemate.api.search import SEARCH, filters, page
from casemate.durations import printed
from casemate.identifiers import Namespace
from casemate.orchestrator import Refusal, checked_key, expiry, typed
from casemate.store import Tx
from casemate.store import kv as rows

_MOST = 10_000
_DELETION = shapes.KeysAsked
_UNQUOTED = ("DATETIME", "DATE", "DURATION")


async def set_key_value(call: Call) -> Answer:
    """Set a key; the headers `ttl` and `description` say how long it stays, and what it is."""
    value, kind = _meant(await call.body_text())
    now = call.deps.now()
    entry = rows.Entry(
        key=checked_key(call.part("key")),
        value=value,
        type=kind,
        updated=now,
        expires=expiry(call.request.headers.get("ttl"), now),
        description=call.request.headers.get("description"),
    )
    await call.deps.db.transact(rows.put, call.tenant, namespace_of(call), entry)
    return None


def _meant(text: str) -> tuple[object, rows.KvType]:
    """JSON; a date, an instant or a duration without quotes; or a text."""
    try:
        return typed(json.loads(text))
    except (ValueError, RecursionError):
        pass
    for kind in _UNQUOTED:
        try:
            return typed(text.strip(), kind)
        except Refusal:
            continue
    return typed(text, "STRING")


async def key_value(call: Call) -> Answer:
    """Read a value with its type."""
    entry = await call.deps.db.read(rows.get_any, call.tenant, namespace_of(call), call.part("key"))
    if entry is None:
        raise not_found(f"No value found for key '{call.part('key')[:300]}' in namespace '{namespace_of(call)}'")
    if entry.expired(call.deps.now()):
        raise Declined(410, f"Gone: the time of key '{entry.key}' is over")
    return {"type": entry.type, "value": _shown(entry), "revision": entry.revision, "updated": entry.updated}


def _shown(entry: rows.Entry) -> object:
    seconds = entry.value
    if entry.type == "DURATION" and isinstance(seconds, int | float):
        return printed(timedelta(seconds=seconds))
    return seconds


async def delete_key_value(call: Call) -> Answer:
    """Delete a key and say whether it was there."""
    return await call.deps.db.transact(rows.delete, call.tenant, namespace_of(call), call.part("key"))


async def delete_key_values(call: Call) -> Answer:
    """Delete several keys; those that were there."""
    keys = list(dict.fromkeys((await call.body_json(_DELETION)).get("keys") or []))[:_MOST]
    return {"keys": await call.deps.db.transact(_delete_all, call, namespace_of(call), keys)}


def _delete_all(tx: Tx, call: Call, namespace: Namespace, keys: list[str]) -> list[str]:
    return [key for key in keys if rows.delete(tx, call.tenant, namespace, key)]


async def list_all_keys(call: Call) -> Answer:
    """Search keys of all namespaces."""
    found, total = await call.deps.db.read(rows.search, call.tenant, call.deps.now(), filters(call), page(call))
    return paged([_listed(entry) for entry in found], total)


async def list_keys_with_inheritance(call: Call) -> Answer:
    """List the keys of a namespace and of those above it; the nearest of the same name counts."""
    parts = namespace_of(call).split(".")
    places = [Namespace(".".join(parts[:length])) for length in range(len(parts), 0, -1)]
    found = await call.deps.db.read(rows.all_of, call.tenant, places, call.deps.now())
    nearest = {entry.key: entry for entry in sorted(found, key=lambda entry: len(entry.namespace or ""))}
    return [_listed(nearest[key]) for key in sorted(nearest)]


def _listed(entry: rows.Entry) -> dict[str, object]:
    shown = {
        "namespace": entry.namespace,
        "key": entry.key,
        "revision": entry.revision,
        "description": entry.description,
        "creationDate": entry.created,
        "updateDate": entry.updated,
        "expirationDate": entry.expires,
    }
    return {name: value for name, value in shown.items() if value is not None}


_KEYS = "/api/v1/{tenant}/namespaces/{namespace}/kv"
_KEY = _KEYS + "/{key}"
_READ: Permission = ("KVSTORE", "VIEW")
_WRITE: Permission = ("KVSTORE", "UPDATE")
_DELETE: Permission = ("KVSTORE", "DELETE")

TABLE = (
    Operation("PUT", _KEY, can=_WRITE, audit="kv:set", body=TEXT, status=204, run=set_key_value),
    Operation("GET", _KEY, can=_READ, audit="kv:view", returns=shapes.KeyValue, run=key_value),
    Operation("DELETE", _KEY, can=_DELETE, audit="kv:delete", returns=bool, run=delete_key_value),
    Operation(
        "DELETE",
        _KEYS,
        can=_DELETE,
        audit="kv:delete",
        body=json_of(shapes.KeysAsked),
        returns=shapes.KeysAsked,
        run=delete_key_values,
    ),
    Operation(
        "GET",
        _KEYS + "/inheritance",
        can=_READ,
        audit="kv:list",
        returns=list[shapes.Key],
        run=list_keys_with_inheritance,
    ),
    Operation(
        "GET",
        "/api/v1/{tenant}/kv",
        can=_READ,
        audit="kv:list",
        asks=SEARCH,
        returns=shapes.Keys,
        run=list_all_keys,
    ),
)
