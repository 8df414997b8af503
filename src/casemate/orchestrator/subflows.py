"""Messages between executions: start one, tell its end, stop it. Each is applied once, however often it is delivered.

Whatever needs the world (flows, templates, inputs, files) is found out here, before the transaction that applies it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import structlog

from casemate.errors import Refused
from casemate.executions import (
    Begin,
    Call,
    Context,
    Event,
    Execution,
    KillRequested,
    OutputsMerged,
    State,
    SubflowEnded,
    SubflowRefused,
    Wanted,
    awaits,
    depth_of,
    noting,
    subflow_of,
    variables_of,
    wanted_by,
)
from casemate.expressions import ExpressionError, as_json, render
from casemate.flows import Flow, Task
from casemate.identifiers import ExecutionId
from casemate.masking import Mask
from casemate.orchestrator import batches, weighing
from casemate.orchestrator.answering import Worlds, budget
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.items import Born, Happened, Item, Key, Letter
from casemate.orchestrator.lives import Live, Lives
from casemate.orchestrator.shelf import Shelf
from casemate.orchestrator.step import Surroundings, Written
from casemate.orchestrator.telling import call_in, key_in
from casemate.orchestrator.world import ServiceWorld, whose_execution
from casemate.sealed import disowned
from casemate.secrets import NotAllowed
from casemate.storage import Storage, StorageError
from casemate.store import Database, executions, namespaces, outbox
from casemate.store.outbox import Message

log = structlog.get_logger()

_AT_ONCE = 32
"""How many messages are worked on at a time."""

_Resolve: TypeAlias = Callable[[Flow, Mapping[str, object]], Awaitable[Mapping[str, object]]]


class _Impossible(Exception):
    """It can not be started; the message says why."""


class Subflows:
    """Delivers them. `insist` brings an item to an execution however long that takes."""

    def __init__(
        self,
        db: Database,
        storage: Storage,
        shelf: Shelf,
        lives: Lives,
        worlds: Worlds,
        resolve: _Resolve,
        context: Context,
        around: Callable[[], Surroundings],
        insist: Callable[[Key, Item], Awaitable[object]],
    ) -> None:
        self._db = db
        self._storage = storage
        self._shelf = shelf
        self._lives = lives
        self._worlds = worlds
        self._resolve = resolve
        self._context = context
        self._around = around
        self._insist = insist
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def deliver(self, message: Message) -> None:
        """Bring a message to the execution it is for; one for an execution that is gone is dropped."""
        async with self._room:
            try:
                await self._carry_out(message)
            except Refused:
                # The flow of who is to hear it is valid no more: whatever is brought ends that execution.
                await self._insist(key_in(message), Happened(Begin()))
                await self._db.transact(outbox.sent, [message.seq])
            except NotFound:
                await self._db.transact(outbox.sent, [message.seq])

    async def _carry_out(self, message: Message) -> None:
        match message.kind:
            case "subflow":
                await self._start(message)
            case "ended":
                await self._tell(message)
            case "merge":
                await self._merge(message)
            case "stop":
                await self._post(message, KillRequested())
            case _:
                # A newer version may have written it; it stays until that one is back.
                log.error("message.unknown", kind=message.kind)

    async def _post(self, message: Message, event: Event) -> None:
        key = key_in(message)
        await self._lives.current(key)  # raises NotFound
        await self._insist(key, Letter(message.seq, event))

    # Starting --------------------------------------------------------------------------------------------------------

    async def _start(self, message: Message) -> None:
        key, call = key_in(message), call_in(message)
        parent = await self._lives.current(key)
        if not awaits(parent.execution, call):
            await self._post(message, SubflowRefused(call=call, reason="Nobody asks for it any more."))
            return
        opened = Mask()
        try:
            flow, subflow = await self._subflow(parent, call, opened)
        except _Impossible as error:
            await self._post(message, SubflowRefused(call=call, reason=opened.cover(str(error))))
            return
        written = await self._insist(key, Born(message.seq, flow, subflow))
        if isinstance(written, Written):
            self._lives.adopt(flow, written)

    async def _subflow(self, parent: Live, call: Call, opened: Mask) -> tuple[Flow, Execution]:
        """What is to be started; what the templates of the call were shown is added to `opened`."""
        around = self._around()
        _bounded(parent.execution, around.rules.subflow_depth)
        task = _task_of(parent, call)
        wanted = await self._wanted(parent, task, call, await self._batch(parent.execution, call), opened)
        flow = await self._flow(parent.execution, wanted)
        try:
            inputs = await self._resolve(flow, wanted.inputs)
        except Refused as refused:
            told = "\n".join(problem.printed() for problem in refused.problems)
            raise _Impossible(told) from refused
        made = partial(subflow_of, flow, parent.execution, task, call, wanted)
        return flow, made(id=ExecutionId(around.new_id()), now=around.now, inputs=inputs)

    async def _batch(self, execution: Execution, call: Call) -> Mapping[str, object]:
        """What `taskrun` has beside the rest where inputs are rendered."""
        if not call.number:
            return {}
        try:
            return {"items": await batches.part_of(self._storage, execution, call), "iteration": call.number}
        except (StorageError, ValueError) as error:
            raise _Impossible(str(error)) from error

    async def _wanted(self, parent: Live, task: Task, call: Call, batch: Mapping[str, object], opened: Mask) -> Wanted:
        """What the call asks for."""
        seen = variables_of(parent.flow, parent.execution, call.task_run, noting(self._context, opened.add))
        run = seen["taskrun"]
        assert isinstance(run, Mapping), "there is a task run"
        within = {**seen, "taskrun": {**run, **batch}} if batch else seen

        def fill(service: ServiceWorld) -> Wanted:
            world = replace(service, mask=opened)

            def filled(template: object, variables: Mapping[str, object] = seen) -> object:
                return render(template, variables, world, budget=budget())

            return wanted_by(task, filled, lambda template: as_json(filled(template, within)))

        try:
            return await self._worlds.within(whose_execution(parent.execution), fill)
        except ExpressionError as error:
            raise _Impossible(str(error)) from error

    async def _flow(self, parent: Execution, wanted: Wanted) -> Flow:
        place = (parent.tenant, wanted.namespace, wanted.flow_id)
        record = await self._db.read(namespaces.get, parent.tenant, wanted.namespace)
        if record is not None and not record.admits(parent.namespace):
            raise _Impossible(str(NotAllowed(record.id)))
        try:
            if wanted.revision is None:
                flow = await self._shelf.latest(*place)
            else:
                flow = await self._shelf.revision(*place, wanted.revision)
        except NotFound as error:
            raise _Impossible(wanted.missing) from error
        except Refused as refused:
            raise _Impossible(f"Cannot execute an invalid flow: {refused}") from refused
        if flow.deleted:
            raise _Impossible(wanted.missing)
        if flow.disabled:
            raise _Impossible("Cannot execute a flow which is disabled")
        return flow

    # Ending ----------------------------------------------------------------------------------------------------------

    async def _tell(self, message: Message) -> None:
        parent = await self._lives.current(key_in(message))
        call, subflow = call_in(message), ExecutionId(message.body["subflow"])
        outputs, failure = await self._outputs(parent, call, subflow)
        state = State(message.body["state"])
        event = SubflowEnded(call=call, subflow=subflow, state=state, outputs=outputs, failure=failure)
        await self._post(message, event)

    async def _outputs(
        self, parent: Live, call: Call, subflow: ExecutionId
    ) -> tuple[Mapping[str, object] | None, str | None]:
        """What the task run takes over of the ended execution, or why it can't."""
        ended = await self._db.read(executions.get, parent.execution.tenant, subflow)
        if call.task_run not in parent.execution.task_runs or ended is None:
            return None, None
        try:
            outputs = await self._taken_over(parent, _task_of(parent, call), ended)
        except (ExpressionError, Refused) as error:
            return None, str(error)
        refusal = weighing.refusal(outputs, self._around().rules.output_bytes)
        if refusal is None and outputs and call.number:
            await batches.keep_outputs(self._storage, parent.execution, call, outputs)
        return (outputs, None) if refusal is None else (None, refusal)

    async def _merge(self, message: Message) -> None:
        call, execution = call_in(message), (await self._lives.current(key_in(message))).execution
        uri, failure = None, None
        if awaits(execution, call):
            try:
                uri = await batches.merged(self._storage, execution, call)
            except StorageError as error:
                failure = str(error)
        await self._post(message, OutputsMerged(call=call, uri=uri, failure=failure))

    async def _taken_over(self, parent: Live, task: Task, ended: Execution) -> Mapping[str, object] | None:
        extracts = task.properties.get("outputs")
        if not isinstance(extracts, Mapping):
            return ended.outputs
        flow = await self._shelf.of(ended)
        # The templates are the caller's: they see what the other execution made, but nothing of its namespace's
        # secrets, and nothing sealed in the clear.
        seen = variables_of(flow, ended, None, replace(self._context, seal=None, unseal=None))
        whose = whose_execution(parent.execution)
        whose = replace(whose, folders=(*whose.folders, *whose_execution(ended).folders))

        def fill(world: ServiceWorld) -> object:
            try:
                return as_json(render(extracts, seen, world, budget=budget()))
            except ExpressionError as error:
                raise ExpressionError(world.covered(error)) from None

        rendered = await self._worlds.within(whose, fill)
        assert isinstance(rendered, Mapping), "a map is rendered to a map"
        # What looks like an envelope in them was made up by the caller: those of the other execution are texts here.
        return {**(ended.outputs or {}), **{name: disowned(value) for name, value in rendered.items()}}


def _bounded(execution: Execution, depth: int) -> None:
    # Flows that call each other without end would otherwise fill the database.
    if depth_of(execution) >= depth:
        raise _Impossible(
            f"Executions that start one another may be nested {depth} deep: do these flows call each other without end?"
        )


def _task_of(parent: Live, call: Call) -> Task:
    run = parent.execution.task_runs[call.task_run]
    return next(task for task in parent.flow.all_tasks() if task.id == run.task_id)
