"""The KV store as tasks use it (spec/engine 8.4)."""

from __future__ import annotations

from datetime import datetime

from casemate import durations
from casemate.orchestrator.calls.borders import readable, writable
from casemate.orchestrator.calls.model import Arguments, Caller, Refusal, refuse
from casemate.orchestrator.calls.values import checked_key, typed
from casemate.store import Tx, kv

_STORE = "KV store"


def get(tx: Tx, caller: Caller, arguments: Arguments) -> dict[str, object]:
    """`{found, value}` of a key."""
    namespace = readable(tx, caller, arguments.maybe_text("namespace"))
    entry = kv.get(tx, caller.tenant, namespace, arguments.text("key"), caller.now)
    return {"found": entry is not None, "value": None if entry is None else entry.value, "namespace": namespace}


def keys(tx: Tx, caller: Caller, arguments: Arguments) -> list[str]:
    """The keys that begin with a prefix."""
    namespace = readable(tx, caller, arguments.maybe_text("namespace"))
    prefix = arguments.maybe_text("prefix") or ""
    return [entry.key for entry in kv.all_of(tx, caller.tenant, namespace, caller.now, prefix)]


def put(tx: Tx, caller: Caller, arguments: Arguments) -> None:
    """Set a key."""
    namespace, key = writable(tx, caller, arguments.maybe_text("namespace"), _STORE), checked_key(arguments.text("key"))
    value, kind = typed(arguments.given.get("value"), arguments.maybe_text("type"))
    overwrite = arguments.flag("overwrite", default=True)
    if not overwrite and kv.get(tx, caller.tenant, namespace, key, caller.now) is not None:
        refuse(f"Cannot set value for key '{key}'. Key already exists and `overwrite` is set to `false`.")
    expires = expiry(arguments.maybe_text("ttl"), caller.now)
    entry = kv.Entry(key=key, value=value, type=kind, updated=caller.now, expires=expires)
    kv.put(tx, caller.tenant, namespace, entry)


def delete(tx: Tx, caller: Caller, arguments: Arguments) -> dict[str, object]:
    """Remove a key: `{deleted, namespace}`. One whose time is over counts as not there."""
    namespace, key = writable(tx, caller, arguments.maybe_text("namespace"), _STORE), arguments.text("key")
    there = kv.get(tx, caller.tenant, namespace, key, caller.now) is not None
    return {"deleted": kv.delete(tx, caller.tenant, namespace, key) and there, "namespace": namespace}


def expiry(ttl: str | None, now: datetime) -> datetime | None:
    """When a value that is set now is there no more; None: never. Refuses what is no duration, negative or endless."""
    if not ttl:
        return None
    try:
        expires = now + durations.parse(ttl)
    except (durations.NotADuration, OverflowError) as error:
        raise Refusal(f"Invalid ttl '{ttl[:100]}': it must be a duration that ends before the year 10000.") from error
    return expires if expires >= now else refuse(f"Invalid ttl '{ttl[:100]}': it must not be negative.")
