"""What holds for every flow and every order of events."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.executions.driver import House, flow, flowable, subflow, work

from casemate.executions import (
    SLOT_KEY,
    Begin,
    FolderLost,
    KillRequested,
    PauseRequested,
    ResumeRequested,
    RunForced,
    SlotsCounted,
    State,
    TaskFinished,
    TaskRuns,
    TaskStarted,
    TimerDue,
    UnqueueRequested,
    execution_document,
    execution_from,
    task_run_document,
    task_run_from,
)
from casemate.executions.transitions import EXECUTION, TASK_RUN, follows
from casemate.flows import Concurrency, Retry, Sla

STATES = st.sampled_from([State.SUCCESS, State.SUCCESS, State.SUCCESS, State.WARNING, State.FAILED])
REPORTED = st.one_of(STATES, st.just(State.KILLED))
"""How a worker ends a job: now and then it was killed there, though nobody asked for it."""
RETRIES = st.sampled_from(
    [
        None,
        None,
        Retry(kind="constant", max_attempt=2),
        Retry(kind="exponential", max_attempt=3),
        Retry(kind="constant", max_attempt=2, behavior="CREATE_NEW_EXECUTION"),
    ]
)
FLAGS = st.fixed_dictionaries(
    {
        "disabled": st.sampled_from([False, False, False, True]),
        "timeout": st.sampled_from([None, None, None, "PT1S"]),
        "allow_failure": st.booleans(),
        "allow_warning": st.booleans(),
        "run_if": st.sampled_from(["true", "true", "true", "false", "{{ secret('X') }}", "{{ nothing }}"]),
    }
)
KINDS = {
    "Sequential": {},
    "AllowFailure": {},
    "Parallel": {"concurrent": [0, 1, 2]},
    "Dag": {"concurrent": [0, 2]},
    "ForEach": {"concurrencyLimit": [0, 1, 2], "values": [[], ["1"], ["1", "2", "3"], "{{ secret('X') }}"]},
    "EachParallel": {"value": [["1", "2"]], "concurrent": [0, 1]},
    "Pause": {"delay": ["PT1S", "{{ secret('X') }}"]},
    "WaitFor": {
        "condition": ["true", "false", "{{ secret('X') }}"],
        "checkFrequency": [{"maxIterations": 2}],
        "failOnMaxReached": [False, True],
    },
    "If": {"condition": ["true", "false", "{{ secret('X') }}"]},
    "Switch": {"value": ["1", "2"]},
}
SLAS = st.sampled_from(
    [
        Sla(id="s", kind=kind, behavior=behavior, duration=timedelta(seconds=2), assertion=assertion)
        for kind, assertion in [
            ("MAX_DURATION", None),
            ("EXECUTION_ASSERTION", "{{ secret('X') }}"),
            ("EXECUTION_ASSERTION", "{{ outputs.t0.by is not defined }}"),
        ]
        for behavior in ("FAIL", "CANCEL", "NONE")
    ]
)


@st.composite
def task_trees(draw, names, depth=3):
    name = f"t{next(names)}"
    more = draw(FLAGS) | {"retry": draw(RETRIES)}
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from([work(name, **more), work(name, **more), subflow(name, wait=draw(st.booleans()))]))
    if draw(st.integers(0, 4)) == 0:
        return draw(working_directories(name, names, more))
    kind = draw(st.sampled_from(sorted(KINDS)))
    properties = {key: draw(st.sampled_from(values)) for key, values in KINDS[kind].items()}
    children = draw(st.lists(task_trees(names, depth - 1), min_size=1, max_size=3))
    errors = draw(st.none() | st.lists(task_trees(names, 0), min_size=1, max_size=2))
    branches = {"If": {"then": children}, "Switch": {"case:1": children}}.get(kind, {"tasks": children})
    waits = {children[-1].id: (children[0].id,)} if kind == "Dag" and len(children) > 1 else {}
    return flowable(
        kind,
        name,
        branches={key: tuple(tasks) for key, tasks in branches.items()},
        properties=properties,
        errors=None if errors is None else tuple(errors),
        depends_on=waits,
        **more,
    )


@st.composite
def working_directories(draw, name, names, more):
    flags = draw(st.lists(FLAGS, min_size=1, max_size=3))
    children = [work(f"t{next(names)}", **each, retry=draw(RETRIES)) for each in flags]
    errors = draw(st.none() | st.lists(task_trees(names, 0), min_size=1, max_size=2))
    return flowable("WorkingDirectory", name, *children, errors=None if errors is None else tuple(errors), **more)


@st.composite
def flows(draw):
    names = itertools.count()
    tasks = draw(st.lists(task_trees(names), min_size=1, max_size=4))
    errors = draw(st.none() | st.lists(task_trees(names, 1), min_size=1, max_size=2))
    finals = draw(st.lists(task_trees(names, 0), max_size=1))
    afters = draw(st.lists(task_trees(names, 1), max_size=2))
    return flow(
        *tasks,
        errors=None if errors is None else tuple(errors),
        finally_=tuple(finals),
        after_execution=tuple(afters),
        retry=draw(RETRIES),
        sla=tuple(draw(st.lists(SLAS, max_size=2))),
        concurrency=draw(st.sampled_from([None, Concurrency(limit=1), Concurrency(limit=1, behavior="FAIL")])),
    )


class Chaos:
    """Lets things happen in any order, some of them twice, and watches every step."""

    def __init__(self, tested, draw):
        self.draw = draw
        self.house = House.of(tested, slots=SlotsCounted(draw(st.integers(0, 1)), 0, tested.concurrency))
        self.held = []
        self.past = [Begin()]
        self.applied = {}

    def tell(self, event):
        before = self.house.execution
        decision = self.house.tell(event)
        after = decision.execution
        self.past.append(event)
        assert_legal(before, after)
        differing = {key for key in {**before.task_runs, **after.task_runs} if differs(before, after, key)}
        assert differing <= set(decision.changed)
        if before.over:
            assert after is before
        if before.state.terminated:
            assert after.state is before.state
        self.watch_result(event, before, after)

    def watch_result(self, event, before, after):
        if not isinstance(event, TaskFinished) or after is before:
            return
        key = (event.task_run, event.attempt)
        assert key not in self.applied, "a result was applied twice"
        self.applied[key] = event

    def step(self):
        moves = [self.repeat, self.look_again, self.crash]
        moves += [self.pause] if self.draw(st.booleans()) else []
        moves += [self.resume] * 4 if self.house.state is State.PAUSED else []
        moves += [self.free, self.unqueue, self.force] if self.house.state is State.QUEUED else []
        moves += [self.start] * 8 if self.house.jobs else []
        moves += [self.finish] * 8 if self.held else []
        moves += [self.call] * 4 if self.house.calls else []
        moves += [self.end_subflow] * 4 if self.house.subflows else []
        moves += [self.wake] * 4 if self.house.timers else []
        moves += [self.house.step] * 4 if self.house.questions else []
        moves += [self.lose_folder] if self.house.execution.task_runs else []
        self.draw(st.sampled_from(moves))()

    def start(self):
        index = self.draw(st.integers(0, len(self.house.jobs) - 1))
        job = self.house.jobs[index]
        del self.house.jobs[index]
        self.held.append(job)
        if self.draw(st.booleans()):
            self.tell(TaskStarted(*job))

    def finish(self):
        run, attempt = self.held.pop(self.draw(st.integers(0, len(self.held) - 1)))
        state = self.draw(REPORTED)
        self.tell(TaskFinished(task_run=run, attempt=attempt, state=state, outputs={"by": [run, attempt]}))

    def wake(self):
        key = self.draw(st.sampled_from(sorted(self.house.timers)))
        self.house.now = max(self.house.now, self.house.timers.pop(key))
        self.tell(TimerDue(key))

    def call(self):
        self.house.start_subflow(self.house.calls.popleft())

    def end_subflow(self):
        self.house.end_subflow(self.house.subflows.popleft(), self.draw(STATES))

    def lose_folder(self):
        self.tell(FolderLost(self.draw(st.sampled_from(list(self.house.execution.task_runs)))))

    def repeat(self):
        self.tell(self.draw(st.sampled_from(self.past)))

    def pause(self):
        self.tell(PauseRequested())

    def resume(self):
        self.tell(ResumeRequested())

    def free(self):
        """A place is free, for now."""
        self.house.slots = SlotsCounted(self.draw(st.integers(0, 1)), 0, self.house.flow.concurrency)
        self.tell(TimerDue(SLOT_KEY))

    def unqueue(self):
        self.tell(UnqueueRequested(self.draw(st.sampled_from([State.RUNNING, State.CANCELLED, State.FAILED]))))

    def force(self):
        self.tell(RunForced())

    def look_again(self):
        self.tell(Begin())

    def crash(self):
        """Whatever was offered, set or asked is lost; only rows and running jobs remain."""
        self.house.jobs.clear()
        self.house.timers.clear()
        self.house.questions.clear()
        self.reload()
        self.tell(Begin())

    def reload(self):
        """Go through rows and back."""
        execution = self.house.execution
        document = json.loads(json.dumps(execution_document(execution)))
        runs = [json.loads(json.dumps(task_run_document(run))) for run in execution.task_runs.values()]
        self.house.execution = execution_from(document, [task_run_from(run) for run in runs])
        assert self.house.execution == execution


def differs(before, after, run):
    return before.task_runs.get(run) != after.task_runs.get(run)


def assert_legal(before, after):
    assert_follows(EXECUTION, before.history, after.history)
    for run_id, run in after.task_runs.items():
        earlier = before.task_runs.get(run_id)
        if earlier is not None and earlier.state.terminated:
            assert run == earlier
        moments = run.history.moments
        assert earlier is None or moments[: len(earlier.history.moments)] == earlier.history.moments
        for one, other in itertools.pairwise(moments):
            assert follows(TASK_RUN, one.state, other.state)
        if run.parent is not None and after.task_runs[run.parent].state.terminated:
            assert run.state.terminated, "something runs below a task run that has ended"


def assert_follows(table, before, after):
    assert after.moments[: len(before.moments)] == before.moments
    for one, other in itertools.pairwise(after.moments):
        assert follows(table, one.state, other.state)


def assert_same_index(runs):
    again = TaskRuns.of(dict(runs))
    assert again.outputs == runs.outputs
    for state in State:
        assert again.holds(state) == runs.holds(state) == any(run.state is state for run in runs.values())
    assert (
        again.weight
        == runs.weight
        == sum(len(json.dumps(run.outputs, separators=(",", ":"))) for run in runs.values() if run.outputs is not None)
    )
    for parent in (None, *runs):
        assert again.open(parent) == runs.open(parent) == sum(not run.state.terminated for run in runs.children(parent))
        assert sorted(run.id for run in again.children(parent)) == sorted(run.id for run in runs.children(parent))


def drain(chaos):
    """Let the worker, the clock and the world do what they were asked, until nothing is left."""
    for _ in range(2000):
        if chaos.held:
            chaos.finish()
        elif chaos.house.step():
            pass
        elif chaos.house.state is State.PAUSED:
            chaos.resume()
        elif chaos.house.state is State.QUEUED:
            chaos.house.slots = SlotsCounted(0, 0, None)
            chaos.tell(TimerDue(SLOT_KEY))
        else:
            return
    raise AssertionError("it never ends")


SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(SLOW, max_examples=100)
@given(flows(), st.data())
def test_whatever_happens_only_legal_things_happen_and_it_ends(tested, data):
    chaos = Chaos(tested, data.draw)
    chaos.tell(Begin())
    for _ in range(data.draw(st.integers(0, 30))):
        chaos.step()
    killed = data.draw(st.sampled_from([False, False, True]))
    if killed:
        chaos.tell(KillRequested())
    drain(chaos)

    execution = chaos.house.execution
    assert execution.over
    assert execution.verdict is None
    assert not execution.asked
    assert not execution.answers
    assert all(run.state.terminated for run in execution.task_runs.values())
    assert_same_index(TaskRuns.of(execution.task_runs))


@settings(SLOW, max_examples=30)
@given(flows())
def test_the_same_order_gives_the_same_end(tested):
    one, other = House.of(tested).run(), House.of(tested).run()

    assert one.execution == other.execution
    assert one.commands == other.commands


@settings(SLOW, max_examples=30)
@given(flows(), st.data())
def test_an_execution_read_again_after_every_step_ends_the_same(tested, data):
    steady, shaken = House.of(tested).begin(), Chaos(tested, data.draw)
    shaken.house.slots = steady.slots
    shaken.tell(Begin())
    while steady.step():
        shaken.house.step()
        shaken.reload()

    assert shaken.house.execution == steady.execution
