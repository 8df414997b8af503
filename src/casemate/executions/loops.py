"""WaitFor: its tasks again and again until a condition holds (spec/engine 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from casemate.executions.dates import after
from casemate.executions.lanes import Lanes, final_state, sequence
from casemate.executions.model import State, TaskRun
from casemate.executions.pausing import duration, pause
from casemate.executions.turn import Turn
from casemate.expressions import printed, truthy
from casemate.flows import Task

_COUNT = "iterationCount"


@dataclass(frozen=True, slots=True)
class _Frequency:
    """How often a loop looks, and how long."""

    iterations: int
    lasting: timedelta
    interval: timedelta


def begin_loop(_turn: Turn, run: TaskRun, _task: Task) -> TaskRun:
    """The first iteration is number 1."""
    return replace(run, outputs={_COUNT: 1})


def loop_lanes(task: Task, run: TaskRun) -> Lanes:
    """The tasks of the current iteration, in sequence."""
    return replace(sequence(task.branches.get("tasks", ())), iteration=_count(run))


def judge_loop(turn: Turn, run: TaskRun, task: Task, main: Lanes) -> State | None:
    """The state in which a loop ends after this iteration, or None: it pauses before the next one.

    Only an iteration whose tasks are all SUCCESS (a warning does not do) has the condition asked; any other ends it.
    """
    children = [turn.runs.child(run.id, task, None) for task in main.ids]
    passed = [child for child in children if child is not None and child.state is State.SUCCESS]
    if not passed or len(passed) < len(children):
        return final_state(main, turn.runs, run.id)
    run = turn.put(replace(run, outputs={_COUNT: (passed[0].iteration or 0) + 1}))
    if truthy(turn.render(f"again:{run.id}", task.properties.get("condition"), run)):
        return State.SUCCESS
    frequency = _frequency(task)
    exceeded = _exceeded(turn, run, frequency)
    if exceeded is not None:
        turn.write("WARN", exceeded, run)
        return State.FAILED if task.properties.get("failOnMaxReached") is True else State.SUCCESS
    pause(turn, replace(run, due=after(turn.now, frequency.interval)))
    return None


def loop_on(turn: Turn, run: TaskRun, _task: Task) -> None:
    """Begin the next iteration; the task runs of the last one are forgotten."""
    for child in turn.runs.children(run.id):
        turn.remove(child)
    turn.move(replace(run, due=None), State.RUNNING)


def _count(run: TaskRun) -> int:
    count = (run.outputs or {}).get(_COUNT)
    return count if isinstance(count, int) else 1


def _exceeded(turn: Turn, run: TaskRun, frequency: _Frequency) -> str | None:
    if _count(run) > frequency.iterations:
        return "Max iterations reached"
    if turn.now > after(run.history.start, frequency.lasting):
        return "Max duration reached"
    return None


def _frequency(task: Task) -> _Frequency:
    written = task.properties.get("checkFrequency")
    given = written if isinstance(written, Mapping) else {}
    return _Frequency(
        iterations=int(printed(given.get("maxIterations", 100))),
        lasting=duration(printed(given.get("maxDuration", "PT1H"))),
        interval=duration(printed(given.get("interval", "PT1S"))),
    )
