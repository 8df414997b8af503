"""The orchestrator: turns decisions into rows and hints, and shows executions to whoever watches.

Everything that a crash can lose is made again from rows by `start`: no queue, timer or watcher is the only copy.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import structlog

from casemate.catalog import Catalog
from casemate.dispatch import Dispatch
from casemate.errors import CasemateError
from casemate.executions import (
    Answer,
    Context,
    Execution,
    Resolve,
    Resolved,
    start,
)
from casemate.expressions import Jq, no_jq
from casemate.flows import Flow, Label
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId, friendly
from casemate.orchestrator import weighing
from casemate.orchestrator.actions import Actions
from casemate.orchestrator.alarms import Alarms
from casemate.orchestrator.answering import Renderers, Worlds
from casemate.orchestrator.calls import Calls
from casemate.orchestrator.controls import Controls
from casemate.orchestrator.dating import Dating
from casemate.orchestrator.desk import Desk
from casemate.orchestrator.errors import Conflict
from casemate.orchestrator.flow_triggers import FlowTriggers
from casemate.orchestrator.governing import Governing
from casemate.orchestrator.items import Due, Happened, Item, Key
from casemate.orchestrator.kin import Reach, kin_of
from casemate.orchestrator.lives import Lives, key_of
from casemate.orchestrator.patience import patiently
from casemate.orchestrator.polled import Polled
from casemate.orchestrator.polls import Polls
from casemate.orchestrator.relay import Relay
from casemate.orchestrator.removing import Belongings, Remover
from casemate.orchestrator.rules import Rules
from casemate.orchestrator.scheduler import Scheduler
from casemate.orchestrator.shelf import Shelf
from casemate.orchestrator.starting import Starting
from casemate.orchestrator.step import Surroundings, Written
from casemate.orchestrator.subflows import Subflows
from casemate.orchestrator.tasks import Tasks
from casemate.orchestrator.telling import CHANGED
from casemate.orchestrator.tending import Tender
from casemate.orchestrator.triggers import Triggers
from casemate.orchestrator.watching import Watchers, changes_of, entries_of
from casemate.orchestrator.webhook import Webhooks, WebRequest
from casemate.orchestrator.world import whose_execution
from casemate.secrets import Secrets
from casemate.settings import Service
from casemate.storage import Storage
from casemate.store import Database, LogEntry, Timer
from casemate.store.logs import Wanted
from casemate.store.outbox import Message

log = structlog.get_logger()


def _now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A new random id of 22 characters."""
    return friendly(uuid4())


class Orchestrator:
    """One executor. `desk` is what workers talk to; give it to the dispatch before `start`.

    `actions` is what people do with executions that exist, `starting` makes those that triggers start,
    `triggers` is what people do with triggers, `controls` what operators decide for the instance, `governing` renews
    the rules that hold. The `scheduler` has a start of its own.
    """

    def __init__(
        self,
        db: Database,
        storage: Storage,
        dispatch: Dispatch,
        secrets: Secrets,
        catalog: Catalog,
        *,
        context: Context | None = None,
        rules: Rules | None = None,
        jq: Jq = no_jq,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._db = db
        self._storage = storage
        self._dispatch = dispatch
        self._context = context or Context()
        self._rules = rules = rules or Rules()
        self._now = now
        self._tasks = Tasks()
        self._watchers = Watchers()
        self._shelf = Shelf(db, catalog, rules.flows_kept, templates=self._context.templates)
        self._relay = Relay(db, dispatch, lambda message: self._tasks.start(self._deliver(message)))
        self._alarms = Alarms(now, self._ring)
        self._lives = Lives(db, self._shelf.of, self._around, self._after, self._tasks)
        within = partial(Worlds, now=now, zone=self._context.zone, readable=rules.readable_bytes, jq=jq)
        self._worlds = within(db=db, storage=storage, secrets=secrets, service=Service.EXECUTOR, threads=Renderers())
        self._remover = Remover(db, storage, dispatch, self._lives, self._watchers, self._relay, self._alarms, now)
        self.governing = Governing(db, catalog, self._shelf)
        started = partial(Starting, context=self._context, around=self._around)
        for_people = self._worlds.of(Service.WEBSERVER)
        self.starting = started(for_people)
        by_dates = started(self._worlds.of(Service.SCHEDULER))
        own, inputs = started(self._worlds).inputs, self.starting.inputs
        self._subflows = Subflows(
            db, storage, self._shelf, self._lives, self._worlds, own, self._context, self._around, self._insist
        )
        self._flow_triggers = FlowTriggers(db, self._shelf, self._lives, self._worlds, self._context, self._around)
        self.actions = Actions(self._lives, self._shelf, inputs, self._around)
        self._webhooks = Webhooks(db, self._shelf, self._lives, for_people, self.starting, now)
        dating = Dating(self._shelf, by_dates, self._context, rules.recover_missed)
        for_workers = self._worlds.of(Service.WORKER)
        polls = Polls(
            db=db,
            dispatch=dispatch,
            catalog=catalog,
            worlds=for_workers,
            starting=by_dates,
            recursive=rules.recursive_rendering,
            context=self._context,
            around=self._around,
            polled=Polled(db, self._lives, by_dates, self._context, self._around),
        )
        self.scheduler = Scheduler(db, self._lives, dating, polls, self._around, self._tasks)
        self.triggers = Triggers(db, dating, now, self._context.seal)
        boot = new_id()
        self.desk = Desk(
            db=db,
            lives=self._lives,
            worlds=for_workers,
            calls=Calls(
                db, storage, catalog, self.actions.resume, self._context.seal, plaintext=self._context.plaintext
            ),
            storage=storage,
            context=self._context,
            rules=rules,
            boot=boot,
            now=now,
            logged=self._logged,
            watchers=self._watchers,
            polls=polls,
            catalog=catalog,
        )
        self._tender = Tender(
            db=db,
            dispatch=dispatch,
            relay=self._relay,
            alarms=self._alarms,
            insist=self._insist,
            rules=rules,
            boot=boot,
            now=now,
            hears=lambda: self.desk.hears,
        )
        self.controls = Controls(db, self._tender, self._tasks, now)

    # Life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier start left, then keep going in the background. Call it before workers connect."""
        await self.governing.renew()
        self._tasks.start(self._relay.send())
        self._tasks.start(self._relay.clear())
        await self._tender.recover()
        await self._relay.sweep()
        self._tasks.start(self._tender.run())

    async def stop(self) -> None:
        """Stop at once; nothing is lost."""
        self._alarms.stop()
        await self._tasks.stop()
        self._worlds.threads.close()
        self._lives.stop()

    async def tend(self) -> None:
        """Look after leases, hints and messages now, instead of at the next round."""
        await self._tender.tend()

    # Acting on executions ------------------------------------------------------------------------------------------

    async def flow_of(self, tenant: TenantId, namespace: Namespace, flow: FlowId, revision: int | None = None) -> Flow:
        """A stored flow, the last revision by default. Raises `NotFound`, and `Refused` if it is no longer valid."""
        if revision is None:
            return await self._shelf.latest(tenant, namespace, flow)
        return await self._shelf.revision(tenant, namespace, flow, revision)

    async def create(
        self,
        flow: Flow,
        submitted: Mapping[str, object] | None = None,
        *,
        labels: Sequence[Label] = (),
        trigger: Mapping[str, object] | None = None,
        execution_id: ExecutionId | None = None,
        schedule_date: datetime | None = None,
    ) -> Execution:
        """Start a stored flow; when this returns, the execution is durable.

        `submitted` are inputs as they came; uploads are stored first, under the `execution_id` that is then given.
        Raises `Refused` with every problem of the inputs, `WrongChoice` if they are too large, `Conflict` if the flow
        is disabled.
        """
        if flow.disabled:
            raise Conflict("Cannot execute a flow which is disabled")
        execution = start(
            flow,
            id=execution_id or ExecutionId(new_id()),
            now=self._now(),
            inputs=await self.starting.inputs(flow, submitted or {}),
            labels=labels,
            trigger=trigger,
            schedule_date=schedule_date,
        )
        weighing.check(execution, self._rules.message_bytes)
        return await self._lives.begin(flow, execution)

    async def webhook(
        self, tenant: TenantId, namespace: Namespace, flow_id: FlowId, key: str, request: WebRequest
    ) -> Execution | None:
        """Start a flow by its webhook; None if a condition of the webhook does not hold.

        Raises `NotFound` for an unknown flow, one that cannot be read any more, or a wrong key: whoever has no key is
        told nothing else. Then `Conflict` if the flow is disabled, `Refused` if it has inputs that must be given.
        """
        return await self._webhooks.start((tenant, namespace, flow_id), key, request)

    async def kill(self, tenant: TenantId, execution: ExecutionId, *, cascade: bool = True) -> None:
        """Stop an execution: what waits is KILLED, what runs is told to stop.

        With `cascade` all executions that it has started are stopped as well. Raises `NotFound`, `Conflict`.
        """
        await self.actions.kill(tenant, execution, cascade=cascade)

    async def delete(self, tenant: TenantId, execution: ExecutionId, belongings: Belongings | None = None) -> None:
        """Remove an execution with all that belongs to it; what still runs is stopped. Raises `NotFound`."""
        belongings = belongings or Belongings()
        await self._remover.delete(tenant, execution, belongings)

    # Watching ------------------------------------------------------------------------------------------------------

    async def get(self, tenant: TenantId, execution: ExecutionId) -> Execution:
        """The execution as it is now. Raises `NotFound`."""
        return await self._lives.execution((tenant, execution))

    def watch(self, tenant: TenantId, execution: ExecutionId) -> AsyncIterator[Execution]:
        """The execution as it is now, then after every change, until it is over or deleted. Raises `NotFound`.

        A slow reader misses changes, never a new state of the execution itself, and never the last change.
        """
        return changes_of(self._watchers, (tenant, execution), partial(self.get, tenant, execution))

    def watch_logs(
        self, tenant: TenantId, execution: ExecutionId, wanted: Wanted | None = None
    ) -> AsyncIterator[LogEntry]:
        """The log entries so far, then new ones, until the execution is over or deleted. Raises `NotFound`."""
        get = partial(self.get, tenant, execution)
        return entries_of(self._db, self._watchers, (tenant, execution), get, wanted or Wanted())

    def watch_kin(self, tenant: TenantId, execution: ExecutionId, reach: Reach) -> AsyncIterator[Execution]:
        """The same for an execution with those that it started or was started by. Raises `NotFound`."""
        return kin_of(self._db, self._watchers, (tenant, execution), partial(self.get, tenant), reach)

    # After a commit ------------------------------------------------------------------------------------------------

    def _after(self, written: Written) -> None:
        execution = written.execution
        for message in written.messages:
            if "job" in message.body:
                self.desk.expect(message.body["job"], key_of(execution))
        if execution.over:
            self.scheduler.ended(execution)
        self._relay.take(written.messages)
        for key in written.forgotten:
            self._alarms.forget(execution.tenant, execution.id, key)
        for timer in written.timers:
            self._alarms.set(timer)
        for question in written.questions:
            self._tasks.start(self._resolve(execution, question))
        for note in written.notes:
            log.debug("execution.noted", execution=execution.id, level=note.level, message=note.message)
        if written.changed or written.logged:
            for watcher in self._watchers.of(key_of(execution)):
                watcher.tell(written.execution if written.changed else None)

    def _logged(self, key: Key) -> None:
        for watcher in self._watchers.of(key):
            watcher.tell()

    async def _deliver(self, message: Message) -> None:
        deliverer = self._flow_triggers if message.kind == CHANGED else self._subflows
        await deliverer.deliver(message)

    async def _resolve(self, execution: Execution, question: Resolve) -> None:
        answer = await self._answer(execution, question)
        await self._insist(key_of(execution), Happened(Resolved(question.key, answer)))

    async def _answer(self, execution: Execution, question: Resolve) -> Answer:
        """The reply, in any case: the execution waits for it, and nobody asks again."""
        try:
            return await patiently(partial(self._worlds.resolve, whose_execution(execution), question), execution.id)
        except Exception as error:  # the top of a task: without an answer the execution would wait for ever
            log.exception("question.failed", execution=execution.id, key=question.key)
            return Answer(error=f"The template cannot be rendered: {type(error).__name__}")

    def _ring(self, timer: Timer) -> None:
        self._tasks.start(self._wake(timer))

    async def _wake(self, timer: Timer) -> None:
        begun = await self._insist((timer.tenant, timer.execution), Due(timer))
        if isinstance(begun, Written):
            self._lives.adopt(await self._shelf.of(begun.execution), begun)

    async def _insist(self, key: Key, item: Item) -> object:
        """Bring an item that nobody else will bring again, however long the database is unavailable."""
        try:
            return await patiently(partial(self._lives.bring, key, item), key[1])
        except CasemateError as error:
            # Deleted meanwhile, or ended because it can't go on: nothing that waiting would cure.
            log.warning("execution.not_reached", execution=key[1], error=str(error))
            return None

    def _around(self) -> Surroundings:
        return Surroundings(
            now=self._now(),
            new_id=new_id,
            chance=random.random,
            context=self._context,
            rules=self._rules,
            hears=self._flow_triggers.hears,
        )
