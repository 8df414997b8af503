"""Executions that a task run starts, and how their ends come back to it (spec/engine 4.2, 4.3).

Which execution is started is found out by whoever carries out `StartSubflow`: the flow, the inputs and the labels are
rendered there, as nothing that a template opens may be written down on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from casemate import flows
from casemate.executions.commands import MergeOutputs, StartSubflow
from casemate.executions.events import OutputsMerged, SubflowEnded, SubflowRefused, SubflowStarted
from casemate.executions.model import Batches, Call, Execution, State, TaskRun
from casemate.executions.reports import begin_attempt, end_attempt
from casemate.executions.turn import Turn
from casemate.flows import Task

AT_ONCE = 16
"""How many batches are asked to be started at a time; what waits to be started would otherwise fill the outbox."""

_TRANSMITTED = (State.FAILED, State.PAUSED, State.KILLED, State.WARNING)


def begin_executable(turn: Turn, run: TaskRun) -> None:
    """Ask for the execution that this task run starts, for the first of them, or for what became of them."""
    task = turn.task(run)
    run = begin_attempt(turn, replace(run, outputs=None, batches=None))
    match task.canonical:
        case flows.ITEMS:
            _begin_batches(turn, run)
        case flows.MERGE:
            turn.say(MergeOutputs(Call(run.id, len(run.attempts))))
        case _:
            turn.say(StartSubflow(Call(run.id, len(run.attempts))))


def _begin_batches(turn: Turn, run: TaskRun) -> None:
    """Ask for the first executions, one for each part of the file; there may be none."""
    split = turn.runs.child(run.parent, flows.sibling(run.task_id, "split"), run.value)
    count = (split.outputs or {}).get("count") if split is not None else None
    total = count if isinstance(count, int) else 0
    if not total:
        end_attempt(turn, run, State.SUCCESS)
        return
    counts: dict[str, int] = {"CREATED": total} if _waits(turn.task(run)) else {}
    outputs = {"iterations": {**counts, "RUNNING": 0}, "numberOfBatches": total}
    asked = min(total, AT_ONCE)
    run = turn.put(replace(run, outputs=outputs, batches=Batches(total=total, asked=asked)))
    for number in range(1, asked + 1):
        turn.say(StartSubflow(Call(run.id, len(run.attempts), number)))


def awaits(execution: Execution, call: Call) -> bool:
    """Is this still to be started?"""
    run = execution.task_runs.get(call.task_run)
    waiting = run is not None and run.state is State.RUNNING and len(run.attempts) == call.attempt
    return waiting and not execution.over and execution.state is not State.KILLING


def subflow_started(turn: Turn, event: SubflowStarted) -> None:
    """It was created; whoever does not wait for its end is done."""
    run = _at_work(turn, event.call)
    if run is None:
        return
    if run.batches is None and run.outputs is not None:
        return
    link = f'link execution="{event.subflow}" flowId="{event.flow_id}" namespace="{event.namespace}"'
    turn.write("INFO", f"Created new execution [[{link}]]", run)
    waits = _waits(turn.task(run))
    if run.batches is not None:
        run = replace(run, outputs={**(run.outputs or {}), "subflowOutputsBaseUri": event.base})
        _count(turn, run, leaves="CREATED", joins="RUNNING" if waits else "SUCCESS", over=not waits)
        return
    run = turn.put(replace(run, outputs={"executionId": event.subflow, "state": event.state.value}))
    if not waits:
        end_attempt(turn, run, State.SUCCESS)


def subflow_refused(turn: Turn, event: SubflowRefused) -> None:
    """It can not be created: the task run fails, once what it has started before is over."""
    run = _at_work(turn, event.call)
    if run is None:
        return
    if not turn.killing:
        turn.write("ERROR", event.reason, run)
    if run.batches is None:
        end_attempt(turn, run, State.KILLED if turn.killing else State.FAILED)
    else:
        run = replace(run, batches=replace(run.batches, refused=True))
        _count(turn, run, leaves="CREATED", joins="KILLED" if turn.killing else "FAILED", over=True)


def subflow_ended(turn: Turn, event: SubflowEnded) -> None:
    """It has ended, and the task run with it unless it waits for others."""
    run = _at_work(turn, event.call)
    if run is None or not _waits(turn.task(run)):
        return
    if event.failure is not None:
        turn.write("WARN", f"Failed to extract outputs with the error: '{event.failure}'", run)
    if run.batches is not None:
        _count(turn, run, leaves="RUNNING", joins=event.state.value, over=True)
        return
    outputs: dict[str, object] = {"executionId": event.subflow, "state": event.state.value}
    if event.outputs is not None:
        outputs["outputs"] = event.outputs
    end_attempt(turn, replace(run, outputs=outputs), _single_end(turn, turn.task(run), event))


def outputs_merged(turn: Turn, event: OutputsMerged) -> None:
    """The last part of a ForEachItem is done."""
    run = _at_work(turn, event.call)
    if run is None:
        return
    if event.failure is not None:
        turn.write("ERROR", event.failure, run)
    run = replace(run, outputs=None if event.uri is None else {"subflowOutputs": event.uri})
    end = State.SUCCESS if event.failure is None else State.FAILED
    end_attempt(turn, run, State.KILLED if turn.killing else end)


def _single_end(turn: Turn, task: Task, event: SubflowEnded) -> State:
    if turn.killing:
        return State.KILLED
    if event.failure is not None:
        return State.FAILED
    return event.state if _transmits(task) and event.state in _TRANSMITTED else State.SUCCESS


def _at_work(turn: Turn, call: Call) -> TaskRun | None:
    run = turn.runs.get(call.task_run)
    return run if run is not None and run.state is State.RUNNING and len(run.attempts) == call.attempt else None


def _count(turn: Turn, run: TaskRun, *, leaves: str, joins: str, over: bool) -> None:
    """One batch goes from one state to another; the next one is asked for, or all of them are over."""
    batches = run.batches
    assert batches is not None, "only batches are counted"
    batches = replace(batches, over=batches.over + over)
    if leaves == "CREATED" and batches.asked < batches.total and not batches.refused and not turn.killing:
        batches = replace(batches, asked=batches.asked + 1)
        turn.say(StartSubflow(Call(run.id, len(run.attempts), batches.asked)))
    run = turn.put(replace(run, batches=batches, outputs=_moved(run.outputs or {}, leaves, joins)))
    if batches.over == batches.asked:
        end_attempt(turn, run, _common_end(turn, run, batches), retried=False)


def _moved(outputs: Mapping[str, object], leaves: str, joins: str) -> dict[str, object]:
    before = outputs.get("iterations")
    counts = Counter({str(state): int(count) for state, count in before.items()} if isinstance(before, Mapping) else {})
    counts[joins] += 1
    if leaves in counts:
        counts[leaves] -= 1
    return {**outputs, "iterations": dict(counts)}


def _common_end(turn: Turn, run: TaskRun, batches: Batches) -> State:
    if turn.killing:
        return State.KILLED
    if batches.refused:
        return State.FAILED
    return _worst(run.outputs or {}) if _transmits(turn.task(run)) else State.SUCCESS


def _worst(outputs: Mapping[str, object]) -> State:
    counts = outputs.get("iterations")
    states: Iterable[object] = (
        [state for state, count in counts.items() if count] if isinstance(counts, Mapping) else ()
    )
    return next((each for each in (State.FAILED, State.KILLED, State.WARNING) if each in states), State.SUCCESS)


def _waits(task: Task) -> bool:
    return task.properties.get("wait") is not False


def _transmits(task: Task) -> bool:
    return task.properties.get("transmitFailed") is not False
