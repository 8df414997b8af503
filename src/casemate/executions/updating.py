"""Tasks that change the execution itself: Labels (spec/engine 8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from casemate.executions.forgiving import forgiven
from casemate.executions.labelling import over, reserved
from casemate.executions.model import Attempt, History, State, TaskRun
from casemate.executions.texts import read_json
from casemate.executions.turn import Turn
from casemate.executions.values import class_of
from casemate.expressions import ExpressionError, NeedsWorld, printed
from casemate.flows import Label, Task

_LABELS = "io.kestra.plugin.core.execution.Labels"


def apply(turn: Turn, run: TaskRun) -> None:
    """Carry out a RUNNING task run of this kind, with one attempt."""
    task = turn.task(run)
    try:
        labels = _labels(turn, run, task)
    except NeedsWorld:
        return
    except ExpressionError as error:
        turn.write("ERROR", str(error), run)
        _end(turn, run, State.FAILED)
        return
    turn.execution = replace(turn.execution, labels=over(turn.execution.labels, labels))
    _end(turn, run, State.SUCCESS)


def _end(turn: Turn, run: TaskRun, state: State) -> None:
    history = History.begun(run.history.moments[-1].date, State.RUNNING).to(state, turn.now)
    turn.move(replace(run, attempts=(*run.attempts, Attempt(history))), forgiven(turn.task(run), state))


def _labels(turn: Turn, run: TaskRun, task: Task) -> tuple[Label, ...]:
    if task.canonical != _LABELS:
        raise ExpressionError(f"No part of this installation can carry out a task of type '{task.canonical}'")
    labels = tuple(_read(turn.render(f"apply:{run.id}", task.properties.get("labels"), run)))
    for label in labels:
        if label.key.startswith("system."):
            raise ExpressionError(reserved(label))
    return labels


def _read(rendered: object) -> Iterable[Label]:
    if isinstance(rendered, str):
        try:
            rendered = read_json(rendered)
        except ValueError as error:
            raise ExpressionError(f"Invalid json: {error}") from error
    if isinstance(rendered, Mapping):
        return [Label(str(key), printed(value)) for key, value in rendered.items()]
    if isinstance(rendered, list):
        return [_read_one(element) for element in rendered]
    raise ExpressionError(f"Unknown value type: {class_of(rendered)}")


def _read_one(element: object) -> Label:
    if not isinstance(element, Mapping):
        raise ExpressionError(f"Unknown value type: {class_of(element)}")
    return Label(printed(element.get("key")), printed(element.get("value")))
