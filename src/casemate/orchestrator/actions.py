"""What people do with executions that exist: pause, resume, restart, replay, change a state (spec/engine 7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from casemate.executions import (
    Decision,
    Execution,
    KillRequested,
    PauseRequested,
    ResumeRequested,
    RunForced,
    State,
    UnqueueRequested,
    WrongChoice,
    asked_on_resume,
    labelled,
    replayed,
    replayed_from,
    restarted,
    restarted_as,
    retyped_inputs,
    with_run_state,
    with_status,
)
from casemate.flows import Flow, Label
from casemate.identifiers import ExecutionId, TaskRunId, TenantId
from casemate.orchestrator.errors import Conflict
from casemate.orchestrator.items import Amend, Happened
from casemate.orchestrator.lives import Lives
from casemate.orchestrator.shelf import Shelf
from casemate.orchestrator.step import Surroundings
from casemate.sealed import Sealed, as_input, envelope

Submitted: TypeAlias = Mapping[str, object]
"""Inputs as they came; uploads as their addresses."""

Resolve: TypeAlias = Callable[[Flow, Submitted, Callable[[Sealed], object]], Awaitable[Mapping[str, object]]]
"""Makes inputs of a flow of what was submitted, SECRET ones in the form that the last argument gives them.

Raises `Refused` with every problem.
"""


class Actions:
    """All of them. Each raises `NotFound` for an execution that is not there, and what its decision raises."""

    def __init__(self, lives: Lives, shelf: Shelf, resolve: Resolve, around: Callable[[], Surroundings]) -> None:
        self._lives = lives
        self._shelf = shelf
        self._resolve = resolve
        self._around = around

    async def kill(self, tenant: TenantId, execution: ExecutionId, *, cascade: bool = True) -> None:
        """Stop it, with `cascade` also what it has started. Raises `Conflict` without that if it has ended."""
        if (await self._lives.execution((tenant, execution))).over and not cascade:
            raise Conflict("Execution is already finished, can't kill it")
        await self._bring(tenant, execution, Happened(KillRequested(cascade=cascade)))

    async def pause(self, tenant: TenantId, execution: ExecutionId) -> Execution:
        """Let nothing new begin; what runs goes on to its end. Raises `WrongChoice` if it does not run."""
        if (await self._lives.execution((tenant, execution))).state is not State.RUNNING:
            raise WrongChoice("The execution is not running")
        return await self._bring(tenant, execution, Happened(PauseRequested()))

    async def resume(self, tenant: TenantId, execution: ExecutionId, submitted: Submitted | None = None) -> Execution:
        """Let the oldest paused task run go on, with the inputs it asks for.

        Raises `WrongState` for an execution that is not paused, `Refused` with what is wrong with the inputs.
        """
        live = await self._lives.current((tenant, execution))
        run, asked = asked_on_resume(live.flow, live.execution)
        # They become outputs of the pause, hence in envelopes: nothing else says of an output that it is to be opened.
        inputs = await self._resolve(replace(live.flow, inputs=asked), submitted or {}, envelope)
        return await self._bring(tenant, execution, Happened(ResumeRequested(inputs=inputs, task_run=run)))

    async def unqueue(self, tenant: TenantId, execution: ExecutionId, state: State = State.RUNNING) -> Execution:
        """Let a queued execution run whatever the limit says, or end it. Raises `WrongChoice` if it does not wait."""
        if (await self._lives.current((tenant, execution))).execution.state is not State.QUEUED:
            raise WrongChoice("Only QUEUED execution can be unqueued")
        if state not in (State.RUNNING, State.CANCELLED, State.FAILED):
            raise WrongChoice(f"A queued execution can become RUNNING, CANCELLED or FAILED, not {state}")
        return await self._bring(tenant, execution, Happened(UnqueueRequested(state)))

    async def force_run(self, tenant: TenantId, execution: ExecutionId) -> Execution:
        """Let an execution run at once, whatever it waits for. Raises `WrongChoice` if it has ended."""
        if (await self._lives.current((tenant, execution))).execution.state.terminated:
            raise WrongChoice("Only non terminated executions can be forced run.")
        return await self._bring(tenant, execution, Happened(RunForced()))

    async def restart(self, tenant: TenantId, execution: ExecutionId, revision: int | None = None) -> Execution:
        """Run an execution again from its failed task runs; with a revision that is a new execution.

        Raises `WrongState` for one that still runs, `WrongChoice` if nothing in it failed.
        """
        if revision is None:
            return await self._bring(tenant, execution, Amend(restarted))
        old = await self._lives.execution((tenant, execution))
        flow = await self._startable(old, revision)
        old = await self._retyped(old, flow)
        around = self._around()
        key = ExecutionId(around.new_id())
        return await self._begin(flow, restarted_as(flow, old, id=key, now=around.now, new_id=around.new_run))

    async def replay(
        self,
        tenant: TenantId,
        execution: ExecutionId,
        *,
        task_run: TaskRunId | None = None,
        revision: int | None = None,
        latest: bool = False,
        submitted: Submitted | None = None,
        as_id: ExecutionId | None = None,
    ) -> Execution:
        """Run an execution again as a new one, from its beginning or from a task run.

        Its flow is that of the old one unless a revision is given, or `latest`. `submitted` are other inputs; uploads
        are stored first, under the `as_id` that is then given. Raises `WrongChoice` for an unknown task run.
        """
        old = await self._lives.execution((tenant, execution))
        flow = await self._startable(old, revision, latest=latest)
        old = await self._retyped(old, flow)
        around = self._around()
        key = as_id or ExecutionId(around.new_id())
        if task_run is None:
            new = replace(replayed(old, id=key, now=around.now), flow_revision=flow.revision, caller=None)
        else:
            new = replayed_from(flow, old, task_run, id=key, now=around.now, new_id=around.new_run)
        if submitted:
            new = replace(new, inputs=await self._resolve(flow, submitted, as_input))
        return await self._begin(flow, new)

    async def change_task_run(
        self, tenant: TenantId, execution: ExecutionId, task_run: TaskRunId, state: State
    ) -> Execution:
        """Give a task run another state and let the execution go on from there.

        Raises `WrongChoice` for a task run or state that cannot be meant, `WrongState` while a worker may be at it.
        """

        def decided(flow: Flow, before: Execution, now: datetime) -> Decision:
            return with_run_state(flow, before, task_run, state, now)

        return await self._bring(tenant, execution, Amend(decided))

    async def change_status(self, tenant: TenantId, execution: ExecutionId, state: State) -> Execution:
        """Give an ended execution another end. Raises `WrongChoice`."""

        def decided(_flow: Flow, before: Execution, now: datetime) -> Decision:
            return with_status(before, state, now)

        return await self._bring(tenant, execution, Amend(decided))

    async def set_labels(self, tenant: TenantId, execution: ExecutionId, labels: Sequence[Label]) -> Execution:
        """Give an ended execution further labels. Raises `WrongChoice`."""

        def decided(_flow: Flow, before: Execution, _now: datetime) -> Decision:
            return labelled(before, labels)

        return await self._bring(tenant, execution, Amend(decided))

    async def _bring(self, tenant: TenantId, execution: ExecutionId, item: Amend | Happened) -> Execution:
        after: Execution = await self._lives.bring((tenant, execution), item)
        return after

    async def _startable(self, old: Execution, revision: int | None, *, latest: bool = False) -> Flow:
        place = (old.tenant, old.namespace, old.flow_id)
        if latest:
            flow = await self._shelf.latest(*place)
        else:
            flow = await self._shelf.revision(*place, revision or old.flow_revision)
        if flow.disabled:
            raise Conflict("Cannot execute a flow which is disabled")
        return flow

    async def _retyped(self, old: Execution, flow: Flow) -> Execution:
        """With its inputs as this revision of its flow has them."""
        if flow.revision == old.flow_revision or not old.inputs:
            return old
        inputs = retyped_inputs(await self._shelf.of(old), flow, old.inputs, self._around().context.seal)
        return replace(old, inputs=inputs)

    async def _begin(self, flow: Flow, execution: Execution) -> Execution:
        """Write it and let it begin; what is returned is how it was created."""
        await self._lives.begin(flow, execution)
        return execution
