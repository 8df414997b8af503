"""What a flow promises about its executions, and what follows when one breaks the promise (spec/engine 5.8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from casemate import durations
from casemate.executions.commands import ForgetTimer, WakeAt, Write
from casemate.executions.dates import after
from casemate.executions.killing import stop
from casemate.executions.model import Execution, State, Verdict
from casemate.executions.turn import Turn
from casemate.expressions import ExpressionError, NeedsWorld, truthy
from casemate.flows import Label, Sla

SLA_KEY = "sla"
"""Timer and `Resolve` keys of SLAs begin with it; the number of the SLA in the flow follows."""

_SETTLED = (State.PAUSED, State.KILLING)


def watch(turn: Turn) -> None:
    """Wake up when the execution will have taken too long."""
    for key, sla in _all(turn, "MAX_DURATION"):
        assert sla.duration is not None
        turn.say(WakeAt(key, after(_begun(turn.execution), sla.duration)))


def unwatch(turn: Turn) -> None:
    """The execution has ended, nobody cares any more how long it takes."""
    for key, _ in _all(turn, "MAX_DURATION"):
        turn.say(ForgetTimer(key))


def expire(turn: Turn, key: str) -> None:
    """The time is over."""
    sla = dict(_all(turn, "MAX_DURATION")).get(key)
    if sla is None or sla.duration is None or turn.execution.state.terminated or turn.killing:
        return
    if after(_begun(turn.execution), sla.duration) > turn.now:
        watch(turn)
        return
    lasted, most = durations.printed(turn.now - _begun(turn.execution)), durations.printed(sla.duration)
    _act(turn, sla, f"execution duration of {lasted} exceed the maximum duration of {most}.")


def evaluate(turn: Turn) -> None:
    """Check what is asserted if the execution changed. Of several violations the first is acted on."""
    if _is_open(turn) and _changed(turn):
        _check(turn, afresh=True)


def holds(turn: Turn) -> bool:
    """Check everything once more before the end; False if it must not end now, or has to wait for a reply."""
    if not _is_open(turn):
        return True
    _check(turn, afresh=_changed(turn))
    return not turn.killing and not any(key in turn.execution.asked for key, _ in _all(turn, "EXECUTION_ASSERTION"))


def replied(turn: Turn, key: str) -> None:
    """The world has answered what an assertion asked; the end may have waited for it."""
    sla = dict(_all(turn, "EXECUTION_ASSERTION")).get(key)
    if sla is not None and _is_open(turn):
        _check_one(turn, key, sla)
    turn.look(None)


def ask_again(turn: Turn) -> None:
    """After a crash nobody will reply to what was asked before; durations are watched anew."""
    lost = {key for key, _ in _all(turn, "EXECUTION_ASSERTION") if key in turn.execution.asked}
    if lost:
        turn.execution = replace(turn.execution, asked=turn.execution.asked - lost)
        _check(turn, afresh=False)
    if not turn.execution.state.terminated and turn.execution.state is not State.CREATED:
        watch(turn)


def _check(turn: Turn, *, afresh: bool) -> None:
    """Look at every assertion that does not wait for a reply; without `afresh` only at those not looked at yet."""
    if afresh:
        turn.execution = replace(turn.execution, checked=frozenset())
    for key, sla in _all(turn, "EXECUTION_ASSERTION"):
        done = key in turn.execution.asked or key in turn.execution.checked
        if not done and not _check_one(turn, key, sla):
            return


def _check_one(turn: Turn, key: str, sla: Sla) -> bool:
    """Does the assertion hold, as far as it can be told now? One that cannot be rendered is passed over."""
    try:
        true = truthy(turn.render(key, sla.assertion, None))
    except NeedsWorld:
        return True
    except ExpressionError as error:
        turn.say(Write("WARN", f"Ignoring SLA '{sla.id}' because of the error: {error}"))
        true = True
    # After a violation the others are passed over until the execution changes again.
    checked = [key] if true else [each for each, _ in _all(turn, "EXECUTION_ASSERTION")]
    turn.execution = replace(turn.execution, checked=turn.execution.checked.union(checked))
    if not true:
        _act(turn, sla, f"assertion is false: {sla.assertion}.")
    return true


def _act(turn: Turn, sla: Sla, reason: str) -> None:
    if any(label not in turn.execution.labels for label in sla.labels):
        values = {label.key: label.value for label in (*turn.execution.labels, *sla.labels)}
        turn.execution = replace(turn.execution, labels=tuple(Label(key, value) for key, value in values.items()))
    match sla.behavior:
        case "FAIL":
            turn.say(Write("ERROR", f"Execution failed due to SLA '{sla.id}' violated: {reason}", kept=True))
            _stop(turn, State.FAILED)
        case "CANCEL":
            turn.say(Write("ERROR", f"Execution cancelled due to SLA '{sla.id}' violated: {reason}", kept=True))
            _stop(turn, State.CANCELLED)
        case "NONE":
            pass


def _stop(turn: Turn, state: State) -> None:
    """Stop it without its subflows; the task run that was last at work shares its end."""
    last = next((run for run in reversed(tuple(turn.runs.values())) if not run.state.terminated), None)
    stop(turn, Verdict(state, None if last is None else last.id), cascade=False)


def _begun(execution: Execution) -> datetime:
    """When the time began to run: waiting in the queue counts, waiting for the date it was meant for does not."""
    begun = execution.history.start
    return begun if execution.schedule_date is None else max(begun, execution.schedule_date)


def _all(turn: Turn, kind: str) -> Iterator[tuple[str, Sla]]:
    return ((f"{SLA_KEY}:{number}", sla) for number, sla in enumerate(turn.flow.sla) if sla.kind == kind)


def _is_open(turn: Turn) -> bool:
    state = turn.execution.state
    return bool(turn.flow.sla) and not state.terminated and state not in _SETTLED


def _changed(turn: Turn) -> bool:
    """Did more change than the questions that the execution has?"""
    before, now = turn.before, turn.execution
    seen = (before.history, before.labels, before.outputs) != (now.history, now.labels, now.outputs)
    return seen or bool(turn.changed)
