"""`casemate run`: one flow file to its end, in this process."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from casemate.cli.configuration import settings_from, types_of, with_plugins
from casemate.cli.failures import FAILED, INTERRUPTED, told
from casemate.cli.files import Unreadable, text_of
from casemate.cli.inputs import Given, given
from casemate.cli.learn import check_place, learned_from, write
from casemate.cli.logging import log_to_standard_error
from casemate.cli.places import placed
from casemate.cli.services import services
from casemate.cli.terminal import Terminal
from casemate.errors import CasemateError, Refused
from casemate.executions import Execution, State, to_json
from casemate.flows import Flow, read_flow
from casemate.identifiers import MAIN
from casemate.learning import widened, words
from casemate.settings import Settings
from casemate.store import LogEntry, Wanted, logs

if TYPE_CHECKING:
    from casemate.app import Casemate


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    flow: Flow
    given: Given
    settings: Settings
    state: Path
    json: bool
    quiet: bool
    learn: Path | None = None


def run(
    flow: Path,
    /,
    *,
    inputs: Annotated[tuple[str, ...], Parameter(name=("-i", "--input"), negative=(), show_default=False)] = (),
    inputs_file: Annotated[Path | None, Parameter(name="--inputs")] = None,
    config: Annotated[tuple[Path, ...], Parameter(name=("-c", "--config"), negative=(), show_default=False)] = (),
    state: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
    quiet: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    learn: Path | None = None,
    force: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Run one flow file to its end, in this process.

    Parameters
    ----------
    flow
        The flow, a YAML file.
    inputs
        An input as NAME=VALUE; NAME=@FILE uploads a file to a FILE input. May be repeated.
    inputs_file
        A YAML or JSON file with a map of inputs; -i wins over it.
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    state
        The folder that keeps database and files; a temporary one, removed at the end, if not given.
    as_json
        Print only the execution, as Kestra's API would return it, with the isolation report of each task run.
    quiet
        Print only the end: state and outputs.
    learn
        Show tasks the machine and let them connect where they like, take down what they touch, and write the narrowest
        configuration that lets just that pass to this file. Only for flows you trust: they run with wide walls.
    force
        Write what was learned over a file that something else than --learn wrote.
    """
    log_to_standard_error("warning")
    file: str | Path = config[-1] if config else "environment"
    with ExitStack() as stack:
        try:
            settings = with_plugins(settings_from(*config), state)
            if settings.traces.delete_files:
                print("casemate: run leaves its configuration files; a server would delete them.", file=sys.stderr)
            file = learn or flow
            if learn:
                check_place(learn, force=force)
                settings = widened(settings)
            file = flow
            parsed = _flow_in(flow, settings)
            file = inputs_file or flow
            values = given(inputs, inputs_file, parsed.inputs)
            file = flow
            folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casemate-")))
            order = _Order(
                flow=parsed, given=values, settings=settings, state=folder, json=as_json, quiet=quiet, learn=learn
            )
            return asyncio.run(_carry_out(order))
        except CasemateError as error:
            return told(error, file)


def _flow_in(file: Path, settings: Settings) -> Flow:
    parsed = read_flow(text_of(file), types_of(settings), MAIN)
    if isinstance(parsed, Flow):
        return parsed
    raise Refused(parsed)


async def _carry_out(order: _Order) -> int:
    async with services(order.settings, order.state) as casemate:
        execution = await _start(casemate, order)
        interrupted = _kill_on_signal(casemate, execution)
        ended = await _follow(casemate, execution, order)
        if order.learn:
            await _learn(casemate, ended, order, order.learn)
    if order.json:
        print(json.dumps(to_json(ended), default=str))
    if interrupted.is_set():
        return INTERRUPTED
    return 0 if ended.state in (State.SUCCESS, State.WARNING) else FAILED


async def _learn(casemate: Casemate, ended: Execution, order: _Order, file: Path) -> None:
    """Write down what was touched, and say it; of a run that ended badly nothing is learned."""
    say = partial(print, file=sys.stderr if order.json else sys.stdout)
    if ended.state not in (State.SUCCESS, State.WARNING):
        say(f"Nothing was learned: the flow ended as {ended.state}. {file} was not written.")
        return
    learned = await learned_from(casemate, ended)
    write(file, learned, f"from {ended.namespace}.{ended.flow_id}")
    say("\n".join(("", "Learned:", *words(learned), "", f"Written to {file}. Run with it: casemate run -c {file} ...")))


async def _start(casemate: Casemate, order: _Order) -> Execution:
    flow = await casemate.save(order.flow)
    uploads = {name: _content(path) for name, path in order.given.uploads.items()}
    try:
        return await casemate.create(flow, order.given.values, uploads)
    except Refused as refused:
        raise Refused(placed(refused.problems, flow)) from refused


async def _content(path: Path) -> AsyncIterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk
    except OSError as error:
        raise Unreadable(path, (error.strerror or "cannot be read").lower()) from error


def _kill_on_signal(casemate: Casemate, execution: Execution) -> asyncio.Event:
    """Ctrl-C and SIGTERM kill the execution; the event tells that it happened. The second ends the process at once."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    killing: set[asyncio.Task[None]] = set()

    def stop() -> None:
        asked.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        killing.add(loop.create_task(casemate.orchestrator.kill(execution.tenant, execution.id)))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return asked


async def _follow(casemate: Casemate, execution: Execution, order: _Order) -> Execution:
    terminal = Terminal()
    if order.json or order.quiet:
        async for now in casemate.orchestrator.watch(execution.tenant, execution.id):
            execution = now
    else:
        execution = await _tell(casemate, execution, terminal)
    if not order.json:
        terminal.end(execution)
    return execution


async def _tell(casemate: Casemate, execution: Execution, terminal: Terminal) -> Execution:
    """The story in its order: a task run starts, what it logs, how it ends."""
    logbook = Logbook(casemate, execution, terminal)
    async with asyncio.TaskGroup() as group:
        group.create_task(logbook.follow())
        async for now in casemate.orchestrator.watch(execution.tenant, execution.id):
            terminal.begin(now)
            # The entries of a task run are durable before its end is: read them before showing it.
            await logbook.catch_up()
            terminal.show(now)
            execution = now
    await logbook.catch_up()
    return execution


class Logbook:
    """Shows each log entry once, whether it is heard of by itself or read because its task run ended."""

    def __init__(self, casemate: Casemate, execution: Execution, terminal: Terminal) -> None:
        self._casemate = casemate
        self._key = (execution.tenant, execution.id)
        self._terminal = terminal
        self._shown = 0

    async def follow(self) -> None:
        """Show entries as they come, until the execution ends."""
        async for entry in self._casemate.orchestrator.watch_logs(*self._key, Wanted(level="INFO")):
            self._show(entry)

    async def catch_up(self) -> None:
        """Show what is there now."""
        wanted = Wanted(level="INFO", after=self._shown)
        for entry in await self._casemate.db.read(logs.of_execution, *self._key, wanted):
            self._show(entry)

    def _show(self, entry: LogEntry) -> None:
        if entry.seq > self._shown:
            self._shown = entry.seq
            self._terminal.log(entry.level, entry.task_id, entry.message)
