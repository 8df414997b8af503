"""Filling in the templates of a job, in a thread and within a budget of steps and seconds: tenants wrote them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from casemate.dispatch import Ask, Reply
from casemate.expressions import Budget, as_json, render, render_typed
from casemate.sandbox import Places
from casemate.worker.model import Job, Tools
from casemate.worker.scripts import OUTPUT
from casemate.worker.short_secrets import warn_of_short
from casemate.worker.world import JobWorld

SECONDS: Final = 30.0
"""What rendering a task may take, or a batch of rows, answers of the control plane included."""

_FEW: Final = 100
"""Values that are gone through in no time."""

T = TypeVar("T")


class Scope(Mapping[str, object]):
    """The variables of the task run, behind a few of the worker's own. They may be made at first use."""

    def __init__(self, own: Mapping[str, object], variables: Mapping[str, object]) -> None:
        self._own = own
        self._variables = variables

    def __getitem__(self, name: str) -> object:
        return self._own[name] if name in self._own else self._variables[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from (name for name in self._variables if name not in self._own)

    def __len__(self) -> int:
        return len(set(self._own) | set(self._variables))

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._variables


@dataclass(frozen=True, slots=True)
class Templates:
    """What fills in templates of one job. Its methods raise `ExpressionError`."""

    world: JobWorld
    variables: Mapping[str, object]
    recursive: bool
    budget: Budget
    places: Places = field(default_factory=Places)

    def fill(self, value: object, own: Mapping[str, object] | None = None) -> object:
        """The value with every template in it filled in; `own` are variables that go before all others."""
        scope = Scope({**self._own, **(own or {})}, self.variables)
        return render(value, scope, self.world, recursive=self.recursive, budget=self.budget)

    def typed(self, text: str) -> object:
        """The value of the one expression that a text is, as JSON."""
        return as_json(render_typed(text, Scope(self._own, self.variables), self.world, budget=self.budget))

    @property
    def _own(self) -> Mapping[str, object]:
        return {"workingDir": self.places.work, "outputDir": f"{self.places.work}/{OUTPUT}"}


async def templates(job: Job, tools: Tools, function: Callable[[Templates], T], *, at_once: bool = False) -> T:
    """What the function says, called in a thread for templates. Raises what it raises.

    `at_once` is for values that `are_plain`: there a thread would take longer to wake than the function takes.
    """
    loop = asyncio.get_running_loop()

    async def ask(question: Ask) -> Reply:
        return await tools.link.ask(job.grant.job, job.grant.fence, question)

    until = time.monotonic() + SECONDS
    budget = Budget(expired=lambda: job.stop.done() or time.monotonic() > until)
    local = partial(tools.local.open, work=job.places.work, folder=job.folder)
    world = JobWorld(job.mask, ask, loop, tools.zone, tools.jq, local)
    given = Templates(world, job.grant.variables, tools.recursive, budget, job.places)
    try:
        if at_once:
            return function(given)
        return await loop.run_in_executor(tools.renderers, partial(_called, function, given))
    finally:
        warn_of_short(job, world.short)


def _called(function: Callable[[Templates], T], given: Templates) -> T:
    try:
        return function(given)
    finally:
        # Here it holds up nobody: entries of the log are covered in the event loop.
        given.world.mask.learn()


def are_plain(*values: object) -> bool:
    """Whether these are few, however deep they lie, and none is a text with a template in it."""
    waiting = list(values)
    for _ in range(_FEW):
        if not waiting:
            return True
        match waiting.pop():
            case str() as text if "{" in text:
                return False
            case Mapping() | list() | tuple() | Set() as many if len(many) > _FEW:
                return False
            case Mapping() as mapping:
                waiting += (*mapping.keys(), *mapping.values())
            case list() | tuple() | Set() as several:
                waiting += several
    return not waiting
