"""What a task type may do inside: from its capabilities and the operator's settings to one policy. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from casemate.catalog import Capability, Manifest
from casemate.sandbox import Egress, Level, Limits, Policy, Rights
from casemate.settings import Isolation, JavaSecurity, LimitOverrides, thread_rule

_CONNECTS: Final = frozenset((Capability.NETWORK, Capability.RUNS_CODE))
_STARTS_PROCESSES: Final = frozenset((Capability.STARTS_PROCESSES, Capability.RUNS_CODE))
_STARTS_THREADS: Final = frozenset((Capability.STARTS_THREADS, Capability.RUNS_CODE))


def policy_for(manifest: Manifest, isolation: Isolation, java_security: JavaSecurity | None = None) -> Policy:
    """The policy of one task type. What its manifest does not ask for, it does not get; settings only take away."""
    wants = manifest.capabilities
    rules = java_security if java_security is not None and java_security.enabled else None
    threads = rules is None or thread_rule(rules, manifest.type) is None
    return Policy(
        required=Level(isolation.required_level),
        visible=isolation.visible_paths,
        forbidden=rules.forbidden_paths if rules is not None else (),
        rights=Rights(
            threads=threads and not wants.isdisjoint(_STARTS_THREADS),
            # A program that may start others could start threads in them.
            processes=threads and not wants.isdisjoint(_STARTS_PROCESSES),
        ),
        egress=Egress(
            open=isolation.egress.open and not wants.isdisjoint(_CONNECTS),
            allow=isolation.egress.allow,
            deny=isolation.egress.deny,
        ),
        limits=_limits(isolation.limits),
    )


def _limits(overrides: LimitOverrides) -> Limits:
    named = {field.name: getattr(overrides, field.name) for field in fields(overrides)}
    return Limits(**{name: value for name, value in named.items() if value is not None})
