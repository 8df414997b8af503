"""Which rules are in force at a place: the policies and plugin defaults of an installation, and who wins over whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from casemate.documents import Mapping, Mark, node_of
from casemate.governance.model import Add, Aim, Policy, Rule
from casemate.governance.words import Enforcement, Operator, Scope

OUTSIDE = {Scope.STATIC: 0, Scope.INSTANCE: 1, Scope.TENANT: 2, Scope.NAMESPACE: 3}
FLOW_DEPTH = 1_000
"""Flows stand deeper than any namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A policy with the place it stands in: no tenant for STATIC and INSTANCE, a namespace for NAMESPACE only."""

    policy: Policy
    scope: Scope
    tenant: str | None = None
    namespace: str | None = None
    source: str = field(default="", repr=False)

    def reaches(self, tenant: str, namespace: str) -> bool:
        """Is it for the flows of this namespace?"""
        if self.tenant not in (None, tenant) or not (self.namespace is None or _below(namespace, self.namespace)):
            return False
        aim = self.policy.target or Aim()
        spaces = not aim.namespaces or any(_below(namespace, each) for each in aim.namespaces)
        return spaces and (not aim.tenants or tenant in aim.tenants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """One rule where it is in force, and what is to be told of it.

    `scope` is None for the plugin defaults that a flow declares itself. `depth` counts inwards from 0, `order` numbers
    the rules that are applied together. `advisory`: it changes nothing and refuses nothing, only tells. `called`: it
    applies where its policy is referred to. `default`: it was a plugin default, so it reaches every object with a
    `type`, and lists are joined unless it overrides (spec/isolation 3.4); `ref` is the name of such a one. `node` are
    the values with their places, where known.
    """

    rule: Rule
    policy: str
    number: int
    scope: Scope | None
    depth: int
    order: int = 0
    advisory: bool = False
    called: bool = False
    default: bool = False
    ref: str = ""
    node: Mapping | None = field(default=None, repr=False)

    @property
    def named(self) -> str:
        """How messages call it."""
        if self.default:
            return f"plugin default {self.policy}"
        kind = self.rule.type.rpartition(".")[2]
        return f"policy '{self.policy}' ({self.scope}), rule {self.number} ({kind})"

    @property
    def owner(self) -> tuple[str, int]:
        """Whose it is: two policies with one id stand at different depths."""
        return self.policy, self.depth

    @property
    def overrides(self) -> bool:
        """Does it win over what the author wrote?"""
        return isinstance(self.rule, Add) and self.rule.override

    @property
    def specific(self) -> int:
        """How much of a type it spells out: within one scope the longer one wins (spec/isolation 3.4)."""
        exact = (Operator.EQUAL_TO, Operator.STARTS_WITH)
        spelled = (each for each in self.rule.where if each.field == "type" and each.operator in exact)
        return max((len(str(each.value)) for each in spelled), default=0)

    def values_at(self, mark: Mark) -> Mapping:
        """The values of an `Add` for an object at this place, where a mistake of the server's is to be told."""
        assert isinstance(self.rule, Add)
        node = self.node if self.node is not None else node_of(dict(self.rule.values), mark)
        assert isinstance(node, Mapping)
        return node


def fillers(laws: Iterable[Law]) -> list[Law]:
    """Those that add what is missing, the more important first: the innermost, the longest type, the first."""
    found = (law for law in laws if isinstance(law.rule, Add) and not law.rule.override)
    return sorted(found, key=lambda law: (-law.depth, -law.specific, law.order))


def overriders(laws: Iterable[Law]) -> list[Law]:
    """Those that add in any case, the more important first: the outermost, the longest type, the first."""
    return sorted((law for law in laws if law.overrides), key=lambda law: (law.depth, -law.specific, law.order))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every policy and plugin default of an installation. `configured` are the rules that come from elsewhere than
    policies: the plugin defaults of its configuration, and the runner of all scripts.
    """

    placed: tuple[Placed, ...] = ()
    configured: tuple[Law, ...] = ()

    def laws(self, tenant: str, namespace: str) -> tuple[Law, ...]:
        """What is in force for the flows of a namespace, in the same order whatever the order of the policies."""
        here = sorted((each for each in self.placed if each.reaches(tenant, namespace)), key=_place)
        return (*self.configured, *(law for each in here for law in laws_of(each)))

    def with_stored(self, stored: Iterable[Placed]) -> Rulebook:
        """The same configuration with these instead of the other policies that are kept in the database."""
        static = (each for each in self.placed if each.scope is Scope.STATIC)
        return replace(self, placed=(*static, *stored))


def laws_of(placed: Placed) -> Iterator[Law]:
    """The rules of one policy; none while it is disabled."""
    policy = placed.policy
    if policy.enforcement is Enforcement.DISABLED:
        return
    below = placed.namespace.count(".") if placed.namespace else 0
    for number, rule in enumerate(policy.rules, 1):
        yield Law(
            rule=rule,
            policy=policy.id,
            number=number,
            scope=placed.scope,
            depth=OUTSIDE[placed.scope] + below,
            advisory=policy.enforcement is Enforcement.EVALUATE,
            called=policy.enforcement is Enforcement.REFERENCE,
        )


def _place(placed: Placed) -> tuple[int, str, str]:
    return OUTSIDE[placed.scope], placed.namespace or "", placed.policy.id


def _below(namespace: str, parent: str) -> bool:
    return namespace == parent or namespace.startswith(f"{parent}.")
