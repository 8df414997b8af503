"""Operations that say something of a namespace: who may read what is its own, and where its secrets are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from anyio.to_thread import run_sync

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import not_found
from casemate.api.names import is_namespace
from casemate.api.operation import Answer, Operation, json_of
from casemate.api.operations.namespaces import is_there, shown
from casemate.errors import Problem, Refused
from casemate.identifiers import Namespace
from casemate.orchestrator import new_id
from casemate.secrets import InvalidOptions, MissingExtra, lineage
from casemate.store import Conflict, StoredNamespace
from casemate.store import namespaces as rows

_GIVEN = shapes.NamespaceGiven
_SAID: Final = ("description", "secretReadOnly", "secretIsolation", "workerSecretManagerMode", "blockSecretInheritance")
_KNOWN: Final = frozenset((*_GIVEN.__required_keys__, *_GIVEN.__optional_keys__))
_ONE_STORAGE: Final = "the files of all namespaces are in one storage, which kestra.storage configures"
_NOT_HERE: Final[Mapping[str, str]] = {
    "concurrency": "only flows have a limit of concurrency",
    "defaultWorkerSelector": "there are no groups of workers",
    "outputsInInternalStorage": "outputs are kept in the database",
    "pluginDefaults": "plugin defaults of a namespace are a policy for it",
    "quotas": "quotas are the operator's: casemate.quotas",
    "sdkDefaultAuthentication": "tasks are given no account of this server",
    "storageConfiguration": _ONE_STORAGE,
    "storageIsolation": _ONE_STORAGE,
    "storageType": _ONE_STORAGE,
    "variables": "namespaces have no variables; there are kestra.variables.globals and the KV store",
}
"""Fields of Kestra's namespace that nothing here acts on, and why."""
_DIRECT: Final = "DIRECT would give workers the credentials of the store; they ask the control plane: CONTROLLER_ONLY"


async def create_namespace(call: Call) -> Answer:
    """Say something of a namespace."""
    asked = await call.body_json(_GIVEN)
    record = await _record(call, asked, None)
    if not await call.deps.db.transact(rows.add, record):
        raise Refused([Problem(code="namespace-exists", message="Namespace id already exists", path="id")])
    _forget(call, record.id)
    return shown(record.id, record)


async def update_namespace(call: Call) -> Answer:
    """Say something else of a namespace; what is not given is no longer said, and `******` stays what it was."""
    name, asked = Namespace(call.part("id")), await call.body_json(_GIVEN)
    if asked["id"] != name:
        raise Refused([Problem(code="namespace-renamed", message="Illegal namespace id update", path="id")])
    before = await call.deps.db.read(rows.get, call.tenant, name)
    if before is None and not await is_there(call, name):
        raise not_found(f"namespace {name}")
    record = await _record(call, asked, before)
    if before is not None:
        await call.deps.db.transact(rows.replace, record, before.stamp)
    elif not await call.deps.db.transact(rows.add, record):
        raise Conflict(f"The namespace {name} was changed meanwhile")
    _forget(call, name)
    return shown(name, record)


async def delete_namespace(call: Call) -> Answer:
    """Say nothing more of a namespace; its flows, files, keys and secrets stay where they are."""
    name = Namespace(call.part("id"))
    if not await call.deps.db.transact(rows.delete, call.tenant, name):
        raise not_found(f"namespace {name}")
    _forget(call, name)
    return None


def _forget(call: Call, name: Namespace) -> None:
    if call.deps.secrets.own is not None:
        call.deps.secrets.own.forget(call.tenant, name)


async def _record(call: Call, asked: shapes.NamespaceGiven, before: StoredNamespace | None) -> StoredNamespace:
    if problems := tuple(_problems(asked)):
        raise Refused(problems)
    given: Mapping[str, Any] = asked
    document = {name: given[name] for name in _SAID if given.get(name) is not None}
    if allowed := asked.get("allowedNamespaces"):
        document["allowedNamespaces"] = [one["namespace"] for one in allowed]
    document |= await run_sync(_store, call, asked, before)
    return StoredNamespace(tenant=call.tenant, id=Namespace(asked["id"]), stamp=new_id(), document=document)


def _store(call: Call, asked: shapes.NamespaceGiven, before: StoredNamespace | None) -> dict[str, Any]:
    """What is kept of the store that the namespace brings."""
    kind, own = asked.get("secretType"), call.deps.secrets.own
    if kind is None:
        return {}
    if own is None:
        raise Refused([_problem("secretType", "namespaces can bring no stores of secrets here")])
    try:
        kept = own.accepted(kind, asked.get("secretConfiguration") or {}, before)
    except InvalidOptions as error:
        raise Refused(_problem(*_placed(fault)) for fault in error.faults) from None
    except MissingExtra as error:
        raise Refused([_problem("secretType", str(error))]) from None
    return {"secretType": kind, "secretConfiguration": dict(kept.sealed), "shownConfiguration": dict(kept.shown)}


def _placed(fault: str) -> tuple[str, str]:
    path, colon, message = fault.partition(": ")
    return (path, message) if colon else ("secretConfiguration", fault)


def _problems(asked: shapes.NamespaceGiven) -> Iterator[Problem]:
    if not _is_name(asked["id"]):
        yield _problem("id", "is no name of a namespace")
    for index, allowed in enumerate(asked.get("allowedNamespaces") or ()):
        if not _is_name(allowed["namespace"]):
            yield _problem(f"allowedNamespaces[{index}].namespace", "is no name of a namespace")
    if asked.get("workerSecretManagerMode") == "DIRECT":
        yield _problem("workerSecretManagerMode", _DIRECT)
    if asked.get("secretConfiguration") and asked.get("secretType") is None:
        yield _problem("secretConfiguration", "needs a secretType")
    given: Mapping[str, object] = asked
    for name, value in given.items():
        if name not in _KNOWN and _holds(value):
            yield _problem(name[:100], _NOT_HERE.get(name, "is no field of a namespace"))


def _is_name(name: str) -> bool:
    return is_namespace(name) and bool(lineage(Namespace(name)))


def _holds(value: object) -> bool:
    """Does a field hold anything? Clients send empty ones along."""
    return any(map(_holds, value.values())) if isinstance(value, Mapping) else bool(value)


def _problem(path: str, message: str) -> Problem:
    return Problem(code="namespace-unfit", message=message, path=path)


_NAMESPACES = "/api/v1/{tenant}/namespaces"

TABLE = (
    Operation(
        "POST",
        _NAMESPACES,
        can=("NAMESPACE", "CREATE"),
        audit="namespace:create",
        body=json_of(_GIVEN),
        returns=shapes.Namespace,
        run=create_namespace,
    ),
    Operation(
        "PUT",
        _NAMESPACES + "/{id}",
        can=("NAMESPACE", "UPDATE"),
        audit="namespace:update",
        body=json_of(_GIVEN),
        returns=shapes.Namespace,
        run=update_namespace,
    ),
    Operation(
        "DELETE",
        _NAMESPACES + "/{id}",
        can=("NAMESPACE", "DELETE"),
        audit="namespace:delete",
        status=204,
        run=delete_namespace,
    ),
)
