"""How heavy may outputs be, a new execution, and one that grows (spec/engine 3.3, 14)?"""

from __future__ import annotations

from collections.abc import Mapping

from casemate.executions import Execution, TaskRuns, WrongChoice, execution_document, json_size


def refusal(outputs: Mapping[str, object] | None, limit: int) -> str | None:
    """Kestra's text if the outputs, as JSON, have more bytes than the limit."""
    message = _excess(outputs, limit) if outputs else None
    return None if message is None else f"Unable to emit the worker task result to the queue: {message}"


def check(execution: Execution, limit: int) -> None:
    """Raises `WrongChoice` with Kestra's text if a new execution, as JSON, has more bytes than the limit."""
    message = _excess(execution_document(execution), limit)
    if message is not None:
        raise WrongChoice(message)


def overgrown(before: Execution, after: Execution, limit: int) -> str | None:
    """Kestra's text if a step made the execution exceed the limit.

    What tasks were given and gave counts, not what the engine keeps about them: no number of task runs is too large.
    """
    runs = TaskRuns.of(after.task_runs)
    if runs.weight <= TaskRuns.of(before.task_runs).weight:
        return None
    size = runs.weight + json_size(after.inputs)
    return _exceeded(size, limit) if size > limit else None


def _excess(value: object, limit: int) -> str | None:
    size = json_size(value)
    return _exceeded(size, limit) if size > limit else None


def _exceeded(size: int, limit: int) -> str:
    return f"Message of size {size} has exceeded the configured limit of {limit}"
