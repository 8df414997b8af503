"""What stands above every execution: kill switches, quotas, maintenance (spec/isolation 9).

Asked in the transaction that lets something begin: nobody comes in between, and what waits until that is over is in
rows. Whatever is not let begin now is looked at again when the rules change (`Tender`), and after a crash.
"""

from __future__ import annotations

from collections.abc import Iterator

from casemate.executions import (
    Begin,
    Decision,
    KillSwitch,
    QuotaExceeded,
    State,
    TimerDue,
    Write,
    ruling,
    switched_off,
)
from casemate.flows import Flow, Quota
from casemate.jobs import Stale
from casemate.orchestrator.errors import Conflict
from casemate.orchestrator.items import Amend, Claim, Due, End, Happened, Item, Look, Lost
from casemate.orchestrator.rules import Rules
from casemate.orchestrator.step import Step
from casemate.store import Job, QuotaPlace, jobs, kill_switches, maintenance, quotas

_WAITING = (State.CREATED, State.QUEUED, State.RESTARTED)


def begin(step: Step) -> None:
    """Let a new execution begin, unless a kill switch, a quota or maintenance say no."""
    switch = ruling_of(step)
    obey(step, switch)
    if step.execution is not step.before:
        return
    # Also one that is to wait: once it is let go on nobody counts it any more.
    exceeded = quotas.consume(step.tx, quotas_of(step.flow, step.around.rules), step.around.now)
    if exceeded is not None:
        step.happen(_exceeded(*exceeded))
    elif switch is not None and switch.evaluation == "IGNORE":
        message = f"Flow is ignored due to the kill switch '{switch.name}'"
        step.follow(Decision(execution=step.execution, commands=(Write("WARN", message, kept=True),)))
    elif not maintenance.on(step.tx):
        step.happen(Begin())


def ruling_of(step: Step) -> KillSwitch | None:
    """The kill switch that decides about the execution."""
    switches = kill_switches.active(step.tx)
    return ruling(switches, step.execution, step.around.now) if switches else None


def obey(step: Step, switch: KillSwitch | None) -> None:
    """Stop the execution if a kill switch says so."""
    if switch is not None and switch.evaluation != "IGNORE" and not step.execution.over:
        step.happen(switched_off(switch))


def ignored(switch: KillSwitch, item: Item) -> object:
    """What becomes of an item that is brought to an execution which is to be ignored.

    Nothing is taken: messages and timers stay where they are, and are brought again. Raises `Conflict` for people.
    """
    match item:
        case Happened() | Amend():
            raise Conflict(f"The execution is ignored by the kill switch '{switch.name}'")
        case Claim():
            return Stale("its execution is ignored by a kill switch")
        case End() | Lost():
            return False
        case _:
            return None


def waits(step: Step, item: Item) -> bool:
    """Would this let an execution begin that waits, while the instance is in maintenance?"""
    if step.execution.state not in _WAITING:
        return False
    begins = isinstance(item, Due | Look) or (isinstance(item, Happened) and isinstance(item.event, Begin | TimerDue))
    return begins and maintenance.on(step.tx)


def may_be_granted(step: Step, job: Job | None) -> bool:
    """In maintenance no job begins but in a folder that is held already: what is at work shall end."""
    return (job is not None and job.queue == jobs.FOLDER) or not maintenance.on(step.tx)


def quotas_of(flow: Flow, rules: Rules) -> Iterator[tuple[QuotaPlace, Quota]]:
    """The quotas of an execution in the order in which they count: its flow's, its namespaces', its tenant's."""
    own = QuotaPlace(tenant=flow.tenant, namespace=flow.namespace, flow=flow.id)
    yield from ((own, quota) for quota in flow.quotas)
    if not rules.quotas:
        return
    mine = [rule for rule in rules.quotas if rule.tenant in (None, flow.tenant)]
    above = sorted(
        (rule for rule in mine if _is_above(rule.namespace, flow)), key=lambda rule: len(rule.namespace or "")
    )
    for rule in above:
        yield QuotaPlace(tenant=flow.tenant, namespace=rule.namespace), rule.quota
    for rule in mine:
        if rule.namespace is None:
            yield QuotaPlace(tenant=flow.tenant), rule.quota


def _is_above(namespace: str | None, flow: Flow) -> bool:
    return namespace is not None and f"{flow.namespace}.".startswith(f"{namespace}.")


def _exceeded(place: QuotaPlace, quota: Quota) -> QuotaExceeded:
    return QuotaExceeded(place=str(place), duration=quota.id, limit=quota.limit, behavior=quota.behavior)
