"""In which order the children of a flowable start (spec/engine 4, 5.4).

Children stand in *lanes*: within a lane one follows the other, lanes run side by side up to a limit. A Sequential is
one lane, a Parallel has a lane for each task, a ForEach a lane for each value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from casemate.executions.model import State, TaskRun
from casemate.executions.runs import TaskRuns
from casemate.flows import Task
from casemate.identifiers import TaskId, TaskRunId


@dataclass(frozen=True, slots=True)
class Step:
    """One task for one value: at most one task run in its scope."""

    task: Task
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """All steps of a scope. Lanes are numbered by value, then (unless `whole`) by task, and begin in this order.

    `whole`: a lane is all tasks for one value; otherwise every step is a lane of its own. `limit` 0 means none.
    `backwards`: lanes that begin together are created last one first, as Kestra's ForEach does. `iteration` marks the
    task runs of a loop.
    """

    tasks: tuple[Task, ...]
    values: tuple[str | None, ...] = (None,)
    whole: bool = True
    limit: int = 1
    backwards: bool = False
    iteration: int | None = None
    waits_for: Mapping[TaskId, tuple[TaskId, ...]] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[TaskId, ...]:
        """The tasks by id."""
        return tuple(task.id for task in self.tasks)

    def __len__(self) -> int:
        if not self.tasks:
            return 0
        return len(self.values) if self.whole else len(self.values) * len(self.tasks)

    def first(self, number: int) -> Step:
        """The step a lane begins with."""
        if self.whole:
            return Step(self.tasks[0], self.values[number])
        value, task = divmod(number, len(self.tasks))
        return Step(self.tasks[task], self.values[value])


def sequence(tasks: tuple[Task, ...]) -> Lanes:
    """One after the other, leaving out the disabled ones."""
    return Lanes(tasks=enabled(tasks))


def enabled(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Without those that are to be treated as absent."""
    return tuple(task for task in tasks if not task.disabled)


def due_steps(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None, ended: TaskRun | None) -> list[Step]:
    """What may start now. `ended` is the child that just ended; without it every lane is looked at."""
    following = _following(lanes, runs, parent, ended)
    if lanes.limit:
        # After a replay more lanes may be half done than may go on at once.
        following = following[: max(lanes.limit - runs.open(parent), 0)]
    return following + _beginning(lanes, runs, parent, len(following))


def _following(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None, ended: TaskRun | None) -> list[Step]:
    """The next steps of lanes that have begun."""
    if not lanes.whole or len(lanes.tasks) == 1:
        return []
    if ended is not None:
        found = [_next_after(ended, lanes, runs, parent)]
    else:
        found = [_next_in_lane(lanes.tasks, value, runs, parent) for value in lanes.values]
    return [step for step in found if step is not None]


def _next_after(ended: TaskRun, lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None) -> Step | None:
    """Whatever stands before the child that ended has begun before it: a lane of thousands is not gone through."""
    ids = lanes.ids
    if ended.task_id not in ids:
        return None
    return _next_in_lane(islice(lanes.tasks, ids.index(ended.task_id), None), ended.value, runs, parent)


def _next_in_lane(tasks: Iterable[Task], value: str | None, runs: TaskRuns, parent: TaskRunId | None) -> Step | None:
    before: TaskRun | None = None
    for task in tasks:
        run = runs.child(parent, task.id, value)
        if run is None:
            return Step(task, value) if before is not None and before.state.terminated else None
        before = run
    return None


def _beginning(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None, following: int) -> list[Step]:
    """The first steps of lanes that may begin, as far as there is room."""
    free = lanes.limit - runs.open(parent) - following if lanes.limit else len(lanes)
    if free <= 0:
        return []
    steps = list(islice(_waiting(lanes, runs, parent), free))
    return steps[::-1] if lanes.backwards else steps


def _waiting(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None) -> Iterator[Step]:
    """First steps of the lanes that have not begun and need not wait for others."""
    for number in range(_passed(lanes, runs, parent), len(lanes)):
        step = lanes.first(number)
        if runs.child(parent, step.task.id, step.value) is None and _ready(lanes, runs, parent, step):
            yield step


def _passed(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None) -> int:
    """How many lanes to pass over because all of them have begun: counted, not looked for, unless there are gaps."""
    firsts = lanes.tasks[:1] if lanes.whole else lanes.tasks
    begun = sum(runs.begun(parent, task.id) for task in firsts)
    if lanes.waits_for or begun >= len(lanes):
        return 0 if lanes.waits_for else begun
    step = lanes.first(begun)
    return 0 if runs.child(parent, step.task.id, step.value) else begun


def _ready(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None, step: Step) -> bool:
    """Have all that a Dag's task depends on ended? A disabled one counts as if it had."""
    present = lanes.ids if lanes.waits_for else ()
    for task in lanes.waits_for.get(step.task.id, ()):
        run = runs.child(parent, task, step.value)
        if task in present and (run is None or not run.state.terminated):
            return False
    return True


def final_state(lanes: Lanes, runs: TaskRuns, parent: TaskRunId | None) -> State:
    """What a scope comes to, by its worst child; SKIPPED, RETRIED and CANCELLED count as success (spec/engine 5.5)."""
    for state in (State.KILLED, State.FAILED, State.WARNING):
        if runs.any(parent, lanes.ids, state):
            return state
    return State.SUCCESS
