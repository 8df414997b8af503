"""What is remembered of a trigger that the scheduler looks at (spec/engine 9.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from casemate.flows import Label, Trigger
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId

TriggerKey: TypeAlias = tuple[TenantId, Namespace, FlowId, str]
"""Which trigger of which flow."""

Kind: TypeAlias = Literal["SCHEDULE", "POLLING"]
"""By dates, or by asking again and again."""

SCHEDULE: Final = "io.kestra.plugin.core.trigger.Schedule"
ON_DATES: Final = "io.kestra.plugin.core.trigger.ScheduleOnDates"
HTTP: Final = "io.kestra.plugin.core.http.Trigger"

_KINDS: Final[Mapping[str, Kind]] = {SCHEDULE: "SCHEDULE", ON_DATES: "SCHEDULE", HTTP: "POLLING"}


def kind_of(trigger: Trigger) -> Kind | None:
    """How the scheduler evaluates it; None if something else starts it: a request, or another execution."""
    return _KINDS.get(trigger.canonical)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """Dates of the past that are made up for, one after the other.

    `current` is the next of them. While the backfill is at work, `previous_next` keeps the date that comes after it;
    while it is `paused` the trigger goes by its ordinary dates, and `previous_next` is empty.
    """

    start: datetime
    end: datetime
    current: datetime
    paused: bool = False
    inputs: Mapping[str, object] = field(default_factory=dict)
    labels: tuple[Label, ...] = ()
    previous_next: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerState:
    """One trigger of the last revision of a flow.

    `definition` changes when what the flow says of the trigger changes; as long as it is not `planned` its next date
    is still to be worked out. `date` is the one that was evaluated last, `next_date` (Kestra's nextExecutionDate) the
    one to be evaluated next, None for never. It is not evaluated while it is `disabled`, while the execution that it
    started last is not over (`execution_id`), and while an evaluation runs (`evaluating_since`, Kestra's
    evaluateRunningDate). `version` grows with each change.
    """

    tenant: TenantId
    namespace: Namespace
    flow_id: FlowId
    trigger_id: str
    kind: Kind
    definition: str
    updated: datetime
    planned: bool = False
    date: datetime | None = None
    next_date: datetime | None = None
    evaluated: datetime | None = None
    triggered: datetime | None = None
    execution_id: ExecutionId | None = None
    evaluating_since: datetime | None = None
    backfill: Backfill | None = None
    stop_after: tuple[str, ...] = ()
    disabled: bool = False
    version: int = 0

    @property
    def key(self) -> TriggerKey:
        """Its name."""
        return self.tenant, self.namespace, self.flow_id, self.trigger_id

    @property
    def locked(self) -> bool:
        """Does an evaluation, or the execution that it started last, keep it from being evaluated?"""
        return self.execution_id is not None or self.evaluating_since is not None
