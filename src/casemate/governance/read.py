"""Policies from YAML, or every problem of them with its place (spec/isolation 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence, examine, plain, printed
from casemate.errors import Problem
from casemate.governance.model import Add, Aim, Delete, Policy
from casemate.governance.words import RULES, Scope

_POLICY: Final = TypeAdapter(Policy)
_ELSEWHERE: Final = ("scope", "tenantId", "namespace")
"""What exported texts say of the place; the place that a policy is saved at decides."""

_KINDS: Final = tuple(f"{RULES}{kind}" for kind in ("Add", "Delete", "Deny", "Restrict", "Require"))


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy, and the place that its text names for itself."""

    policy: Policy
    scope: str | None = None
    tenant: str | None = None
    namespace: str | None = None


def read_policy(node: Node) -> Policy | tuple[Problem, ...]:
    """The policy that a tree says, or what is wrong with it; paths begin at the policy."""
    if not isinstance(node, Mapping):
        return (_problem("a policy is a map with id and rules", (), node),)
    try:
        policy = _POLICY.validate_python(plain(node))
    except ValidationError as error:
        return tuple(_problem(_said(fault), _path(fault["loc"]), node) for fault in error.errors(include_url=False))
    return tuple(_clashes(policy, node)) or policy


def read_policy_text(text: str) -> PolicyText | tuple[Problem, ...]:
    """The policy of a YAML text and what the text says of its place, or every problem of it."""
    reading = examine(text, subject="policy yaml", aliases=False)
    if reading.document is None or reading.problems:
        return reading.problems
    root = reading.document.root
    if not isinstance(root, Mapping):
        return (_problem("a policy is a map with id and rules", (), root),)
    said = {entry.key: _place_said(entry.value) for entry in root.entries if entry.key in _ELSEWHERE}
    kept = (entry for entry in root.entries if entry.key not in _ELSEWHERE)
    found = read_policy(replace(root, entries=tuple(kept)))
    return found if isinstance(found, tuple) else PolicyText(found, *(said.get(name) for name in _ELSEWHERE))


def _place_said(node: Node) -> str | None:
    if not isinstance(node, Scalar):
        return "?"  # what no place is called: it must not pass for none
    return None if node.value is None else node.text


def misplaced(policy: Policy, scope: Scope) -> str | None:
    """Why a policy with this target cannot stand in that scope (spec/isolation 4.1)."""
    aim = policy.target or Aim()
    if aim.tenants and scope not in (Scope.STATIC, Scope.INSTANCE):
        return f"a policy of the scope {scope} cannot be for some tenants"
    if aim.namespaces and scope is Scope.NAMESPACE:
        return "a policy of a namespace is for all below it; a target cannot narrow it"
    return None


def _clashes(policy: Policy, node: Node) -> list[Problem]:
    """A policy cannot add what it deletes from the same objects."""
    found = []
    deletions = [(index, rule) for index, rule in enumerate(policy.rules) if isinstance(rule, Delete)]
    for index, rule in deletions:
        for other in policy.rules:
            if isinstance(other, Add) and (other.on, other.where) == (rule.on, rule.where):
                shared = [name for name in rule.properties if name.partition(".")[0] in other.values]
                found += [_problem(f"{name} is added by another rule", ("rules", index), node) for name in shared]
    return found


def _said(fault: Any) -> str:
    """The fault in our words where pydantic's would puzzle a user of YAML."""
    kind, message = fault["type"], str(fault["msg"])
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"a rule's type is one of {', '.join(_KINDS)}"
    texts = {
        "missing": "is needed",
        "unexpected_keyword_argument": "is not known here",
        "dataclass_type": "must be a map",
    }
    return texts.get(kind, message[:1].lower() + message[1:])


def _path(place: tuple[int | str, ...]) -> Path:
    return tuple(step for step in place if not str(step).startswith(RULES))


def _problem(message: str, path: Path, node: Node) -> Problem:
    mark = _mark(node, path)
    return Problem(code="policy-unfit", message=message, path=printed(path), line=mark.line, column=mark.column)


def _mark(node: Node, path: Path) -> Mark:
    """The place that a path leads to, or the last place on the way that exists."""
    mark = node.mark
    for step in path:
        match node:
            case Mapping() if (entry := node.entry(str(step))) is not None:
                mark, node = (entry.mark if isinstance(entry.value, Scalar) else entry.value.mark), entry.value
            case Sequence(items=items) if isinstance(step, int) and step < len(items):
                node = items[step]
                mark = node.mark
            case _:
                break
    return mark
