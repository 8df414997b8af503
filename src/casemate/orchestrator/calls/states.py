"""States of flows, kept in the KV store of their namespace (spec/engine 8.4). Their keys are composed here: a worker
cannot name another flow's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from casemate.expressions import slug
from casemate.orchestrator.calls.model import Arguments, Caller
from casemate.orchestrator.calls.values import checked_key, typed
from casemate.store import Tx, kv

_HASH = 16


def get(tx: Tx, caller: Caller, arguments: Arguments) -> dict[str, object]:
    """`{found, key, data}`."""
    key = _key(caller, arguments)
    data = _stored(tx, caller, key)
    return {"found": data is not None, "key": key, "data": dict(data or {})}


def put(tx: Tx, caller: Caller, arguments: Arguments) -> dict[str, object]:
    """Merge a map over what is stored: `{key, count}`."""
    key = _key(caller, arguments)
    data, kind = typed({**(_stored(tx, caller, key) or {}), **arguments.mapping("data")}, "JSON")
    assert isinstance(data, Mapping)
    kv.put(tx, caller.tenant, caller.namespace, kv.Entry(key=key, value=data, type=kind, updated=caller.now))
    return {"key": key, "count": len(data)}


def delete(tx: Tx, caller: Caller, arguments: Arguments) -> dict[str, object]:
    """Forget it: `{key, deleted}`."""
    key = _key(caller, arguments)
    return {"key": key, "deleted": kv.delete(tx, caller.tenant, caller.namespace, key)}


def _key(caller: Caller, arguments: Arguments) -> str:
    flow = "" if arguments.flag("namespace", default=False) else f"{slug(caller.execution.flow_id)}_"
    key = f"{flow}states_tasks-states_{arguments.text('name')}"
    value = caller.run.value if arguments.flag("taskrunValue", default=True) else None
    if value is None:
        return checked_key(key)
    return checked_key(f"{key}_{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:_HASH]}")


def _stored(tx: Tx, caller: Caller, key: str) -> Mapping[str, object] | None:
    entry = kv.get(tx, caller.tenant, caller.namespace, key, caller.now)
    return entry.value if entry is not None and isinstance(entry.value, Mapping) else None
