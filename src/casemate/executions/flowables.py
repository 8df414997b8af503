"""What each flowable type does with its children (spec/engine 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from casemate.executions.folder_events import judge_folder
from casemate.executions.folders import WORKING_DIRECTORY
from casemate.executions.lanes import Lanes, enabled, final_state, sequence
from casemate.executions.loops import begin_loop, judge_loop, loop_lanes, loop_on
from casemate.executions.model import State, TaskRun
from casemate.executions.pausing import begin_pause, end_pause
from casemate.executions.turn import Turn
from casemate.executions.values import values_of
from casemate.expressions import ExpressionError, as_json, printed, truthy
from casemate.flows import MADE, TEMPLATE, Task

CORE_FLOW = "io.kestra.plugin.core.flow."

_ABSENT = "It was not there when the execution was created, or `kestra.templates.enabled` is not true"

Begin: TypeAlias = Callable[[Turn, TaskRun, Task], TaskRun]
"""Renders what the type needs, once, and returns the task run with its outputs or values; may raise ExpressionError."""


def judge(turn: Turn, run: TaskRun, _task: Task, main: Lanes) -> State | None:
    """The state that the children come to."""
    return final_state(main, turn.runs, run.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A flowable type.

    `begin` is what it renders first. `lanes` says how its children stand; None means that there is nothing it could do.
    `judge` is asked when all of them have ended: the final state, or None if it is not over; it may raise
    ExpressionError. `wake` is called when a paused one is due.
    """

    begin: Begin
    lanes: Callable[[Task, TaskRun], Lanes | None]
    judge: Callable[[Turn, TaskRun, Task, Lanes], State | None] = judge
    wake: Callable[[Turn, TaskRun, Task], None] | None = None
    forgiving: bool = False
    """A failure becomes a warning."""
    pauses: bool = False
    """It pauses as soon as it has begun."""


def shape_of(task: Task) -> Shape | None:
    """How a flowable behaves, or None if the engine cannot carry out its type."""
    return _SHAPES.get(task.canonical)


def _nothing(_turn: Turn, run: TaskRun, _task: Task) -> TaskRun:
    return run


def _in_sequence(task: Task, _run: TaskRun) -> Lanes:
    return sequence(task.branches.get("tasks", ()))


def _begin_template(turn: Turn, run: TaskRun, task: Task) -> TaskRun:
    if "tasks" not in task.branches:
        name = f"{task.properties['namespace']}.{task.properties['templateId']}"
        raise ExpressionError(f"{_ABSENT}: Can't find flow template '{name}'")
    args = turn.render(f"begin:{run.id}", task.properties.get("args") or {}, run)
    return replace(run, outputs={"args": as_json(args)})


def _made(task: Task, _run: TaskRun) -> Lanes:
    return sequence(task.branches[MADE])


def _in_parallel(task: Task, _run: TaskRun) -> Lanes:
    tasks = enabled(task.branches.get("tasks", ()))
    return Lanes(tasks=tasks, whole=False, limit=_limit(task, "concurrent", 0), waits_for=task.depends_on)


def _begin_if(turn: Turn, run: TaskRun, task: Task) -> TaskRun:
    condition = turn.render(f"begin:{run.id}", task.properties.get("condition"), run)
    return replace(run, outputs={"evaluationResult": truthy(condition)})


def _branch_of_if(task: Task, run: TaskRun) -> Lanes:
    chosen = "then" if (run.outputs or {}).get("evaluationResult") else "else"
    return sequence(task.branches.get(chosen, ()))


def _begin_switch(turn: Turn, run: TaskRun, task: Task) -> TaskRun:
    value = printed(turn.render(f"begin:{run.id}", task.properties.get("value"), run))
    return replace(run, outputs={"value": value, "defaults": f"case:{value}" not in task.branches})


def _branch_of_switch(task: Task, run: TaskRun) -> Lanes | None:
    value = (run.outputs or {}).get("value")
    chosen = task.branches.get(f"case:{value}", task.branches.get("defaults"))
    return None if chosen is None else sequence(chosen)


def _begin_each(name: str) -> Begin:
    def begin(turn: Turn, run: TaskRun, task: Task) -> TaskRun:
        written = task.properties.get(name)
        return replace(run, values=values_of(turn.render(f"begin:{run.id}", written, run), written))

    return begin


def _for_each(task: Task, run: TaskRun) -> Lanes:
    limit = _limit(task, "concurrencyLimit", 1)
    return Lanes(tasks=_inner(task), values=run.values or (), limit=limit, backwards=limit != 1)


def _each_sequential(task: Task, run: TaskRun) -> Lanes:
    return Lanes(tasks=_inner(task), values=run.values or ())


def _each_parallel(task: Task, run: TaskRun) -> Lanes:
    limit = _limit(task, "concurrent", 0)
    return Lanes(tasks=_inner(task), values=run.values or (), whole=False, limit=limit)


def _inner(task: Task) -> tuple[Task, ...]:
    return enabled(task.branches.get("tasks", ()))


def _limit(task: Task, name: str, default: int) -> int:
    value = task.properties.get(name)
    return default if value is None else int(str(value))


_LOOP = Shape(begin=begin_loop, lanes=loop_lanes, judge=judge_loop, wake=loop_on)

_SHAPES: Mapping[str, Shape] = {
    f"{CORE_FLOW}Sequential": Shape(begin=_nothing, lanes=_in_sequence),
    f"{CORE_FLOW}AllowFailure": Shape(begin=_nothing, lanes=_in_sequence, forgiving=True),
    f"{CORE_FLOW}Parallel": Shape(begin=_nothing, lanes=_in_parallel),
    f"{CORE_FLOW}Dag": Shape(begin=_nothing, lanes=_in_parallel),
    f"{CORE_FLOW}If": Shape(begin=_begin_if, lanes=_branch_of_if),
    f"{CORE_FLOW}Switch": Shape(begin=_begin_switch, lanes=_branch_of_switch),
    f"{CORE_FLOW}ForEach": Shape(begin=_begin_each("values"), lanes=_for_each),
    f"{CORE_FLOW}EachSequential": Shape(begin=_begin_each("value"), lanes=_each_sequential),
    f"{CORE_FLOW}EachParallel": Shape(begin=_begin_each("value"), lanes=_each_parallel),
    f"{CORE_FLOW}ForEachItem": Shape(begin=_nothing, lanes=_made),
    f"{CORE_FLOW}Pause": Shape(begin=begin_pause, lanes=_in_sequence, wake=end_pause, pauses=True),
    f"{CORE_FLOW}WaitFor": _LOOP,
    f"{CORE_FLOW}LoopUntil": _LOOP,
    TEMPLATE: Shape(begin=_begin_template, lanes=_in_sequence),
    WORKING_DIRECTORY: Shape(begin=_nothing, lanes=_in_sequence, judge=judge_folder),
}
