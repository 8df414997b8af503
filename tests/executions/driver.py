"""A small world for tests: builds flows from short descriptions and plays the worker, the clock and the dice."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from casemate.catalog import Role
from casemate.executions import (
    Answer,
    Begin,
    Context,
    CountSlots,
    Decision,
    Execution,
    ForgetJob,
    ForgetTimer,
    KillJob,
    KillRequested,
    KillSubflows,
    MergeOutputs,
    OfferJob,
    OutputsMerged,
    Replay,
    Resolve,
    Resolved,
    SlotsCounted,
    StartSubflow,
    State,
    SubflowEnded,
    SubflowRefused,
    SubflowStarted,
    TaskFinished,
    TaskStarted,
    TimerDue,
    WakeAt,
    Write,
    awaits,
    decide,
    is_over,
    keeps_folder,
    start,
)
from casemate.flows import MADE, Flow, Task
from casemate.flows.for_each_item import made_tasks
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace, TaskId, TaskRunId

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CORE = "io.kestra.plugin.core."
BRANCHES = ("tasks", "then", "else", "defaults")


def work(name, **more):
    """A task for a worker."""
    return _task(name, f"{CORE}log.Log", Role.RUNNABLE, **more)


def flowable(kind, name, *tasks, branches=None, **more):
    """A flowable with its main tasks, or with several branches by name."""
    return _task(name, f"{CORE}flow.{kind}", Role.FLOWABLE, branches=branches or {"tasks": tasks}, **more)


def subflow(name, **properties):
    """A task that starts another execution."""
    return _task(name, f"{CORE}flow.Subflow", Role.EXECUTABLE, properties=properties)


def for_each_item(name, **properties):
    """A task that starts another execution for each part of a file."""
    made = made_tasks({"id": name}, properties)
    return _task(name, f"{CORE}flow.ForEachItem", Role.FLOWABLE, branches={MADE: made})


def labels(name, labels, **more):
    """A task that changes the execution's labels."""
    return _task(name, f"{CORE}execution.Labels", Role.UPDATING, properties={"labels": labels}, **more)


def _task(name, kind, role, properties=None, **more):
    return Task(id=TaskId(name), type=kind, canonical=kind, role=role, properties=properties or {}, **more)


def flow(*tasks, **more):
    """A flow of these tasks."""
    return Flow(
        tenant=MAIN, namespace=Namespace("house"), id=FlowId("tested"), tasks=tasks, source="", document={}, **more
    )


def always(state):
    """A worker that ends everything in this state."""
    return lambda run, attempt: state


def failing(*tasks):
    """A worker for which these tasks fail."""
    return lambda run, attempt: State.FAILED if run.task_id in tasks else State.SUCCESS


@dataclass
class House:
    """One execution and all around it. `outcome` says how a worker ends an attempt of a task run."""

    flow: Flow
    execution: Execution
    outcome: object = field(default_factory=lambda: always(State.SUCCESS))
    context: Context = field(default_factory=Context)
    now: datetime = NOW
    answer: object = lambda command: Answer("true")
    outputs: object = lambda run: {"value": run.task_id}
    jobs: deque = field(default_factory=deque)
    timers: dict = field(default_factory=dict)
    commands: list = field(default_factory=list)
    questions: deque = field(default_factory=deque)
    calls: deque = field(default_factory=deque)
    merges: deque = field(default_factory=deque)
    subflows: deque = field(default_factory=deque)
    subflow_outcome: object = lambda call: State.SUCCESS
    folders: list = field(default_factory=list)
    ids: object = field(default_factory=lambda: itertools.count(1))
    slots: SlotsCounted = field(default_factory=lambda: SlotsCounted(0, 0, None))

    @classmethod
    def of(cls, flow, inputs=None, *, outcome=None, **more):
        """A house where an execution of this flow was just created."""
        execution = start(flow, id=ExecutionId("e1"), now=NOW, inputs=inputs or {})
        return cls(flow=flow, execution=execution, outcome=outcome or always(State.SUCCESS), **more)

    def tell(self, event) -> Decision:
        """Let something happen, and do what is asked."""
        self.now += timedelta(milliseconds=1)
        decision = decide(
            self.flow, self.execution, event, now=self.now, new_id=self.new_id, context=self.context, chance=lambda: 0.5
        )
        self.execution = decision.execution
        self.commands.extend(decision.commands)
        for command in decision.commands:
            self._obey(command)
        return decision

    def new_id(self):
        return TaskRunId(f"r{next(self.ids)}")

    def _obey(self, command):
        match command:
            case OfferJob():
                self.jobs.append((command.task_run, command.attempt))
            case KillJob() | ForgetJob():
                held = [job for job in self.jobs if job[0] == command.task_run]
                for job in held:
                    self.jobs.remove(job)
            case WakeAt():
                self.timers[command.key] = command.at
            case ForgetTimer():
                self.timers.pop(command.key, None)
            case CountSlots():
                self.tell(self.slots)
            case Resolve():
                self.questions.append(command)
            case StartSubflow():
                self.calls.append(command.call)
            case MergeOutputs():
                self.merges.append(command.call)
            case Write() | Replay() | KillSubflows():
                pass

    def begin(self):
        self.tell(Begin())
        return self

    def run(self):
        """Work until nothing is left to do."""
        self.begin()
        while self.step():
            pass
        return self

    def step(self):
        """Do one thing, if there is one."""
        if self.questions:
            question = self.questions.popleft()
            self.tell(Resolved(question.key, self.answer(question)))
        elif over := [job for job in self.folders if self.is_over(job[0])]:
            self.folders.remove(over[0])
            self.finish(*over[0], State.KILLED if self.execution.state is State.KILLING else None)
        elif self.jobs:
            self.work_on(*self.jobs.popleft())
        elif self.calls:
            self.start_subflow(self.calls.popleft())
        elif self.subflows:
            call = self.subflows.popleft()
            self.end_subflow(call, self.subflow_outcome(call))
        elif self.merges:
            self.tell(OutputsMerged(call=self.merges.popleft(), uri="kestra:///merged"))
        elif self.timers and not self.execution.over:
            key = min(self.timers, key=self.timers.get)
            self.now = max(self.now, self.timers.pop(key))
            self.tell(TimerDue(key))
        else:
            return False
        return True

    def work_on(self, run_id, attempt):
        self.tell(TaskStarted(run_id, attempt))
        run = self.execution.task_runs.get(run_id)
        if run is not None and keeps_folder(self.task(run)):
            self.folders.append((run_id, attempt))
        else:
            self.finish(run_id, attempt)

    def task(self, run):
        return next(task for task in self.flow.all_tasks() if task.id == run.task_id)

    def is_over(self, run_id):
        """Does the worker that holds this folder hear that nothing more comes?"""
        gone = run_id not in self.execution.task_runs
        return gone or self.execution.state is State.KILLING or is_over(self.execution, run_id)

    def start_subflow(self, call):
        """Carry out a call as the service does: too late is refused."""
        if not awaits(self.execution, call):
            self.tell(SubflowRefused(call=call, reason="too late"))
            return
        name, place = f"s{call.task_run}-{call.attempt}-{call.number}", ("house", "child")
        self.tell(
            SubflowStarted(call=call, subflow=name, namespace=place[0], flow_id=place[1], state=State.CREATED, base="b")
        )
        self.subflows.append(call)

    def end_subflow(self, call, state, **more):
        name = f"s{call.task_run}-{call.attempt}-{call.number}"
        self.tell(SubflowEnded(call=call, subflow=name, state=state, **more))

    def finish(self, run_id, attempt, state=None):
        run = self.execution.task_runs.get(run_id)
        if run is None:
            return
        state = state or self.outcome(run, attempt)
        outputs = self.outputs(run) if state is State.SUCCESS else None
        self.tell(TaskFinished(task_run=run_id, attempt=attempt, state=state, outputs=outputs))

    def start_all(self):
        """Let the worker hold every job there is; returns them."""
        held = list(self.jobs)
        self.jobs.clear()
        for run_id, attempt in held:
            self.tell(TaskStarted(run_id, attempt))
        return held

    def kill(self):
        return self.tell(KillRequested())

    # What became of it ------------------------------------------------------------------------------------------------

    @property
    def state(self):
        return self.execution.state

    @property
    def runs(self):
        return list(self.execution.task_runs.values())

    @property
    def trace(self):
        """`task` or `task[value]` of every task run with its state, in order of creation."""
        return [f"{name(run)} {run.state}" for run in self.runs]

    def named(self, wanted):
        return next(run for run in self.runs if name(run) == wanted)

    def history(self, wanted=None):
        history = self.execution.history if wanted is None else self.named(wanted).history
        return [moment.state.value for moment in history.moments]

    @property
    def logs(self):
        return [command.message for command in self.commands if isinstance(command, Write)]


def name(run):
    return run.task_id if run.value is None else f"{run.task_id}[{run.value}]"
