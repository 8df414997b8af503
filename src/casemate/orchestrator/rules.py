"""Numbers that the orchestrator goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from casemate.flows import Quota
from casemate.identifiers import Namespace, TenantId
from casemate.triggers import Recover


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRule:
    """A quota of a namespace, or without one of a tenant, or without that of each tenant."""

    quota: Quota
    namespace: Namespace | None = None
    tenant: TenantId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Defaults are Kestra's where it has one (spec/security 7.1, spec/engine 3.3)."""

    lease: timedelta = timedelta(seconds=45)
    """How long a grant stands without a heartbeat."""
    tending: timedelta = timedelta(seconds=5)
    """How often leases, unheard hints and unsent messages are looked after."""
    hint_again: timedelta = timedelta(seconds=30)
    """After how long a queued job is hinted once more: the first hint may be lost."""
    hints_at_once: int = 1_000
    """How many of those at a time."""
    deliveries: int = 5
    """How often a job is granted before its task run fails: whoever takes it dies."""
    output_bytes: int = 1_048_576
    """The largest outputs of one task run, as JSON."""
    message_bytes: int = 1_048_576
    """The largest new execution, inputs and trigger included, and the most that its inputs and outputs grow to."""
    message_characters: int = 10 * 1024
    """The longest log message; longer ones are cut into several."""
    readable_bytes: int = 10_485_760
    """The largest file that `read()` puts into a template."""
    subflow_depth: int = 100
    """How many executions that start one another may stand above the last one."""
    flows_kept: int = 256
    """How many flows stay parsed."""
    poll_wait: timedelta = timedelta(minutes=5)
    """How long the evaluation of a trigger waits for a worker."""
    poll_time: timedelta = timedelta(minutes=5)
    """How long one may take once a worker has it."""
    triggers_at_once: int = 500
    """How many triggers one round of the scheduler takes of each kind of work."""
    recursive_rendering: bool = False
    """Do workers render what their templates give once more (`kestra.variables.recursive-rendering`)?"""
    quotas: tuple[QuotaRule, ...] = ()
    """Quotas of namespaces and tenants; those of flows stand in the flows."""
    recover_missed: Mapping[str, Recover] = field(default_factory=dict)
    """Which dates that passed while no scheduler ran are made up for, by the type of a trigger that does not say."""
