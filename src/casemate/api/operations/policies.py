"""Operations on policies: of the instance, of a tenant, of a namespace (spec/isolation 4.4)."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator, Sequence
from functools import partial

from starlette.datastructures import UploadFile
from starlette.responses import Response

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import constraints, illegal_argument, not_found, places
from casemate.api.names import is_namespace
from casemate.api.operation import FLOWS, MEBIBYTE, Action, Answer, Body, Operation, json_of
from casemate.api.policies import checked_policy, place_of, shown, summary
from casemate.api.search import SEARCH, cut, page, plain_filters
from casemate.documents import split_documents, write
from casemate.errors import Problem, Refused
from casemate.governance import Placed, Scope, read_policy_text
from casemate.orchestrator import placed
from casemate.store import Filter, PolicyPlace, StoredPolicy, Tx
from casemate.store import policies as rows

_YAML = "application/x-yaml"
_IDS = list[str]


async def search(call: Call) -> Answer:
    """Search the policies that stand at a place; those of the configuration are shown with the instance's."""
    part, wanted = page(call), plain_filters(call)
    found = [each for each in await here(call) if all(_fits(each, one) for one in wanted)]
    fields = {field: partial(_sorted_by, field) for field in ("id", "displayName", "enforcement")}
    return paged([summary(each) for each in cut(found, part, fields)], len(found))


def _sorted_by(field: str, policy: Placed) -> str:
    return str(summary(policy).get(field, ""))


def _fits(policy: Placed, wanted: Filter) -> bool:
    texts = {"id": policy.policy.id, "enforcement": policy.policy.enforcement, "scope": policy.scope}
    match wanted.field, wanted.op:
        case "q", "EQUALS" | "CONTAINS":
            names = (policy.policy.id, policy.policy.display_name, policy.policy.description)
            return any(str(wanted.value).lower() in (name or "").lower() for name in names)
        case ("id" | "enforcement" | "scope") as field, "EQUALS":
            return texts[field] == str(wanted.value)
        case ("id" | "enforcement" | "scope") as field, "NOT_EQUALS":
            return texts[field] != str(wanted.value)
        case "id", "STARTS_WITH":
            return policy.policy.id.startswith(str(wanted.value))
        case "id", "CONTAINS":
            return str(wanted.value) in policy.policy.id
    raise illegal_argument(f"{wanted.field[:100]} {wanted.op[:100]} is not a filter of policies")


async def here(call: Call) -> list[Placed]:
    """The policies at the place of the path, by their ids."""
    place = place_of(call)
    stored = [placed(each) for each in await call.deps.db.read(rows.at, place)]
    return [*_static(call, place), *stored]


def _static(call: Call, place: PolicyPlace) -> list[Placed]:
    if place.scope is not Scope.INSTANCE:
        return []
    return [each for each in call.deps.catalog.rules.placed if each.scope is Scope.STATIC]


async def read(call: Call) -> Answer:
    """Read a policy; `scope` says which one is meant if the configuration has one of the same id."""
    return shown(await named(call))


async def named(call: Call) -> Placed:
    """The policy that the path names; raises 404."""
    scope = (call.text("scope") if "scope" in call.operation.asks else None) or ""
    if scope and scope not in (Scope.STATIC, Scope.INSTANCE):
        raise illegal_argument(f"{scope[:100]!r} is no scope here, which may be STATIC or INSTANCE")
    found = [each for each in await here(call) if each.policy.id == call.part("id") and scope in ("", each.scope)]
    if not found:
        raise not_found(f"policy {call.part('id')[:100]}")
    return found[-1]


async def create(call: Call) -> Answer:
    """Create a policy. It holds for every flow that is saved or run from now on."""
    new = await _checked(call)
    if not await call.deps.db.transact(_add, _stored(call, new)):
        raise Refused([Problem(code="policy-exists", message="Policy id already exists", path="id")])
    return await _enforced(call, new)


async def update(call: Call) -> Answer:
    """Replace a policy."""
    new = await _checked(call)
    if new.policy.id != call.part("id"):
        raise Refused([Problem(code="policy-renamed", message="Illegal policy id update", path="id")])
    if not await call.deps.db.transact(_replace, _stored(call, new)):
        raise not_found(f"policy {new.policy.id}")
    return await _enforced(call, new)


async def _checked(call: Call) -> Placed:
    return checked_policy(await call.body_text(), place_of(call), call.deps.catalog.rules.placed)


def _stored(call: Call, new: Placed) -> StoredPolicy:
    return StoredPolicy(place=place_of(call), id=new.policy.id, source=new.source, updated=call.deps.now())


async def _enforced(call: Call, new: Placed) -> Answer:
    await call.deps.orchestrator.governing.renew()
    return shown(new)


def _add(tx: Tx, policy: StoredPolicy) -> bool:
    if rows.get(tx, policy.place, policy.id) is not None:
        return False
    rows.put(tx, policy)
    return True


def _replace(tx: Tx, policy: StoredPolicy) -> bool:
    if rows.get(tx, policy.place, policy.id) is None:
        return False
    rows.put(tx, policy)
    return True


async def validate(call: Call) -> Answer:
    """Check a policy without keeping it."""
    try:
        await _checked(call)
    except Refused as refusal:
        return {"index": 0, "constraints": constraints(refusal.problems), "problems": places(refusal.problems)}
    return {"index": 0}


async def delete(call: Call) -> Answer:
    """Delete a policy; nothing is held to it any more."""
    if not await _deleted(call, [call.part("id")]):
        raise not_found(f"policy {call.part('id')[:100]}")
    return None


async def delete_by_ids(call: Call) -> Answer:
    """Delete the policies that are named, and say how many there were."""
    return {"count": await _deleted(call, await call.body_json(_IDS))}


async def _deleted(call: Call, ids: Sequence[str]) -> int:
    count = await call.deps.db.transact(rows.delete, place_of(call), ids)
    await call.deps.orchestrator.governing.renew()
    return count


async def export(call: Call) -> Answer:
    """Download the policies of a place as YAML; those of the configuration are kept there."""
    return _download(await call.deps.db.read(rows.at, place_of(call)))


async def export_by_ids(call: Call) -> Answer:
    """Download the policies that are named as YAML."""
    ids = set(await call.body_json(_IDS))
    found = [each for each in await call.deps.db.read(rows.at, place_of(call)) if each.id in ids]
    if missing := ids - {each.id for each in found}:
        raise not_found(f"policy {min(missing)[:100]}")
    return _download(found)


def _download(found: Sequence[StoredPolicy]) -> Response:
    """Each says where it stood, so that an import can put it there again."""
    text = "---\n".join(_exported(each) for each in found)
    headers = {"content-disposition": 'attachment; filename="policies.yaml"'}
    return Response(text, media_type=_YAML, headers=headers)


def _exported(policy: StoredPolicy) -> str:
    written = shown(placed(policy))
    kept = {name: value for name, value in written.items() if name not in ("source", "deleted", "tenantId")}
    return write({name: value if isinstance(value, list | dict) else str(value) for name, value in kept.items()})


async def import_policies(call: Call) -> Answer:
    """Create or replace the policies of a YAML file; what is none is told, the others are imported all the same."""
    upload = (await call.form()).get("fileUpload")
    if not isinstance(upload, UploadFile):
        raise illegal_argument("fileUpload is required: a YAML file")
    text = (await upload.read()).decode(errors="replace")
    good, errors = await to_thread(_judged, call, text, call.deps.catalog.rules.placed)
    await call.deps.db.transact(_put_all, good)
    await call.deps.orchestrator.governing.renew()
    return {"imported": len(good), "errors": errors}


def _judged(call: Call, text: str, others: Sequence[Placed]) -> tuple[list[StoredPolicy], list[object]]:
    good: list[StoredPolicy] = []
    errors: list[object] = []
    known = list(others)
    for number, (_, document) in enumerate(split_documents(text)):
        try:
            place = _place_said(call, document)
            new = checked_policy(document, place, known)
        except Refused as refusal:
            errors.append({"document": str(number), "message": refusal.problems[0].printed()})
            continue
        known.append(new)
        good.append(StoredPolicy(place=place, id=new.policy.id, source=document, updated=call.deps.now()))
    return good, errors


def _place_said(call: Call, text: str) -> PolicyPlace:
    """Where a document says that it belongs, in the tenant of the path; without a word there. Raises `Refused`.

    Whoever may write the policies of one tenant has no say in those of the instance, nor of another tenant.
    """
    found = read_policy_text(text)
    if isinstance(found, tuple):
        raise Refused(found)
    if found.tenant not in (None, call.tenant):
        raise _misplaced("it is for another tenant than the one it is sent to", "tenantId")
    match found.scope or ("NAMESPACE" if found.namespace is not None else "TENANT"):
        case Scope.INSTANCE:
            raise _misplaced("a policy of the instance is created at /api/v1/instance/policies", "scope")
        case Scope.TENANT if found.namespace is None:
            return PolicyPlace(call.tenant)
        case Scope.NAMESPACE if is_namespace(found.namespace or ""):
            return PolicyPlace(call.tenant, found.namespace or "")
    raise _misplaced("its scope and namespace do not fit", "scope")


def _misplaced(message: str, path: str) -> Refused:
    return Refused([Problem(code="policy-unfit", message=message, path=path)])


def _put_all(tx: Tx, good: Sequence[StoredPolicy]) -> None:
    for policy in good:
        rows.put(tx, policy)


def _rows(base: str, name: str, *, scoped: bool = False) -> Iterator[Operation]:
    """The operations of one scope; `name` is how clients call one of its policies."""
    several, asks = f"{name.removesuffix('y')}ies", {"scope": str} if scoped else {}
    view, make, drop = _row("VIEW"), _row("CREATE"), _row("DELETE")
    yield view("GET", f"{base}/search", name=f"search_{several}", asks=SEARCH, returns=shapes.Policies, run=search)
    yield view("GET", f"{base}/{{id}}", name=name, asks=asks, returns=shapes.Policy, run=read)
    yield view("POST", f"{base}/validate", name=f"validate_{name}", body=FLOWS, returns=shapes.Validation, run=validate)
    yield view("POST", f"{base}/export", name=f"export_{several}", produces=_YAML, run=export)
    ids = json_of(list[str])
    yield view(
        "POST", f"{base}/export/by-ids", name=f"export_{several}_by_ids", body=ids, produces=_YAML, run=export_by_ids
    )
    yield make("POST", base, name=f"create_{name}", body=FLOWS, returns=shapes.Policy, run=create)
    yield _row("UPDATE")("PUT", f"{base}/{{id}}", name=f"update_{name}", body=FLOWS, returns=shapes.Policy, run=update)
    yield drop("DELETE", f"{base}/{{id}}", name=f"delete_{name}", status=204, run=delete)
    yield drop(
        "DELETE",
        f"{base}/delete/by-ids",
        name=f"delete_{several}_by_ids",
        body=ids,
        returns=shapes.Count,
        run=delete_by_ids,
    )


def _row(action: Action) -> partial[Operation]:
    return partial(Operation, can=("POLICY", action), audit=f"policy:{action.lower()}")


TABLE = (
    *_rows("/api/v1/instance/policies", "instance_policy", scoped=True),
    *_rows("/api/v1/{tenant}/policies", "tenant_policy"),
    *_rows("/api/v1/{tenant}/namespaces/{namespace}/policies", "namespace_policy"),
    Operation(
        "POST",
        "/api/v1/{tenant}/policies/import",
        can=("POLICY", "CREATE"),
        audit="policy:import",
        body=Body(types=("multipart/form-data",), limit=16 * MEBIBYTE),
        returns=shapes.PolicyImport,
        run=import_policies,
    ),
)
