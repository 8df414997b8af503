"""What a task type may do inside: from its capabilities and the operator's settings to one policy. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from casemate.catalog import Capability, Manifest
from casemate.sandbox import Egress, Level, Limits, Policy, Rights
from casemate.settings import Isolation, JavaSecurity, LimitOverrides, thread_rule
from casemate.worker.errors import TaskFailed

_CONNECTS: Final = frozenset((Capability.NETWORK, Capability.RUNS_CODE))
_STARTS_PROCESSES: Final = frozenset((Capability.STARTS_PROCESSES, Capability.RUNS_CODE))
_STARTS_THREADS: Final = frozenset((Capability.STARTS_THREADS, Capability.RUNS_CODE))


def policy_for(manifest: Manifest, isolation: Isolation, java_security: JavaSecurity | None = None) -> Policy:
    """The policy of one task type. What its manifest does not ask for, it does not get; settings only take away.

    Raises `TaskFailed` for a type that cannot do its work without the threads or processes it may not start: it would
    end with an error of the kernel that tells nobody which setting forbids it (spec/isolation 1.3, rule 7).
    """
    wants = manifest.capabilities
    rules = java_security if java_security is not None and java_security.enabled else None
    key = thread_rule(rules, manifest.type) if rules is not None else None
    if key is not None and not wants.isdisjoint(_STARTS_THREADS | _STARTS_PROCESSES):
        raise TaskFailed(f"Thread creation is forbidden for '{manifest.type}' by '{key}'.")
    return Policy(
        required=Level(isolation.required_level),
        visible=isolation.visible_paths,
        forbidden=rules.forbidden_paths if rules is not None else (),
        rights=Rights(
            threads=not wants.isdisjoint(_STARTS_THREADS),
            # A program that may start others could start threads in them.
            processes=not wants.isdisjoint(_STARTS_PROCESSES),
        ),
        egress=Egress(
            open=isolation.egress.open and not wants.isdisjoint(_CONNECTS),
            allow=isolation.egress.allow,
            deny=isolation.egress.deny,
            public=isolation.egress.public,
        ),
        limits=_limits(isolation.limits),
    )


def _limits(overrides: LimitOverrides) -> Limits:
    named = {field.name: getattr(overrides, field.name) for field in fields(overrides)}
    if overrides.duration is not None:
        named["duration"] = overrides.duration.total_seconds()
    return Limits(**{name: value for name, value in named.items() if value is not None})
