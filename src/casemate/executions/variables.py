"""What templates see (spec/engine 6.1, 6.2). Everything is looked up when it is asked for, nothing before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from casemate.executions.chart import task_of
from casemate.executions.context import BARE, Context
from casemate.executions.folders import folder_of
from casemate.executions.inputs import live_inputs
from casemate.executions.model import Execution, TaskRun
from casemate.executions.outputs import OutputsView, states_of
from casemate.executions.runs import TaskRuns
from casemate.flows import Flow, Label
from casemate.identifiers import TaskRunId
from casemate.sealed import opened


def variables_of(
    flow: Flow, execution: Execution, task_run: TaskRunId | None = None, context: Context = BARE
) -> Mapping[str, object]:
    """The variables of a task run's templates, or (without one) of the execution's own."""
    runs = TaskRuns.of(execution.task_runs)
    return variables(flow, execution, runs, None if task_run is None else runs[task_run], context)


def variables(
    flow: Flow, execution: Execution, runs: TaskRuns, run: TaskRun | None, context: Context
) -> Mapping[str, object]:
    """The same while a decision is being made, when the task runs are a draft."""
    made: dict[str, Callable[[], object]] = {name: partial(_same, value) for name, value in execution.variables.items()}
    made |= _of_execution(flow, execution, context)
    if runs:
        made["outputs"] = partial(OutputsView, runs, context.unseal)
        made["tasks"] = partial(states_of, runs)
    if run is not None:
        made |= _of_task_run(flow, runs, run, context)
    return Lazy(made)


class Lazy(Mapping[str, object]):
    """A map whose values are made at first use."""

    __slots__ = ("_made", "_makers")

    def __init__(self, makers: Mapping[str, Callable[[], object]]) -> None:
        self._makers = makers
        self._made: dict[str, object] = {}

    def __getitem__(self, key: str) -> object:
        if key not in self._made:
            self._made[key] = self._makers[key]()
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, key: object) -> bool:
        return key in self._makers


def _of_execution(flow: Flow, execution: Execution, context: Context) -> dict[str, Callable[[], object]]:
    made: dict[str, Callable[[], object]] = {
        "envs": partial(_same, context.envs),
        "globals": partial(_same, context.globals),
        "flow": partial(_flow, flow, execution),
        "execution": partial(_execution, execution),
        "labels": partial(_labels, execution.labels),
    }
    if flow.variables:
        made["vars"] = partial(_same, flow.variables)
    if execution.inputs or any(one.defaults is not None for one in flow.inputs):
        made["inputs"] = partial(live_inputs, flow, execution.inputs, context.unseal)
    if execution.trigger is not None:
        made["trigger"] = partial(_same, execution.trigger.get("variables") or {})
    return made


def _of_task_run(flow: Flow, runs: TaskRuns, run: TaskRun, context: Context) -> dict[str, Callable[[], object]]:
    # Tasks in a working directory see what its task run sees, and that task run as well (spec/engine 4.6).
    folder = folder_of(flow, runs, run)
    seen_from = folder or run
    made: dict[str, Callable[[], object]] = {
        "task": partial(_task, flow, run),
        "taskrun": partial(_task_run, run, seen_from.value),
        "parents": partial(_parents, runs, seen_from, context),
    }
    if folder is not None:
        made["workerTaskrun"] = partial(_task_run, folder, folder.value)
    nearest = next(_known_ancestors(runs, seen_from), None)
    if nearest is not None:
        made["parent"] = partial(_parent, nearest, context)
    return made


def _same(value: object) -> object:
    return value


def _flow(flow: Flow, execution: Execution) -> Mapping[str, object]:
    return {
        "id": flow.id,
        "namespace": flow.namespace,
        "revision": execution.flow_revision,
        "tenantId": flow.tenant,
    }


def _execution(execution: Execution) -> Mapping[str, object]:
    return {
        "id": execution.id,
        "startDate": execution.history.start,
        "originalId": execution.original_id or execution.id,
        "state": execution.state.value,
    }


def _labels(labels: tuple[Label, ...]) -> Mapping[str, object]:
    """The first of equal keys wins; of those Kestra keeps for itself only the first one met is shown."""
    shown: dict[str, object] = {}
    for label in labels:
        key = label.key.removeprefix("system.")
        if key != label.key:
            shown.setdefault("system", {key: label.value})
        else:
            shown.setdefault(key, label.value)
    return shown


def _task(flow: Flow, run: TaskRun) -> Mapping[str, object]:
    return {"id": run.task_id, "type": task_of(flow, run.task_id).type}


def _task_run(run: TaskRun, value: str | None) -> Mapping[str, object]:
    shown = {
        "id": run.id,
        "startDate": run.history.start,
        "attemptsCount": sum(attempt.history.current.terminated for attempt in run.attempts),
        "parentId": run.parent,
        "value": value,
    }
    return shown if run.iteration is None else {**shown, "iteration": run.iteration}


def _parents(runs: TaskRuns, run: TaskRun, context: Context) -> list[object]:
    return [_parent(ancestor, context) for ancestor in _known_ancestors(runs, run)]


def _known_ancestors(runs: TaskRuns, run: TaskRun) -> Iterator[TaskRun]:
    """Ancestors with something to see, the nearest first."""
    return (one for one in runs.ancestors(run) if one.value is not None or one.outputs is not None)


def _parent(run: TaskRun, context: Context) -> Mapping[str, object]:
    shown: dict[str, object] = {}
    if run.value is not None:
        shown["taskrun"] = {"value": run.value}
    if run.outputs is not None:
        shown["outputs"] = opened(run.outputs, context.unseal)
    return shown
