"""One decision in the making: a draft of the execution, the commands so far, and the scopes still to be looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from casemate.executions.chart import task_of
from casemate.executions.commands import Command, Decision, Resolve, Write
from casemate.executions.context import Context, noting
from casemate.executions.lanes import Step
from casemate.executions.model import Answer, Execution, History, State, TaskRun
from casemate.executions.runs import Draft, TaskRuns
from casemate.executions.transitions import EXECUTION, TASK_RUN, follows
from casemate.executions.variables import variables
from casemate.expressions import ExpressionError, NeedsWorld, Unanswerable, render
from casemate.flows import Flow, Task
from casemate.identifiers import TaskRunId
from casemate.jobs import Level
from casemate.masking import Mask


@dataclass(frozen=True, slots=True)
class Look:
    """A scope to be looked at, because a child of it ended or (without one) for whatever may have changed."""

    parent: TaskRunId | None
    ended: TaskRunId | None = None


@dataclass(slots=True, kw_only=True)
class Turn:
    """What one call of `decide` works on. The only thing in this room that changes; it does not outlive the call."""

    flow: Flow
    before: Execution
    now: datetime
    new_id: Callable[[], TaskRunId]
    chance: Callable[[], float]
    context: Context
    execution: Execution = field(init=False)
    runs: Draft = field(init=False)
    commands: list[Command] = field(default_factory=list)
    changed: dict[TaskRunId, None] = field(default_factory=dict)
    looks: deque[Look] = field(default_factory=deque)
    opened: Mask = field(init=False)
    """What its templates have opened: log entries must not show it."""

    def __post_init__(self) -> None:
        self.execution = self.before
        self.opened = Mask(style=self.context.masking)
        self.context = noting(self.context, self.opened.add)
        self.runs = TaskRuns.of(self.before.task_runs).draft()

    @property
    def killing(self) -> bool:
        """Nothing is started any more."""
        state = self.execution.state
        return state is State.KILLING or (state.terminated and self.execution.verdict is not None)

    @property
    def gentle(self) -> bool:
        """It is being stopped, and what is at work may end by itself."""
        verdict = self.execution.verdict
        return self.killing and verdict is not None and verdict.gentle

    def stopped(self, run: TaskRun) -> State:
        """The state in which a task run ends that is being stopped."""
        verdict = self.execution.verdict
        return verdict.state if verdict is not None and verdict.task_run == run.id else State.KILLED

    def task(self, run: TaskRun) -> Task:
        """The task that a task run carries out."""
        return task_of(self.flow, run.task_id)

    def waits_for(self, run: TaskRun) -> bool:
        """Does a step of this task run wait for a reply, or for the execution to go on with the reply?"""
        asked, answers = self.execution.asked, self.execution.answers
        keys = (f"{step}:{run.id}" for step in ("runIf", "begin", "apply"))
        return bool(asked or answers) and any(key in asked or key in answers for key in keys)

    def create(self, parent: TaskRunId | None, step: Step, iteration: int | None) -> TaskRun:
        """A new task run."""
        run = TaskRun(
            id=self.new_id(),
            task_id=step.task.id,
            history=History.begun(self.now),
            parent=parent,
            value=step.value,
            iteration=iteration,
        )
        return self.put(run)

    def put(self, run: TaskRun) -> TaskRun:
        """Keep a new or changed task run."""
        self.runs.put(run)
        self.changed[run.id] = None
        return run

    def remove(self, run: TaskRun) -> None:
        """Forget a task run with all below it, as if it had never been."""
        for child in self.runs.children(run.id):
            self.remove(child)
        self.runs.remove(run)
        self.changed[run.id] = None

    def move(self, run: TaskRun, state: State) -> TaskRun:
        """The task run in its next state; once it is terminated its scope is looked at."""
        assert follows(TASK_RUN, run.state, state), f"a task run never goes from {run.state} to {state}"
        run = self.put(replace(run, history=run.history.to(state, self.now)))
        if state.terminated:
            self.look(run.parent, run.id)
        return run

    def move_execution(self, state: State) -> None:
        """The execution in its next state."""
        before = self.execution.state
        assert follows(EXECUTION, before, state), f"an execution never goes from {before} to {state}"
        self.execution = replace(self.execution, history=self.execution.history.to(state, self.now))

    def look(self, parent: TaskRunId | None, ended: TaskRunId | None = None) -> None:
        """Look at a scope before the turn is over."""
        self.looks.append(Look(parent, ended))

    def say(self, command: Command) -> None:
        """Ask something of the world; what templates have opened is covered in log entries."""
        if isinstance(command, Write):
            command = replace(command, message=self.opened.cover(command.message))
        self.commands.append(command)

    def write(self, level: Level, message: str, run: TaskRun) -> None:
        """Append a log entry of a task run."""
        self.say(Write(level, message, run.id, len(run.attempts) or None))

    def variables(self, run: TaskRun | None) -> Mapping[str, object]:
        """What templates see."""
        return variables(self.flow, self.execution, self.runs, run, self.context)

    def render(
        self, key: str, template: object, run: TaskRun | None, more: Mapping[str, object] | None = None
    ) -> object:
        """The template rendered, from the reply to an earlier `Resolve` of that key if there is one.

        `more` are variables that are not the execution's own.
        Raises ExpressionError, or its kind NeedsWorld after asking: the caller then leaves everything as it is and is
        called again once the reply is there.
        """
        answer = self.execution.answers.get(key)
        if answer is not None:
            return self._use(key, answer)
        seen = {**self.variables(run), **more} if more else self.variables(run)
        try:
            return render(template, seen, self.unanswerable())
        except NeedsWorld:
            self.execution = replace(self.execution, asked=self.execution.asked | {key})
            self.say(Resolve(key, template, seen, opened=self.opened))
            raise

    def unanswerable(self) -> Unanswerable:
        """The world of a decision: it has a date, and nobody to ask."""
        return Unanswerable(now=self.now, zone=self.context.zone, mask=self.opened)

    def _use(self, key: str, answer: Answer) -> object:
        answers = {other: kept for other, kept in self.execution.answers.items() if other != key}
        self.execution = replace(self.execution, answers=answers)
        self.opened.take_in(answer.opened)
        if answer.error is not None:
            raise ExpressionError(answer.error)
        return answer.value

    def decision(self) -> Decision:
        """The turn's result."""
        execution = self.execution
        if self.changed or execution is not self.before:
            execution = replace(execution, task_runs=self.runs)
        return Decision(execution=execution, commands=tuple(self.commands), changed=tuple(self.changed))
