"""What happens to the folder of a WorkingDirectory: its worker gives it up, or is lost with it; and what it came to."""

from __future__ import annotations

from dataclasses import replace

from casemate.executions.commands import ForgetJob, KillJob
from casemate.executions.events import FolderLost
from casemate.executions.folders import is_open, keeps_folder
from casemate.executions.lanes import Lanes, final_state
from casemate.executions.model import State, TaskRun
from casemate.executions.turn import Turn
from casemate.flows import Task

_LOST = "The worker that held the working directory was lost: its tasks begin anew, in an empty directory."


def closed(turn: Turn, run: TaskRun) -> None:
    """The worker has given the folder up and reported: what has not ended in it never will."""
    for child in turn.runs.children(run.id):
        if not child.state.terminated:
            turn.say(KillJob(child.id))
            turn.move(replace(child, due=None), State.KILLED)
    _go_on_running(turn)
    turn.look(run.id)


def begin_anew(turn: Turn, event: FolderLost) -> None:
    """The folder is gone with its worker: nothing that was done in it counts, and no child may find half of it."""
    run = turn.runs.get(event.task_run)
    if run is None or not keeps_folder(turn.task(run)) or not is_open(run):
        return
    if turn.killing:
        turn.say(KillJob(run.id))
        return
    for child in turn.runs.children(run.id):
        if not child.state.terminated:
            turn.say(ForgetJob(child.id))
        turn.remove(child)
    _ask_no_more(turn)
    _go_on_running(turn)
    turn.write("WARN", _LOST, run)
    turn.look(run.id)


def _ask_no_more(turn: Turn) -> None:
    """Forget questions and answers of task runs that are gone."""

    def stays(key: str) -> bool:
        run = key.partition(":")[2]
        return not run or run in turn.runs

    asked = frozenset(filter(stays, turn.execution.asked))
    answers = {key: answer for key, answer in turn.execution.answers.items() if stays(key)}
    turn.execution = replace(turn.execution, asked=asked, answers=answers)


def _go_on_running(turn: Turn) -> None:
    """Nobody waits for an attempt that will not come."""
    if turn.execution.state is State.RETRYING and not turn.runs.holds(State.RETRYING):
        turn.move_execution(State.RUNNING)


def judge_folder(turn: Turn, run: TaskRun, _task: Task, main: Lanes) -> State | None:
    """The state that the children come to, or FAILED if the worker gave up before they had ended."""
    own = run.attempts[-1].history.current if run.attempts else State.SUCCESS
    children = final_state(main, turn.runs, run.id)
    return State.FAILED if own is State.FAILED or State.KILLED in (own, children) else children
