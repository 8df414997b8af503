"""The decision: what becomes of an execution when something happens (spec/engine 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from casemate.executions.admission import SLOT_KEY, counted, enter, let_in, unqueue
from casemate.executions.after import LISTENER_KEY
from casemate.executions.commands import Command, Decision, KillSubflows, WakeAt
from casemate.executions.context import BARE, Context
from casemate.executions.deadlines import TIMEOUT_KEY, overdue, taken
from casemate.executions.endings import OUTPUTS_KEY
from casemate.executions.events import (
    Begin,
    Event,
    FolderLost,
    KillRequested,
    OutputsMerged,
    PauseRequested,
    QuotaExceeded,
    Resolved,
    ResumeRequested,
    RunForced,
    SlotsCounted,
    SubflowEnded,
    SubflowRefused,
    SubflowStarted,
    SwitchedOff,
    TaskFinished,
    TaskStarted,
    TimerDue,
    UnqueueRequested,
)
from casemate.executions.flowables import shape_of
from casemate.executions.folder_events import begin_anew
from casemate.executions.killing import kill
from casemate.executions.model import Execution, State, TaskRun
from casemate.executions.pausing import GO_ON_KEY, PAUSE_KEY, first_paused, pause_key, resume, set_timer
from casemate.executions.quotas import turn_away
from casemate.executions.reports import RETRY_KEY, finished, retry_key, started
from casemate.executions.scopes import settle
from casemate.executions.sla import SLA_KEY, ask_again, evaluate, expire, replied, watch
from casemate.executions.subflows import outputs_merged, subflow_ended, subflow_refused, subflow_started
from casemate.executions.survey import retry_or_wait, survey
from casemate.executions.switches import switch_off
from casemate.executions.taking import go_on, take_up
from casemate.executions.turn import Turn
from casemate.flows import Flow
from casemate.identifiers import TaskRunId

_START_KEY = "start"


def middle() -> float:
    """The chance taken when nobody rolls dice: random delays fall in the middle of their bounds."""
    return 0.5


def decide(
    flow: Flow,
    execution: Execution,
    event: Event,
    *,
    now: datetime,
    new_id: Callable[[], TaskRunId],
    context: Context = BARE,
    chance: Callable[[], float] = middle,
) -> Decision:
    """The next execution, and what the world has to do about it.

    Never raises for a user's mistake: that ends a task run. An event that is late, doubled or impossible gives back the
    same execution and no commands, but for a kill: it still goes down to what an ended one has started. `chance`
    returns a number from 0 to 1 for random delays.
    """
    if execution.over or execution.deleted:
        return Decision(execution=execution, commands=_after_the_end(event))
    turn = Turn(flow=flow, before=execution, now=now, new_id=new_id, chance=chance, context=context)
    _take(turn, event)
    evaluate(turn)
    settle(turn)
    return turn.decision()


def _after_the_end(event: Event) -> tuple[Command, ...]:
    return (KillSubflows(),) if isinstance(event, KillRequested) and event.cascade else ()


def _take(turn: Turn, event: Event) -> None:
    match event:
        case Begin():
            _begin(turn)
        case TaskStarted():
            _started(turn, event)
        case TaskFinished():
            finished(turn, event)
        case SubflowStarted():
            subflow_started(turn, event)
        case SubflowRefused():
            subflow_refused(turn, event)
        case SubflowEnded():
            subflow_ended(turn, event)
        case OutputsMerged():
            outputs_merged(turn, event)
        case FolderLost():
            begin_anew(turn, event)
        case TimerDue():
            _timer(turn, event.key)
        case Resolved():
            _resolved(turn, event)
        case KillRequested():
            kill(turn, cascade=event.cascade)
        case PauseRequested():
            _pause(turn)
        case ResumeRequested():
            _resume(turn, event)
        case SlotsCounted():
            counted(turn, event)
        case UnqueueRequested():
            unqueue(turn, event.state)
        case RunForced():
            _force(turn)
        case SwitchedOff():
            switch_off(turn, event)
        case QuotaExceeded():
            turn_away(turn, event)
        case _:
            assert_never(event)


def _begin(turn: Turn) -> None:
    """Start, or (after a crash) ask again for everything that is still wanted."""
    ask_again(turn)
    match turn.execution.state:
        case State.CREATED:
            _start(turn)
        case State.QUEUED | State.RESTARTED:
            enter(turn)
        case State.PAUSED:
            _set_pause_timers(turn)
        case _:
            survey(turn)
    if turn.execution.state.terminated:
        _set_pause_timers(turn)


def _start(turn: Turn) -> None:
    date = turn.execution.schedule_date
    if date is not None and date > turn.now:
        turn.say(WakeAt(_START_KEY, date))
    else:
        watch(turn)
        enter(turn)


def _force(turn: Turn) -> None:
    """Begin, go on, or look at everything again, at once (spec/engine 7)."""
    match turn.execution.state:
        case State.CREATED:
            watch(turn)
            let_in(turn)
        case State.QUEUED | State.RESTARTED:
            let_in(turn)
        case State.PAUSED:
            _resume(turn, ResumeRequested())
        case state if not state.terminated:
            survey(turn)


def _timer(turn: Turn, key: str) -> None:
    purpose, _, rest = key.partition(":")
    run = turn.runs.get(TaskRunId(rest.rpartition(":")[0]))
    if key == _START_KEY and turn.execution.state is State.CREATED:
        _start(turn)
    elif (key, turn.execution.state) in ((GO_ON_KEY, State.RESTARTED), (SLOT_KEY, State.QUEUED)):
        enter(turn)
    elif purpose == SLA_KEY:
        expire(turn, key)
    elif purpose == TIMEOUT_KEY and run is not None and not turn.execution.state.frozen:
        overdue(turn, run, key)
    elif purpose == PAUSE_KEY and run is not None and run.state is State.PAUSED and pause_key(run) == key:
        _wake(turn, run)
    elif purpose == RETRY_KEY and run is not None and run.state is State.RETRYING and retry_key(run) == key:
        _retry(turn, run)


def _started(turn: Turn, event: TaskStarted) -> None:
    run = turn.runs.get(event.task_run)
    started(turn, event)
    if run is not None and turn.runs[run.id] is not run:
        taken(turn, run)


def _retry(turn: Turn, run: TaskRun) -> None:
    """A retry that is due during a pause is looked at again when the pause is over."""
    if not turn.execution.state.frozen:
        retry_or_wait(turn, run)


def _wake(turn: Turn, run: TaskRun) -> None:
    """A paused task run goes on by itself, and the execution with the last one."""
    if run.due is None or run.due > turn.now:
        set_timer(turn, run)
        return
    task = turn.task(run)
    shape = shape_of(task)
    assert shape is not None
    assert shape.wake is not None, f"a {task.canonical} never pauses"
    shape.wake(turn, run, task)
    if turn.execution.state.terminated:
        survey(turn)
    elif not turn.killing and not turn.runs.holds(State.PAUSED):
        turn.move_execution(State.RUNNING)
        survey(turn)


def _set_pause_timers(turn: Turn) -> None:
    for run in turn.runs.values():
        if run.state is State.PAUSED:
            set_timer(turn, run)


def _pause(turn: Turn) -> None:
    if turn.execution.state is State.RUNNING:
        turn.move_execution(State.PAUSED)


def _resume(turn: Turn, event: ResumeRequested) -> None:
    run = first_paused(turn) if event.task_run is None else turn.runs.get(event.task_run)
    if turn.execution.state is not State.PAUSED:
        return
    if run is not None and run.state is State.PAUSED:
        resume(turn, run, event.inputs)
    elif run is None and event.task_run is None:
        turn.move_execution(State.RUNNING)
        survey(turn)


def _resolved(turn: Turn, event: Resolved) -> None:
    execution = turn.execution
    if event.key not in execution.asked:
        return
    if execution.state.frozen:
        # It may be long until it goes on, and a secret must not wait in memory or rows: then it is asked again.
        if event.key.startswith(f"{SLA_KEY}:"):
            turn.execution = replace(execution, asked=execution.asked - {event.key})
        return
    answers = {**execution.answers, event.key: event.answer}
    turn.execution = replace(execution, asked=execution.asked - {event.key}, answers=answers)
    _use(turn, event.key)


def _use(turn: Turn, key: str) -> None:
    """Take the step again that asked; this time it finds its answer."""
    run = turn.runs.get(TaskRunId(key.partition(":")[2]))
    if key.startswith(f"{SLA_KEY}:"):
        replied(turn, key)
    elif key == OUTPUTS_KEY or key.startswith(f"{LISTENER_KEY}:"):
        turn.look(None)
    elif run is not None and run.state.created:
        take_up(turn, run)
    elif run is not None and run.state is State.RUNNING:
        go_on(turn, run)
