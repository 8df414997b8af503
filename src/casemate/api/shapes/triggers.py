"""Triggers that are scheduled, and what is asked of them."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from casemate.api.shapes.common import LabelOf


class Backfill(TypedDict):
    """Dates of the past that are made up for; `currentDate` is the next of them."""

    start: str
    end: str
    currentDate: str
    paused: bool
    inputs: dict[str, Any]
    labels: list[LabelOf]
    previousNextExecutionDate: NotRequired[str]


class TriggerState(TypedDict):
    """What is remembered of a trigger."""

    namespace: str
    flowId: str
    triggerId: str
    kind: str
    disabled: bool
    locked: bool
    updatedAt: str
    evaluatedAt: NotRequired[str]
    nextEvaluationDate: NotRequired[str]
    lastTriggeredDate: NotRequired[str]
    executionId: NotRequired[str]
    stopAfter: NotRequired[list[str]]
    backfill: NotRequired[Backfill]


class TriggerStates(TypedDict):
    """A page of them."""

    results: list[TriggerState]
    total: int


class TriggerFound(TypedDict):
    """A trigger as its flow declares it, and what is remembered of it."""

    trigger: dict[str, Any]
    state: TriggerState


class TriggersFound(TypedDict):
    """A page of them."""

    results: list[TriggerFound]
    total: int


class Counted(TypedDict):
    """How many triggers were changed, by either name that clients know."""

    count: int
    totalItems: int


@with_config(ConfigDict(extra="ignore"))
class TriggerName(TypedDict):
    """Which trigger of which flow."""

    namespace: str
    flowId: str
    triggerId: str


class TriggerSwitch(TriggerName):
    """A trigger to switch off or on."""

    disabled: bool
    recoverMissedSchedules: NotRequired[bool | None]


@with_config(ConfigDict(extra="ignore"))
class TriggerSwitches(TypedDict):
    """Triggers to switch off or on."""

    triggers: list[TriggerName]
    disabled: bool
    recoverMissedSchedules: NotRequired[bool | None]


@with_config(ConfigDict(extra="ignore"))
class BackfillDates(TypedDict):
    """From when until when, with which inputs and labels beside those of the trigger."""

    start: str
    end: NotRequired[str | None]
    inputs: NotRequired[dict[str, Any] | None]
    labels: NotRequired[list[LabelOf] | None]


class BackfillAsked(TriggerName):
    """A backfill of a trigger."""

    backfill: BackfillDates


# A misspelt name would make a deletion by query find everything.
@with_config(ConfigDict(extra="forbid"))
class TriggerQuery(TypedDict):
    """Filters, each `{field, operation, value}`; a group has `logical` and `children`."""

    filters: NotRequired[list[dict[str, Any]] | None]
