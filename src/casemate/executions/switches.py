"""Kill switches: what an operator lets no longer go on, by place and time (spec/isolation 9.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from casemate.executions.commands import KillJob, Write
from casemate.executions.events import SwitchedOff
from casemate.executions.folders import at_work
from casemate.executions.killing import stop
from casemate.executions.labelling import over
from casemate.executions.model import Execution, State, Verdict
from casemate.executions.turn import Turn
from casemate.flows import Label
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId

Evaluation: TypeAlias = Literal["PASS", "CANCEL", "KILL", "IGNORE"]

SWITCH_LABEL: Final = "system.killSwitch"
"""The label of an execution that a kill switch has stopped: its name."""

_STRENGTH: Final[dict[Evaluation, int]] = {"PASS": 0, "CANCEL": 1, "KILL": 2, "IGNORE": 3}
"""Whoever is to be ignored must not even be killed: that would be an answer to what it says."""

_DOES: Final[dict[Evaluation, str]] = {"CANCEL": "cancelled", "KILL": "killed", "IGNORE": "ignored"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KillSwitch:
    """One kill switch. Without a tenant it is for all; a namespace means those below it, too; names narrow it further.

    `immediate`: with KILL also what is at work is stopped, instead of being waited for.
    """

    id: str
    name: str
    evaluation: Evaluation
    start: datetime
    end: datetime | None = None
    tenant: TenantId | None = None
    namespace: Namespace | None = None
    flow: FlowId | None = None
    executions: frozenset[ExecutionId] = frozenset()
    description: str | None = None
    enabled: bool = True
    immediate: bool = False

    def holds(self, now: datetime) -> bool:
        """Is it on at this date?"""
        return self.enabled and self.start <= now and (self.end is None or now < self.end)

    def means(self, execution: Execution) -> bool:
        """Is this execution one of those it is for?"""
        below = f"{execution.namespace}.".startswith(f"{self.namespace}.")
        return (
            self.tenant in (None, execution.tenant)
            and (self.namespace is None or (execution.namespace == self.namespace if self.flow else below))
            and self.flow in (None, execution.flow_id)
            and (not self.executions or execution.id in self.executions)
        )


def ruling(switches: Iterable[KillSwitch], execution: Execution, now: datetime) -> KillSwitch | None:
    """The switch that decides about an execution: IGNORE before KILL before CANCEL, and none if all let it pass."""
    meant = [switch for switch in switches if switch.holds(now) and switch.means(execution)]
    strongest = max(meant, key=lambda switch: (_STRENGTH[switch.evaluation], switch.immediate), default=None)
    return None if strongest is None or strongest.evaluation == "PASS" else strongest


def announcement(switch: KillSwitch) -> str | None:
    """What people are to read as long as it is on; nothing of one that lets pass."""
    does = _DOES.get(switch.evaluation)
    if does is None:
        return None
    which = "executions" if not switch.executions else f"{len(switch.executions)} executions by their ids"
    why = f" {switch.description}" if switch.description else ""
    return f"Kill switch '{switch.name}': {which}{_whose(switch)} are {does}.{why}"


def _whose(switch: KillSwitch) -> str:
    if switch.flow is not None:
        return f" of the flow {switch.namespace}.{switch.flow}"
    if switch.namespace is not None:
        return f" in the namespace {switch.namespace}"
    return f" of the tenant {switch.tenant}" if switch.tenant is not None else ""


def switched_off(switch: KillSwitch) -> SwitchedOff:
    """What a switch that stops executions says to one of them."""
    state: Literal[State.KILLED, State.CANCELLED] = State.CANCELLED if switch.evaluation == "CANCEL" else State.KILLED
    return SwitchedOff(name=switch.name, state=state, immediate=switch.immediate and state is State.KILLED)


def switch_off(turn: Turn, event: SwitchedOff) -> None:
    """Let nothing new begin, and end it when all of it is still: at once, where nothing is at work."""
    if turn.killing:
        _hasten(turn, event)
        return
    label = Label(SWITCH_LABEL, event.name)
    if label not in turn.execution.labels:
        turn.say(Write("WARN", f"Flow is {event.state} due to the kill switch '{event.name}'", kept=True))
        turn.execution = replace(turn.execution, labels=over(turn.execution.labels, (label,)))
    end = turn.execution.state if turn.execution.state.terminated else event.state
    stop(turn, Verdict(end, gentle=not event.immediate), cascade=event.immediate)


def _hasten(turn: Turn, event: SwitchedOff) -> None:
    """What was left to end by itself is stopped after all."""
    verdict = turn.execution.verdict
    if not event.immediate or verdict is None or not verdict.gentle:
        return
    turn.execution = replace(turn.execution, verdict=replace(verdict, gentle=False))
    for run in turn.runs.values():
        if not run.state.terminated and at_work(turn.task(run), run):
            turn.say(KillJob(run.id))
