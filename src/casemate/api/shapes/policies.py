"""Policies, and what they do to flows."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


class PolicyTarget(TypedDict):
    """Which part of its scope a policy is for."""

    tenants: NotRequired[list[str]]
    namespaces: NotRequired[list[str]]


class Policy(TypedDict):
    """A policy: rules under one name."""

    id: str
    displayName: NotRequired[str]
    description: NotRequired[str]
    enforcement: str
    target: NotRequired[PolicyTarget]
    rules: list[dict[str, Any]]
    scope: str
    tenantId: NotRequired[str]
    namespace: NotRequired[str]
    source: NotRequired[str]
    deleted: bool


class PolicyRuleSummary(TypedDict):
    """How many rules change flows, and how many judge them."""

    mutate: int
    validate: int


class PolicySummary(TypedDict):
    """A policy in a list."""

    id: str
    displayName: NotRequired[str]
    description: NotRequired[str]
    scope: str
    namespace: NotRequired[str]
    target: NotRequired[PolicyTarget]
    enforcement: str
    rules: PolicyRuleSummary


class Policies(TypedDict):
    """A page of policies."""

    results: list[PolicySummary]
    total: int


class PolicyMutation(TypedDict):
    """One property that a rule changes; a value that is no object stands in one, behind `value`."""

    action: str
    target: str
    value: NotRequired[dict[str, Any]]
    previousValue: NotRequired[dict[str, Any]]
    policyId: str
    scope: NotRequired[str]


class PolicyViolation(TypedDict):
    """One rule that is broken; without a `policyId` no rule is, but they cannot be applied to the flow."""

    severity: str
    message: str
    ruleType: NotRequired[str]
    target: NotRequired[str]
    policyId: NotRequired[str]
    scope: NotRequired[str]
    taskId: NotRequired[str]


class PolicyConflict(TypedDict):
    """One property that a rule adds and another one deletes."""

    target: str
    addPolicyId: str
    addScope: str
    deletePolicyId: str
    deleteScope: str


class PolicyResource(TypedDict):
    """What a policy is held against."""

    kind: str
    namespace: str
    id: str


class PolicyResult(TypedDict):
    """What a policy does to one flow."""

    resource: PolicyResource
    mutations: list[PolicyMutation]
    violations: list[PolicyViolation]
    conflicts: list[PolicyConflict]


class PolicyCounts(TypedDict):
    """How many flows were looked at, and how many of them the policy means something for."""

    scanned: int
    mutated: int
    violating: int
    conflicting: int


class PolicyEvaluation(TypedDict):
    """What a policy would do to the flows of its scope."""

    counts: PolicyCounts
    total: int
    results: list[PolicyResult]


@with_config(ConfigDict(extra="ignore"))
class PreviewAsked(TypedDict):
    """A flow, and the namespace whose policies are to be tried on it."""

    namespace: str
    source: str


class PolicyPreview(TypedDict):
    """What the policies of a namespace make of a flow."""

    resolvedSource: str
    mutations: list[PolicyMutation]
    violations: list[PolicyViolation]
    conflicts: list[PolicyConflict]


class PolicyRefused(TypedDict):
    """A document that is no policy, by its number."""

    document: str
    message: str


class PolicyImport(TypedDict):
    """How many policies were imported, and what was not."""

    imported: int
    errors: list[PolicyRefused]
