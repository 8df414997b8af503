"""What a worker says about a task run: it began, it ended (spec/engine 3.2, 3.3). Late and doubled reports are lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from casemate.executions.commands import WakeAt
from casemate.executions.events import TaskFinished, TaskStarted
from casemate.executions.folder_events import closed
from casemate.executions.folders import at_work, for_worker, keeps_folder
from casemate.executions.forgiving import forgiven
from casemate.executions.model import Attempt, History, State, TaskRun
from casemate.executions.retries import next_attempt
from casemate.executions.turn import Turn
from casemate.flows import Retry, Task
from casemate.identifiers import TaskRunId

RETRY_KEY = "retry"
"""Timer keys of failed task runs that are tried again begin with it."""


def started(turn: Turn, event: TaskStarted) -> None:
    """The attempt begins."""
    run = _offered(turn, event.task_run, event.attempt)
    if run is None:
        return
    run = begin_attempt(turn, run)
    if keeps_folder(turn.task(run)):
        turn.look(run.id)


def finished(turn: Turn, event: TaskFinished) -> None:
    """The attempt ends. An end whose beginning was never heard of counts as both."""
    run = _offered(turn, event.task_run, event.attempt)
    if run is not None:
        run = begin_attempt(turn, run)
    else:
        run = _running(turn, event.task_run, event.attempt)
    if run is None:
        return
    last = replace(run.attempts[-1], log_file=event.log_file, isolation=event.isolation)
    run = replace(run, attempts=(*run.attempts[:-1], last), outputs=event.outputs, due=None)
    if keeps_folder(turn.task(run)):
        closed(turn, turn.put(_ended(turn, run, event.state)))
    else:
        end_attempt(turn, run, event.state)


def begin_attempt(turn: Turn, run: TaskRun) -> TaskRun:
    """One more attempt, which makes the task run RUNNING."""
    attempt = Attempt(History.begun(turn.now).to(State.RUNNING, turn.now))
    return turn.move(replace(run, attempts=(*run.attempts, attempt)), State.RUNNING)


def end_attempt(turn: Turn, run: TaskRun, state: State, *, retried: bool = True) -> None:
    """End the attempt of a RUNNING task run in this state, and with it the task run unless it is tried again."""
    run = turn.put(_ended(turn, run, state))
    retry = _policy(turn, run) if retried and state is State.FAILED and not turn.killing else None
    date = None if retry is None else _retry_date(turn, run, retry)
    if turn.killing and state is State.KILLED:
        turn.move(run, turn.stopped(run))
    elif retry is None or date is None:
        turn.move(run, _judged(turn.task(run), run, state))
    elif retry.behavior == "CREATE_NEW_EXECUTION":
        _hand_over(turn, run, date)
    else:
        _try_again(turn, run, date)


def retry_key(run: TaskRun) -> str:
    """The timer key of a RETRYING task run; a later attempt has another one."""
    return f"{RETRY_KEY}:{run.id}:{len(run.attempts)}"


def _offered(turn: Turn, task_run: TaskRunId, attempt: int) -> TaskRun | None:
    """The task run if a worker was offered exactly this attempt and nobody has begun it."""
    run = turn.runs.get(task_run)
    if run is None or not run.state.created or attempt != len(run.attempts) + 1:
        return None
    return run if for_worker(turn.task(run)) and not turn.waits_for(run) else None


def _running(turn: Turn, task_run: TaskRunId, attempt: int) -> TaskRun | None:
    """The task run if exactly this attempt of it is running on a worker."""
    run = turn.runs.get(task_run)
    if run is None or attempt != len(run.attempts):
        return None
    return run if at_work(turn.task(run), run) else None


def _ended(turn: Turn, run: TaskRun, state: State) -> TaskRun:
    last = run.attempts[-1]
    return replace(run, attempts=(*run.attempts[:-1], replace(last, history=last.history.to(state, turn.now))))


def _judged(task: Task, run: TaskRun, state: State) -> State:
    """The state of the task run when no attempt follows."""
    if state is State.SUCCESS and task.retry is not None and task.retry.warning_on_retry and len(run.attempts) > 1:
        state = State.WARNING
    return forgiven(task, state)


def _policy(turn: Turn, run: TaskRun) -> Retry | None:
    """The task's own, else that of the nearest flowable around it, else the flow's."""
    around = (turn.task(one).retry for one in (run, *turn.runs.ancestors(run)))
    found = next((retry for retry in around if retry is not None), turn.flow.retry)
    # What follows the end of an execution cannot have that execution run again.
    afresh = found is not None and found.behavior == "CREATE_NEW_EXECUTION"
    return None if afresh and turn.execution.state.terminated else found


def _retry_date(turn: Turn, run: TaskRun, retry: Retry) -> datetime | None:
    if retry.behavior == "CREATE_NEW_EXECUTION":
        begun = turn.execution.original_created or turn.execution.history.start
        return next_attempt(retry, turn.execution.attempt_number, begun, turn.now, turn.chance())
    return next_attempt(retry, len(run.attempts), run.attempts[0].history.start, turn.now, turn.chance())


def _hand_over(turn: Turn, run: TaskRun, date: datetime) -> None:
    """Let a new execution take over; ancestors and execution follow once nothing runs below them any more."""
    earliest = min(date, turn.execution.replay_at or date)
    turn.execution = replace(turn.execution, replay_at=earliest)
    failed = replace(run, history=run.history.to(State.FAILED, turn.now))
    turn.move(failed, State.RETRIED)


def _try_again(turn: Turn, run: TaskRun, date: datetime) -> None:
    failed = replace(run, history=run.history.to(State.FAILED, turn.now))
    run = turn.move(replace(failed, due=date), State.RETRYING)
    if turn.execution.state is State.RUNNING:
        turn.move_execution(State.RETRYING)
    turn.say(WakeAt(retry_key(run), date))
