"""Who asks, with what, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from casemate.errors import CasemateError
from casemate.executions import Execution, TaskRun
from casemate.flows import Flow
from casemate.identifiers import Namespace, TenantId
from casemate.store import Job


class Refusal(CasemateError):
    """The question is refused; the task fails with this text."""


def refuse(text: str) -> NoReturn:
    """Say no."""
    raise Refusal(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The job that asks, its execution, and the date."""

    job: Job
    flow: Flow
    execution: Execution
    now: datetime

    @property
    def tenant(self) -> TenantId:
        """The only tenant whose things can be reached."""
        return self.execution.tenant

    @property
    def namespace(self) -> Namespace:
        """The namespace of the flow."""
        return self.execution.namespace

    @property
    def run(self) -> TaskRun:
        """The task run that asks."""
        return self.execution.task_runs[self.job.task_run]


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments as a worker sent them, hence of any type. Whatever does not fit raises `Refusal`."""

    given: Mapping[str, object]

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.given.get(name)
        return value if isinstance(value, str) else refuse(f"The argument '{name}' must be a text.")

    def maybe_text(self, name: str) -> str | None:
        """A text, or None."""
        return None if self.given.get(name) is None else self.text(name)

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or no."""
        value = self.given.get(name, default)
        return value if isinstance(value, bool) else refuse(f"The argument '{name}' must be a boolean.")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; absent means empty."""
        value = self.given.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            refuse(f"The argument '{name}' must be a list of texts.")
        return tuple(value)

    def mapping(self, name: str) -> dict[str, object]:
        """A map; absent means empty."""
        value = self.given.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            refuse(f"The argument '{name}' must be a map.")
        return {str(key): each for key, each in value.items()}
