"""Operations on secrets: their names, descriptions and tags; values come in and never go out (spec/security 2.11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from anyio.to_thread import run_sync

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.names import namespace_of
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.search import SEARCH, page, plain_filters
from casemate.identifiers import Namespace
from casemate.secret import Secret
from casemate.secrets import ANYWHERE, Address, Entry, keepable
from casemate.settings import Service
from casemate.store import Filter

T = TypeVar("T")

_GIVEN = shapes.SecretGiven
_DESCRIBED = shapes.SecretDescribed
_AS = Service.WEBSERVER


async def list_secrets(call: Call) -> Answer:
    """Search the secrets of all namespaces."""
    return await _found(call, None)


async def list_namespace_secrets(call: Call) -> Answer:
    """Search the secrets that a namespace has itself."""
    return await _found(call, namespace_of(call))


async def _found(call: Call, namespace: Namespace | None) -> dict[str, object]:
    part, wanted = page(call), plain_filters(call)
    entries = await _asked(call, lambda: call.deps.secrets.entries(_AS, call.tenant, namespace))
    found = [entry for entry in entries if all(_fits(entry, one) for one in wanted)]
    for order in reversed(part.sort):
        field, _, direction = order.partition(":")
        found.sort(key=_SORTED.get(field) or _unsorted(field), reverse=direction.lower() == "desc")
    shown = found[(part.number - 1) * part.size : part.number * part.size]
    read_only = await _asked(call, lambda: call.deps.secrets.read_only_at(call.tenant, namespace))
    return {"readOnly": read_only, **paged([_shown(entry) for entry in shown], len(found))}


_SORTED: Mapping[str, Callable[[Entry], str]] = {
    "key": lambda entry: entry.address.name,
    "namespace": lambda entry: entry.address.namespace,
    "description": lambda entry: entry.description or "",
}


def _unsorted(field: str) -> Callable[[Entry], str]:
    raise illegal_argument(f"Results can't be sorted by {field[:100]}")


def _fits(entry: Entry, wanted: Filter) -> bool:
    name, namespace, text = entry.address.name.lower(), entry.address.namespace, str(wanted.value).lower()
    match wanted.field, wanted.op:
        case "q", "EQUALS" | "CONTAINS":
            return text in name or text in namespace
        case "key", "EQUALS":
            return name == text
        case "key", "CONTAINS":
            return text in name
        case "namespace", "EQUALS":
            return namespace in (text, ANYWHERE)
        case "namespace", "PREFIX":
            return namespace in (text, ANYWHERE) or namespace.startswith(f"{text}.")
        case "namespace", "CONTAINS":
            return namespace == ANYWHERE or text in namespace
    raise illegal_argument(f"{wanted.field[:100]} {wanted.op[:100]} is not a filter of secrets")


async def inherited_secrets(call: Call) -> Answer:
    """List the names of the secrets that flows of a namespace see, by the namespace they come from."""
    found = await _asked(call, lambda: call.deps.secrets.inherited(_AS, call.tenant, namespace_of(call)))
    return {str(namespace): list(names) for namespace, names in found.items()}


async def put_secrets(call: Call) -> Answer:
    """Create or replace a secret."""
    asked = await call.body_json(_GIVEN)
    if not keepable(asked["key"]):
        raise illegal_argument(
            "a key has letters, digits, '_', '-' and '.', at most 255, and begins with none of the last two"
        )
    value = Secret(asked["value"])
    entry = Entry(
        address=_address(call, asked["key"]),
        description=asked.get("description"),
        tags=_tags(asked.get("tags") or ()),
    )
    await _asked(call, lambda: call.deps.secrets.write(_AS, entry, value))
    return [_shown(entry)]


async def patch_secret(call: Call) -> Answer:
    """Change the description and the tags of a secret; what is not given stays."""
    asked, address = await call.body_json(_DESCRIBED), _address(call, call.part("key"))
    if asked["key"] != address.name:
        raise illegal_argument("a secret can't be given another key")
    before = await _asked(call, lambda: _entry(call, address))
    tags = asked.get("tags")
    entry = Entry(
        address=address,
        description=asked.get("description", before.description),
        tags=before.tags if tags is None else _tags(tags),
    )
    await _asked(call, lambda: call.deps.secrets.write(_AS, entry, None))
    return [_shown(entry)]


def _entry(call: Call, address: Address) -> Entry:
    entries = call.deps.secrets.entries(_AS, call.tenant, address.namespace)
    found = next((entry for entry in entries if entry.address == address), None)
    if found is None:
        if call.deps.secrets.read_only_at(call.tenant, address.namespace):
            call.deps.secrets.write(_AS, Entry(address=address), None)
        raise _missing(address)
    return found


async def delete_secret(call: Call) -> Answer:
    """Remove a secret."""
    address = _address(call, call.part("key"))
    if not await _asked(call, lambda: call.deps.secrets.delete(_AS, address)):
        raise _missing(address)
    return None


def _missing(address: Address) -> Exception:
    return not_found(f"secret {address.name[:300]} in namespace {address.namespace}")


def _address(call: Call, name: str) -> Address:
    return Address(tenant=call.tenant, namespace=namespace_of(call), name=name)


def _tags(given: Sequence[shapes.SecretTag]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in given}


def _shown(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": entry.address.name}
    if entry.address.namespace != ANYWHERE:
        shown["namespace"] = entry.address.namespace
    if entry.description is not None:
        shown["description"] = entry.description
    return {**shown, "tags": [{"key": name, "value": text} for name, text in sorted(entry.tags.items())]}


async def _asked(call: Call, function: Callable[[], T]) -> T:
    # A store that does not answer holds up these few threads, and nobody who asks for something else.
    return await run_sync(function, limiter=call.deps.secret_seats)


_READ: Permission = ("SECRET", "LIST")
_WRITE: Permission = ("SECRET", "UPDATE")
_OF = "/api/v1/{tenant}/namespaces/{namespace}/secrets"

TABLE = (
    Operation(
        "GET",
        "/api/v1/{tenant}/secrets",
        can=_READ,
        audit="secret:list",
        asks=SEARCH,
        returns=shapes.Secrets,
        run=list_secrets,
    ),
    Operation(
        "GET", _OF, can=_READ, audit="secret:list", asks=SEARCH, returns=shapes.Secrets, run=list_namespace_secrets
    ),
    Operation(
        "GET",
        "/api/v1/{tenant}/namespaces/{namespace}/inherited-secrets",
        can=_READ,
        audit="secret:list",
        returns=dict[str, list[str]],
        run=inherited_secrets,
    ),
    Operation(
        "PUT",
        _OF,
        can=_WRITE,
        audit="secret:set",
        body=json_of(_GIVEN),
        returns=list[shapes.SecretFound],
        run=put_secrets,
    ),
    Operation(
        "PATCH",
        _OF + "/{key}",
        can=_WRITE,
        audit="secret:describe",
        body=json_of(_DESCRIBED),
        returns=list[shapes.SecretFound],
        run=patch_secret,
    ),
    Operation("DELETE", _OF + "/{key}", can=("SECRET", "DELETE"), audit="secret:delete", status=204, run=delete_secret),
)
