"""Outputs of task runs as templates address them: by task, then by the values of the iterations (spec/engine 6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from casemate.executions.layered import Layered
from casemate.executions.runs import TaskRuns
from casemate.identifiers import TaskRunId
from casemate.sealed import Unseal, opened


class OutputsView(Mapping[str, object]):
    """`outputs.‹task›[‹value›]…` of an execution; a level is made only when a template goes there."""

    __slots__ = ("_level", "_runs", "_unseal")

    def __init__(self, runs: TaskRuns, unseal: Unseal, level: Mapping[str, object] | None = None) -> None:
        self._runs = runs
        self._unseal = unseal
        self._level = runs.outputs if level is None else level

    def __getitem__(self, key: str) -> object:
        below = self._level[key]
        if isinstance(below, Layered):
            return OutputsView(self._runs, self._unseal, below)
        return self._merged(cast("tuple[TaskRunId, ...]", below))

    def __iter__(self) -> Iterator[str]:
        return iter(self._level)

    def __len__(self) -> int:
        return len(self._level)

    def _merged(self, ids: tuple[TaskRunId, ...]) -> object:
        """The outputs of one place; several task runs of the same task are merged deeply, later ones over earlier."""
        outputs: object = {}
        for run_id in ids:
            # Opened before they are merged: else an envelope could be put together of parts that are none.
            outputs = _over(outputs, opened(self._runs[run_id].outputs, self._unseal))
        return outputs


def states_of(runs: TaskRuns) -> Mapping[str, object]:
    """`tasks.‹id›.state`, or `tasks.‹id›.‹value›.state` for tasks with values."""
    shown: dict[str, dict[str, object]] = {}
    for run in runs.values():
        of_task = shown.setdefault(run.task_id, {})
        if run.value is None:
            of_task["state"] = run.state.value
        else:
            of_task[run.value] = {"state": run.state.value}
    return shown


def _over(below: object, above: object) -> object:
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return below if above is None else above
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        merged[key] = _over(below[key], above[key])
    return merged
