"""What policies do: tried on a flow that is being written, held against every flow there is (spec/isolation 4.4)."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Iterator, Sequence
from dataclasses import replace

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.operation import Answer, Operation, json_of
from casemate.api.operations.flow_search import every_flow
from casemate.api.operations.policies import named
from casemate.api.policies import effects, faulty
from casemate.api.search import page
from casemate.catalog import Catalog
from casemate.documents import examine, plain, write
from casemate.errors import Refused
from casemate.governance import Enforcement, Law, Outcome, Placed, govern, laws_of
from casemate.identifiers import Namespace, TenantId
from casemate.store import StoredFlow

_ASKED = shapes.PreviewAsked


async def preview_policies(call: Call) -> Answer:
    """Show what the policies of a namespace make of a flow."""
    asked = await call.body_json(_ASKED)
    catalog = call.deps.catalog
    outcome = await to_thread(_tried, asked["source"], catalog, catalog.rules.laws(call.tenant, asked["namespace"]))
    found = effects(outcome)
    return {
        "resolvedSource": write(plain(outcome.resolved.root)),
        **found,
        "violations": [*map(faulty, outcome.faults), *found["violations"]],
    }


def _tried(source: str, catalog: Catalog, laws: Sequence[Law]) -> Outcome:
    """Raises `Refused` for a text that is no YAML."""
    reading = examine(source)
    if reading.document is None:
        raise Refused(reading.problems)
    return govern(reading.document, laws, catalog, records=True)


async def evaluate(call: Call) -> Answer:
    """Tell what a policy, were it active, would do to every flow of its scope; nothing is changed."""
    policy, part = await named(call), page(call)
    stored = await call.deps.db.read(every_flow, call.tenant, ())
    reached = [each for each in stored if policy.reaches(each.tenant, each.namespace)]
    found = await to_thread(lambda: list(_held(policy, reached, call.deps.catalog)))
    first = (part.number - 1) * part.size
    counts = {name: sum(bool(each[key]) for each in found) for name, key in _COUNTS.items()}
    return {
        "counts": {"scanned": len(reached), **counts},
        "total": len(found),
        "results": list(found[first : first + part.size]),
    }


_COUNTS = {"mutated": "mutations", "violating": "violations", "conflicting": "conflicts"}


def _held(policy: Placed, stored: Sequence[StoredFlow], catalog: Catalog) -> Iterator[dict[str, object]]:
    """The flows that the policy means something for; one that cannot be read is held to nothing."""
    mine = tuple(laws_of(replace(policy, policy=replace(policy.policy, enforcement=Enforcement.ACTIVE))))
    for flow in stored:
        document = examine(flow.source).document
        if document is None:
            continue
        laws = _with(mine, flow.tenant, flow.namespace, catalog)
        outcome = govern(document, laws, catalog, records=True)
        found = effects(outcome, mine[0].owner)
        if outcome.unable is not None:
            # Under these rules it can be neither saved nor run, which is more than a rule that it breaks.
            found["violations"] = [faulty(outcome.unable)]
        if any(found.values()):
            yield {"resource": {"kind": "FLOW", "namespace": flow.namespace, "id": flow.id}, **found}


def _with(mine: Sequence[Law], tenant: TenantId, namespace: Namespace, catalog: Catalog) -> list[Law]:
    """The rules of a place, those of one policy replaced by these."""
    others = catalog.rules.laws(tenant, namespace)
    return [*(law for law in others if law.owner != mine[0].owner), *mine]


def _row(base: str, name: str, *, scoped: bool = False) -> Operation:
    return Operation(
        "GET",
        f"{base}/{{id}}/evaluate",
        can=("POLICY", "VIEW"),
        audit="policy:evaluate",
        asks={"page": int, "size": int, "sort": list, **({"scope": str} if scoped else {})},
        returns=shapes.PolicyEvaluation,
        run=evaluate,
        name=f"evaluate_{name}",
    )


TABLE = (
    _row("/api/v1/instance/policies", "instance_policy", scoped=True),
    _row("/api/v1/{tenant}/policies", "tenant_policy"),
    _row("/api/v1/{tenant}/namespaces/{namespace}/policies", "namespace_policy"),
    Operation(
        "POST",
        "/api/v1/{tenant}/flows/policies/preview",
        can=("FLOW", "VALIDATE"),
        audit="policy:preview",
        body=json_of(shapes.PreviewAsked),
        returns=shapes.PolicyPreview,
        run=preview_policies,
    ),
)
