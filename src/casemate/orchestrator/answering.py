"""Answering what needs the world: templates of the engine's own, inputs, and questions of workers.

All of it runs in threads within a budget, as tenants wrote the templates. A few of them work at a time, so that the
event loop gets its turns; one that waits for a secret store lets another work meanwhile.
"""

from __future__ import annotations

import time
from asyncio import get_running_loop
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from threading import BoundedSemaphore
from typing import TypeVar

from casemate.dispatch import Ask, Reply
from casemate.executions import Answer, Resolve
from casemate.expressions import Budget, ExpressionError, Jq, as_json, no_jq, render, render_typed
from casemate.orchestrator.world import ServiceWorld, Whose
from casemate.secrets import Secrets
from casemate.settings import Service
from casemate.storage import Storage, StorageError
from casemate.store import Database, StoreUnavailable

T = TypeVar("T")

_SECONDS = 10.0
"""What one rendering may take of a processor."""

_LONGEST = 60.0
"""Seconds that it may take in all, with the answers that it waits for."""

_WORKING = 3
_WAITING = 64


class Renderers:
    """The threads: few that work, more that wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_WAITING, thread_name_prefix="casemate-answer")
        self._seats = BoundedSemaphore(_WORKING)

    async def run(self, function: Callable[[], T]) -> T:
        """What the function says, in one of them. Raises `StoreUnavailable` at the end of the service."""
        try:
            working = get_running_loop().run_in_executor(self._threads, self._seated, function)
        except RuntimeError as error:
            raise StoreUnavailable("The service has ended") from error
        return await working

    def _seated(self, function: Callable[[], T]) -> T:
        with self._seats:
            return function()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Called by one that works, while it waits for something: another may have its seat."""
        self._seats.release()
        try:
            yield
        finally:
            self._seats.acquire()

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worlds:
    """Makes worlds, one for each question. All that one service asks goes through a `Worlds` of its own."""

    db: Database
    service: Service
    threads: Renderers
    storage: Storage
    secrets: Secrets
    now: Callable[[], datetime]
    zone: tzinfo
    readable: int
    jq: Jq = no_jq

    def of(self, service: Service) -> Worlds:
        """The same for another service."""
        return replace(self, service=service)

    async def within(self, whose: Whose, function: Callable[[ServiceWorld], T], *, shown: bool = False) -> T:
        """What the function says in a world of theirs; `shown` as in `ServiceWorld`."""
        return await self.threads.run(partial(self._run, whose, function, shown))

    async def resolve(self, whose: Whose, command: Resolve) -> Answer:
        """The reply to a decision that asked."""
        return await self.within(whose, partial(_resolved, command))

    async def reply(self, whose: Whose, question: Ask) -> Reply:
        """The reply to a worker that asked."""
        return await self.within(whose, partial(_replied, question))

    def _run(self, whose: Whose, function: Callable[[ServiceWorld], T], shown: bool) -> T:
        world = ServiceWorld(
            db=self.db,
            service=self.service,
            aside=self.threads.aside,
            whose=whose,
            storage=self.storage,
            secrets=self.secrets,
            now=self.now(),
            zone=self.zone,
            readable=self.readable,
            apply_jq=self.jq,
            shown=shown,
        )
        return function(world)


def budget() -> Budget:
    """What one rendering may cost, from now on, in the thread that asks."""
    worked, until = time.thread_time() + _SECONDS, time.monotonic() + _LONGEST
    return Budget(expired=lambda: time.thread_time() > worked or time.monotonic() > until)


def _resolved(command: Resolve, service: ServiceWorld) -> Answer:
    world = replace(service, mask=command.opened)
    try:
        if command.typed:
            assert isinstance(command.template, str), "only texts are rendered to types"
            value = render_typed(command.template, command.variables, world, budget=budget())
        else:
            value = render(command.template, command.variables, world, budget=budget())
    except ExpressionError as error:
        return Answer(error=world.covered(error))
    return Answer(as_json(value), opened=world.mask)


def _replied(question: Ask, world: ServiceWorld) -> Reply:
    try:
        return Reply(_called(question.function, _Arguments(question.arguments), world))
    except (ExpressionError, StorageError) as error:
        return Reply(error=world.covered(error))


@dataclass(frozen=True, slots=True)
class _Arguments:
    """Arguments as a worker sent them, hence of any type."""

    given: Mapping[str, object]

    def text(self, name: str) -> str:
        value = self.given.get(name)
        if not isinstance(value, str):
            raise ExpressionError(f"The argument '{name}' must be a text.")
        return value

    @property
    def inherit(self) -> bool:
        """Whether the namespaces above are looked at, too: what is said of it is true or false, or it is not said."""
        value = self.given.get("inherit", True)
        if not isinstance(value, bool):
            raise ExpressionError("The argument 'inherit' must be true or false.")
        return value

    def maybe_text(self, name: str) -> str | None:
        return None if self.given.get(name) is None else self.text(name)


def _called(function: str, arguments: _Arguments, world: ServiceWorld) -> object:
    """Call by a name that came from outside: only what is listed here can be reached."""
    namespace = arguments.maybe_text("namespace")
    match function:
        case "secret":
            return world.secret(arguments.text("key"), namespace, arguments.maybe_text("subkey"), arguments.inherit)
        case "full_secret":
            return world.full_secret(arguments.text("key"), namespace, arguments.inherit)
        case "kv":
            return world.kv(arguments.text("key"), namespace, arguments.given.get("error_on_missing") is True)
        case "read":
            return world.read(arguments.text("path"), namespace)
        case "file_size":
            return world.file_size(arguments.text("path"), namespace)
        case "error_logs":
            return world.error_logs()
        case "namespace_files":
            return world.namespace_files()
    raise ExpressionError(f"The function '{function}' can not be answered here.")
