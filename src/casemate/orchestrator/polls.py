"""Evaluations of triggers that poll: jobs for workers that belong to no execution, as none has begun (spec/engine 9.2).

They are kept in memory. The record of the trigger says that one runs; when a start finds it so it is simply polled
again, as nothing but a question to the world was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from casemate.catalog import Catalog
from casemate.dispatch import Ask, Dispatch, NotHeld, Reply
from casemate.executions import Context, Execution, noting, variables_of
from casemate.flows import Task
from casemate.identifiers import ExecutionId, Fence, JobId, TaskId, TaskRunId, TenantId, WorkerId
from casemate.jobs import Finished, Grant, Hint, Logged, Place, Report, Stale
from casemate.orchestrator.answering import Worlds
from casemate.orchestrator.calls import NO_KEY, SEAL, sealed_text
from casemate.orchestrator.dating import Found
from casemate.orchestrator.delivery import unnamed
from casemate.orchestrator.polled import Polled
from casemate.orchestrator.starting import Starting
from casemate.orchestrator.step import Surroundings
from casemate.orchestrator.world import whose_flow
from casemate.secret import Secret
from casemate.storage import paths
from casemate.store import Conflict, Database, maintenance, triggers
from casemate.triggers import TriggerState, asked

log = structlog.get_logger()

_FENCE = Fence(1)
"""An evaluation is granted once; a lost one is given up, and the next is another job."""

_APART = frozenset(("interval", "responseCondition"))
"""Properties that say when to ask and what the answer means, not what to ask."""


@dataclass(slots=True)
class Poll:
    """One evaluation. `state` is the record as it was written when it began."""

    job: JobId
    state: TriggerState
    found: Found
    task: Task
    execution: Execution
    until: datetime
    """When it is given up unless a worker says that it goes on."""
    worker: WorkerId | None = None


class Polls:
    """All of them."""

    def __init__(
        self,
        *,
        db: Database,
        dispatch: Dispatch,
        catalog: Catalog,
        recursive: bool,
        worlds: Worlds,
        starting: Starting,
        context: Context,
        around: Callable[[], Surroundings],
        polled: Polled,
    ) -> None:
        self._db = db
        self._dispatch = dispatch
        self._catalog = catalog
        self._recursive = recursive
        self._worlds = worlds
        self._starting = starting
        self._context = context
        self._around = around
        self._polled = polled
        self._polls: dict[JobId, Poll] = {}

    # For the scheduler -----------------------------------------------------------------------------------------------

    async def begin(self, state: TriggerState, found: Found) -> None:
        """Offer an evaluation to the workers. Raises the store's `Conflict` if the record has changed."""
        if await self._db.read(maintenance.on):
            return  # it stays due, and is looked at again in a second
        around = self._around()
        running = await self._db.transact(triggers.save, state, asked(state, around.now))
        job = JobId(f"{around.new_id()}-poll")
        self._polls[job] = Poll(
            job=job,
            state=running,
            found=found,
            task=self._task(found),
            execution=self._starting.bare(found.flow, found.trigger, {}, id=ExecutionId(around.new_id())),
            until=around.now + around.rules.poll_wait,
        )
        await self._dispatch.offer([Hint(job)])

    def _task(self, found: Found) -> Task:
        """What a worker does for the trigger: its request, which may be answered with an error."""
        manifest = self._catalog.find(found.trigger.canonical)
        assert manifest is not None, "the flow was checked"
        own = manifest.schema.properties.keys() - _APART
        properties = {name: value for name, value in found.trigger.properties.items() if name in own}
        level = found.trigger.properties.get("logLevel")
        return Task(
            id=TaskId(found.trigger.id),
            type=found.trigger.type,
            canonical=manifest.type,
            role=manifest.role,
            properties={**properties, "allowFailed": True},
            log_level=str(level) if level else None,
        )

    async def sweep(self) -> None:
        """Hints may be lost, and workers: what nobody took is offered again, what nobody speaks of is given up."""
        now = self._around().now
        for poll in [each for each in self._polls.values() if each.until < now]:
            del self._polls[poll.job]
            await self._polled.lost(poll.state, poll.found)
        waiting = [Hint(poll.job) for poll in self._polls.values() if poll.worker is None]
        if waiting:
            await self._dispatch.offer(waiting)

    # For workers -----------------------------------------------------------------------------------------------------

    def knows(self, job: JobId) -> bool:
        """Is this job an evaluation?"""
        return job in self._polls

    def claim(self, worker: WorkerId, hint: Hint) -> Grant | Stale:
        """Give it to the first who asks."""
        poll = self._polls[hint.job]
        if poll.worker is not None:
            return Stale("it does not wait any more")
        around = self._around()
        poll.worker, poll.until = worker, around.now + around.rules.lease
        return self._grant(poll, around)

    def _grant(self, poll: Poll, around: Surroundings) -> Grant:
        flow, execution = poll.found.flow, poll.execution
        opened: list[Secret] = []
        return Grant(
            job=poll.job,
            fence=_FENCE,
            lease=around.rules.lease,
            place=Place(
                tenant=flow.tenant,
                namespace=flow.namespace,
                flow=flow.id,
                flow_revision=flow.revision,
                execution=execution.id,
                task_run=TaskRunId(poll.job),
                attempt=1,
            ),
            task=poll.task,
            variables=variables_of(flow, execution, None, noting(self._context, opened.append)),
            opened=opened,
            storage=paths.execution_folder(flow.namespace, flow.id, execution.id),
            deadline=around.now + around.rules.poll_time,
        )

    def renew(self, worker: WorkerId, job: JobId, fence: Fence) -> bool:
        """A worker says that it goes on; False if it has no right to."""
        if not self._is_of(worker, job, fence):
            return False
        around = self._around()
        self._polls[job].until = around.now + around.rules.lease
        return True

    async def report(self, worker: WorkerId, report: Report) -> bool:
        """Keep what an evaluation wrote, or see what it came to; False if the worker has no right to it."""
        if not self._is_of(worker, report.job, report.fence):
            return False
        poll = self._polls[report.job]
        match report:
            case Logged(lines=lines):
                await self._polled.write(poll.state, lines)
            case Finished():
                await self._end(poll, report)
        return True

    async def _end(self, poll: Poll, report: Finished) -> None:
        try:
            await self._polled.ended(poll.state, poll.found, poll.execution.id, report)
        except Conflict:
            # Its flow or someone else has changed the trigger meanwhile: that answer is not asked for any more.
            log.debug("trigger.changed_meanwhile", flow=poll.state.flow_id, trigger=poll.state.trigger_id)
        self._polls.pop(poll.job, None)

    async def answer(self, worker: WorkerId, job: JobId, fence: Fence, question: Ask) -> Reply:
        """Call a function of the world for it, or seal what it must not tell. Raises `NotHeld`."""
        poll = self._held(worker, job, fence)
        if question.function == SEAL:
            return self._sealed(poll, question.arguments)
        refusal = unnamed(question, poll.task, recursive=self._recursive)
        return refusal or await self._worlds.reply(whose_flow(poll.found.flow), question)

    def _sealed(self, poll: Poll, arguments: Mapping[str, object]) -> Reply:
        manifest, text = self._catalog.find(poll.task.canonical), arguments.get("text")
        if manifest is None or SEAL not in manifest.asks or not isinstance(text, str):
            return Reply(error=f"A trigger of this type must not ask for '{SEAL}'.")
        sealed = sealed_text(text, self._context.seal, plaintext=self._context.plaintext)
        return Reply(error=NO_KEY) if sealed is None else Reply(sealed)

    def tenant(self, worker: WorkerId, job: JobId, fence: Fence) -> TenantId | None:
        """Whose files it may read; None for what is no evaluation of this worker."""
        return self._polls[job].state.tenant if self._is_of(worker, job, fence) else None

    def _held(self, worker: WorkerId, job: JobId, fence: Fence) -> Poll:
        if not self._is_of(worker, job, fence):
            raise NotHeld
        return self._polls[job]

    def _is_of(self, worker: WorkerId, job: JobId, fence: Fence) -> bool:
        poll = self._polls.get(job)
        return poll is not None and poll.worker == worker and fence == _FENCE
