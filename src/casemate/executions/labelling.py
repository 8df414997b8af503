"""Labels that an execution gets after its start (spec/engine 7, 8.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from casemate.executions.commands import Decision
from casemate.executions.errors import WrongChoice
from casemate.executions.model import Execution
from casemate.flows import Label

_SYSTEM = "system."


def labelled(execution: Execution, given: Iterable[Label]) -> Decision:
    """An ended execution with these labels over its own.

    Raises `WrongChoice` for one that has not ended, and for system labels that it does not have already.
    """
    labels = tuple(given)
    if not execution.state.terminated:
        raise WrongChoice("The execution is not terminated")
    for label in labels:
        if label.key.startswith(_SYSTEM) and label not in execution.labels:
            raise WrongChoice(reserved(label))
    return Decision(execution=replace(execution, labels=over(execution.labels, labels)))


def over(before: Iterable[Label], given: Iterable[Label]) -> tuple[Label, ...]:
    """Labels of the same key are replaced where they stand, new ones follow."""
    values = {label.key: label.value for label in (*before, *given)}
    return tuple(Label(key, value) for key, value in values.items())


def reserved(label: Label) -> str:
    """Why a system label is refused."""
    return f"System labels can only be set by Kestra itself, offending label: {label.key}={label.value}"
