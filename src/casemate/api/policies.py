"""Policies between their two forms: from the text of a request to a checked policy, and to Kestra's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from casemate.api.call import Call
from casemate.api.names import namespace_of
from casemate.documents import Plain, plain, printed, read
from casemate.errors import Problem, Refused
from casemate.governance import (
    Action,
    Add,
    Aim,
    Conflict,
    Delete,
    Law,
    Mutation,
    Outcome,
    Placed,
    Rule,
    Violation,
    clashes,
    misplaced,
    read_policy_text,
)
from casemate.store import PolicyPlace

_RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


def place_of(call: Call) -> PolicyPlace:
    """The place that the path names: the instance, a tenant, or a namespace."""
    parts = call.request.path_params
    namespace = str(namespace_of(call)) if "namespace" in parts else ""
    return PolicyPlace(str(call.tenant) if "tenant" in parts else "", namespace)


def checked_policy(text: str, place: PolicyPlace, others: Iterable[Placed]) -> Placed:
    """The policy of a text for a place. Raises `Refused` with every problem, contradictions to others too."""
    found = read_policy_text(text)
    if isinstance(found, tuple):
        raise Refused(found)
    policy = found.policy
    wrong = [message for message in (misplaced(policy, place.scope),) if message]
    said = (found.scope, found.tenant, found.namespace)
    if any(
        one not in (None, meant) for one, meant in zip(said, (place.scope, place.tenant, place.namespace), strict=True)
    ):
        wrong.append("the text names another place than the one it is sent to")
    new = Placed(
        policy=policy, scope=place.scope, tenant=place.tenant or None, namespace=place.namespace or None, source=text
    )
    wrong += clashes(new, others)
    if wrong:
        raise Refused(Problem(code="policy-unfit", message=message, path=policy.id) for message in wrong)
    return new


def shown(placed: Placed) -> dict[str, object]:
    """A policy with its rules as they were written."""
    written = dict(_written(placed))
    policy = placed.policy
    known = {
        "id": policy.id,
        "displayName": policy.display_name,
        "description": policy.description,
        "enforcement": policy.enforcement,
        "target": _target(policy.target),
        "rules": written.get("rules", []),
        "scope": placed.scope,
        "tenantId": placed.tenant,
        "namespace": placed.namespace,
        "source": placed.source or None,
    }
    return {**{name: value for name, value in known.items() if value is not None}, "deleted": False}


def _written(placed: Placed) -> Mapping[str, Plain]:
    if placed.source:
        found = plain(read(placed.source, subject="policy yaml", aliases=False).root)
        assert isinstance(found, dict)
        return found
    return {"rules": [_rule(rule) for rule in placed.policy.rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    """A rule of the configuration, in the words in which it can be written."""
    found: dict[str, Any] = _RULE.dump_python(rule, by_alias=True, exclude_defaults=True, mode="json")
    return {"type": rule.type, **found}


def summary(placed: Placed) -> dict[str, object]:
    """A policy in a list: how many rules it has of each family."""
    policy = placed.policy
    mutating = sum(isinstance(rule, Add | Delete) for rule in policy.rules)
    known = {
        "id": policy.id,
        "displayName": policy.display_name,
        "description": policy.description,
        "scope": placed.scope,
        "namespace": placed.namespace,
        "target": _target(policy.target),
        "enforcement": policy.enforcement,
        "rules": {"mutate": mutating, "validate": len(policy.rules) - mutating},
    }
    return {name: value for name, value in known.items() if value is not None}


def _target(aim: Aim | None) -> dict[str, object] | None:
    if aim is None:
        return None
    return {name: list(value) for name, value in (("tenants", aim.tenants), ("namespaces", aim.namespaces)) if value}


def effects(outcome: Outcome, only: tuple[str, int] | None = None) -> dict[str, list[object]]:
    """What rules do to a flow; `only` those of one policy, by the `owner` of its laws."""

    def wanted(*laws: Law) -> bool:
        return only is None or any(law.owner == only for law in laws)

    return {
        "mutations": [_mutation(each) for each in outcome.mutations if wanted(each.law)],
        "violations": [_violation(each) for each in outcome.violations if wanted(each.law)],
        "conflicts": [_conflict(each) for each in outcome.conflicts if wanted(each.add, each.delete)],
    }


def _mutation(mutation: Mutation) -> dict[str, object]:
    shown = {
        "action": mutation.action,
        "target": printed(mutation.path),
        "value": _value(mutation.value),
        "previousValue": _value(mutation.previous),
        "policyId": mutation.law.policy,
        "scope": mutation.law.scope,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _value(value: Plain) -> Plain:
    """Kestra's client takes objects only."""
    return value if value is None or isinstance(value, dict) else {"value": value}


def _violation(violation: Violation) -> dict[str, object]:
    shown = {
        "severity": violation.action,
        "ruleType": violation.law.rule.type,
        "target": printed(violation.path),
        "message": violation.said(),
        "policyId": violation.law.policy,
        "scope": violation.law.scope,
        "taskId": violation.task,
    }
    return {name: value for name, value in shown.items() if value is not None}


def faulty(problem: Problem) -> dict[str, object]:
    """What stands in the way of the rules themselves; no single one of them is broken."""
    return {"severity": Action.BLOCK, "message": problem.message, **({"target": problem.path} if problem.path else {})}


def _conflict(conflict: Conflict) -> dict[str, object]:
    return {
        "target": printed(conflict.path),
        "addPolicyId": conflict.add.policy,
        "addScope": conflict.add.scope,
        "deletePolicyId": conflict.delete.policy,
        "deleteScope": conflict.delete.scope,
    }
