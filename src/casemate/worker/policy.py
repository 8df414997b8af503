"""What a task type may do inside: from its capabilities and the operator's settings to one policy. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Final, Protocol

from casemate.catalog import Capability, Manifest
from casemate.identifiers import Namespace, TenantId
from casemate.sandbox import Egress, Level, Limits, Policy, Rights
from casemate.settings import (
    HttpLists,
    Isolation,
    JavaSecurity,
    LimitOverrides,
    authorised,
    for_task,
    said_by,
    thread_rule,
)
from casemate.worker import denials
from casemate.worker.errors import TaskFailed
from casemate.worker.http_filter import filtered, is_filtered

_CONNECTS: Final = frozenset((Capability.NETWORK, Capability.RUNS_CODE))
_STARTS_PROCESSES: Final = frozenset((Capability.STARTS_PROCESSES, Capability.RUNS_CODE))
_STARTS_THREADS: Final = frozenset((Capability.STARTS_THREADS, Capability.RUNS_CODE))
_NO_LISTS: Final = HttpLists()


def policies(isolation: Isolation, java_security: JavaSecurity, http: HttpLists) -> Callable[[Manifest, Where], Policy]:
    """What answers `policy_for` under these settings."""
    return lambda manifest, place: policy_for(manifest, isolation, java_security, place, http)


def policy_for(
    manifest: Manifest,
    isolation: Isolation,
    java_security: JavaSecurity | None = None,
    place: Where | None = None,
    http: HttpLists = _NO_LISTS,
) -> Policy:
    """The policy of one task type at one place. What its manifest does not ask for, it does not get: settings only
    take away. The one exception are threads for a type that `authorized-class-prefix` names.

    Raises `TaskFailed` for a type that cannot do its work without the threads or processes it may not start: it would
    end with an error of the kernel that tells nobody which setting forbids it (spec/isolation 1.3, rule 7).
    """
    names = (manifest.type, *manifest.aliases)
    walls = for_task(isolation, names, place.namespace if place else "", place.tenant if place else "")
    rules = java_security if java_security is not None and java_security.enabled else None
    key = thread_rule(rules, *names) if rules is not None else None
    if key is not None and not manifest.capabilities.isdisjoint(_STARTS_THREADS | _STARTS_PROCESSES):
        raise TaskFailed(denials.no_threads(manifest.type, key))
    return Policy(
        required=Level(walls.required_level),
        visible=walls.visible_paths,
        writable=walls.writable_paths,
        forbidden=rules.forbidden_paths if rules is not None else (),
        rights=_rights(manifest, walls, rules),
        egress=_egress(manifest, walls, http),
        limits=_limits(walls.limits),
        learning=walls.learning,
    )


def _egress(manifest: Manifest, walls: Isolation, http: HttpLists) -> Egress:
    egress = Egress(
        open=walls.egress.open and not manifest.capabilities.isdisjoint(_CONNECTS),
        allow=walls.egress.allow,
        deny=walls.egress.deny,
        public=walls.egress.public,
    )
    return filtered(egress, http) if is_filtered(manifest) else egress


def _rights(manifest: Manifest, walls: Isolation, rules: JavaSecurity | None) -> Rights:
    wants, names = manifest.capabilities, (manifest.type, *manifest.aliases)
    named = rules is not None and authorised(rules, *names)
    key = thread_rule(rules, *names) if rules is not None else None
    taken = tuple(said_by(walls, right) for right in ("threads", "processes") if not getattr(walls, right))
    return Rights(
        threads=walls.threads and (named or not wants.isdisjoint(_STARTS_THREADS)),
        # A program that may start others could start threads in them.
        processes=walls.processes and not wants.isdisjoint(_STARTS_PROCESSES),
        denied_by=(key,) if key is not None else taken,
    )


def _limits(overrides: LimitOverrides) -> Limits:
    named = {field.name: getattr(overrides, field.name) for field in fields(overrides)}
    if overrides.duration is not None:
        named["duration"] = overrides.duration.total_seconds()
    return Limits(**{name: value for name, value in named.items() if value is not None})


class Where(Protocol):
    """Where a task stands, as far as settings differ by it; the place of a job says so, too."""

    @property
    def tenant(self) -> TenantId:
        """The tenant of its flow."""

    @property
    def namespace(self) -> Namespace:
        """The namespace of its flow."""
