"""What the pure core costs, without a server: reading a large flow, and deciding on an execution that grows."""

from __future__ import annotations

import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from curve import Curve, Line

from casemate.core import catalog
from casemate.documents import read
from casemate.executions import Begin, Event, Execution, OfferJob, State, TaskFinished, TaskStarted, decide, start
from casemate.flows import Flow, read_flow, warnings
from casemate.identifiers import MAIN, ExecutionId, TaskRunId

TASKS = 500
READINGS = 5
SMALL, LARGE = (10, 10, 20), (10, 10, 200)
"""How many values the three levels have: 2 111 and 20 111 task runs."""
ROUNDS = 3
POINTS = 40
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reading() -> Iterable[Line]:
    """A flow of many tasks from its text to values, every rule checked; then with all remarks about it."""
    types = catalog()
    tasks = "".join(
        f"  - id: t{number}\n    type: io.kestra.plugin.core.log.Log\n    message: '{{{{ inputs.n }}}} of {number}'\n"
        for number in range(TASKS)
    )
    text = f"id: large\nnamespace: bench\ninputs:\n  - {{id: n, type: INT, defaults: 1}}\ntasks:\n{tasks}"

    def remarked() -> None:
        flow = read_flow(text, types, MAIN)
        assert isinstance(flow, Flow)
        warnings(flow, read(text), types)

    yield f"flow of {TASKS} tasks, read and checked", _fastest(lambda: read_flow(text, types, MAIN)) * 1000, "ms"
    yield "  with its remarks, as `flow validate`", _fastest(remarked) * 1000, "ms"


def deciding() -> Iterable[Line | Curve]:
    """Three ForEach inside each other to their end: what an event costs by how many task runs there are already."""
    list(_costs(_nested(SMALL)))  # unmeasured: the first time everything is slower
    small, large = (_least(_nested(widths)) for widths in (SMALL, LARGE))
    for widths, costs in ((SMALL, small), (LARGE, large)):
        points = _points(costs, _runs(widths))
        begin, end = (statistics.median(cost for _, cost in some) for some in (points[1:9], points[-9:-1]))
        runs = _runs(widths)
        yield f"{runs} task runs: events", len(costs) / sum(costs), "/s"
        yield f"  an event at the begin of {runs}", begin, "µs"
        yield f"  an event at the end of {runs}", end, "µs"
        yield f"  ratio of end to begin of {runs}", end / begin, "x"
        yield Curve(f"deciding-{runs}", "µs an event", "task runs", points)


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    spent = []
    for _ in range(READINGS):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return min(spent)


def _nested(widths: tuple[int, int, int]) -> Flow:
    """Three ForEach inside each other, each with so many values."""
    tasks, depth = "- {id: leaf, type: io.kestra.plugin.core.debug.Return, format: '{{ taskrun.value }}'}", 3
    for level, width in zip(range(depth, 0, -1), reversed(widths), strict=True):
        below = "\n".join(f"    {line}" for line in tasks.splitlines())
        values = list(range(width))
        tasks = (
            f"- id: each{level}\n  type: io.kestra.plugin.core.flow.ForEach\n  concurrencyLimit: 2\n"
            f"  values: {values}\n  tasks:\n{below}"
        )
    flow = read_flow(f"id: nested\nnamespace: bench\ntasks:\n{tasks}", catalog(), MAIN)
    assert isinstance(flow, Flow), flow
    return flow


def _runs(widths: tuple[int, int, int]) -> int:
    first, second, third = widths
    return 1 + first + first * second + first * second * third


def _least(flow: Flow) -> list[float]:
    """What else the machine does only ever adds to a cost: the least of some rounds is nearest to the truth."""
    return [min(each) for each in zip(*(_costs(flow) for _ in range(ROUNDS)), strict=True)]


def _costs(flow: Flow) -> Iterator[float]:
    """Seconds of processor time for each event of one execution, played as a worker would."""
    ids = (TaskRunId(f"run-{number}") for number in itertools.count())
    execution: Execution = start(flow, id=ExecutionId("e"), now=NOW, inputs={})
    waiting: deque[Event] = deque([Begin()])
    while waiting:
        event = waiting.popleft()
        begun = time.thread_time()
        decision = decide(flow, execution, event, now=NOW, new_id=lambda: next(ids))
        yield time.thread_time() - begun
        execution = decision.execution
        for command in decision.commands:
            if isinstance(command, OfferJob):
                done = TaskFinished(
                    task_run=command.task_run,
                    attempt=command.attempt,
                    state=State.SUCCESS,
                    outputs={"value": command.task_run},
                )
                waiting += (TaskStarted(command.task_run, command.attempt), done)
    assert execution.state is State.SUCCESS, execution.state


def _points(costs: list[float], runs: int) -> list[tuple[float, float]]:
    """The mean cost of an event in microseconds, for each part of the whole."""
    size = -(-len(costs) // POINTS)
    parts = [costs[begin : begin + size] for begin in range(0, len(costs), size)]
    return [(runs * (number + 0.5) / len(parts), statistics.fmean(part) * 1e6) for number, part in enumerate(parts)]
