"""Flow triggers at work: what the new state of one execution starts (spec/engine 9.3).

A message says which state an execution has come to; all that follows from it is one transaction, in which the message
goes. Messages of a tenant are taken one after the other, so that windows fill in the order of what happened.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

import structlog

from casemate.errors import Refused
from casemate.executions import Context, Execution, State
from casemate.flows import Flow, FlowKey
from casemate.identifiers import TenantId
from casemate.orchestrator import applying, hearing
from casemate.orchestrator.answering import Worlds
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.hearing import Heard, Refusal
from casemate.orchestrator.lives import Lives
from casemate.orchestrator.patience import afresh, patiently
from casemate.orchestrator.shelf import Shelf
from casemate.orchestrator.step import Surroundings, Written
from casemate.orchestrator.stopping import is_stopped
from casemate.orchestrator.telling import key_in
from casemate.orchestrator.world import whose_listener
from casemate.store import Conflict, Database, LogEntry, Tx, flows, logs, outbox, windows
from casemate.store.flows import Revision
from casemate.store.outbox import Message
from casemate.triggers import FlowTrigger, Window, consider, flow_triggers

log = structlog.get_logger()

_Windows: TypeAlias = dict[FlowKey, dict[str, Window]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """What is kept of a flow with Flow triggers: enough to tell whom it hears, without its tasks."""

    number: int
    flow: Flow
    triggers: tuple[FlowTrigger, ...]
    states: frozenset[str]


def _listener_of(flow: Flow) -> _Listener:
    triggers = flow_triggers(flow)
    return _Listener(
        number=flow.revision,
        flow=replace(
            flow, tasks=(), errors=None, finally_=(), after_execution=(), listeners=(), source="", document={}
        ),
        triggers=triggers,
        states=frozenset(state for trigger in triggers for state in trigger.states),
    )


@dataclass(slots=True)
class _Outcome:
    """What is to be written: windows as they were and as they become, new executions, and what is to be said."""

    before: _Windows = field(default_factory=dict)
    after: dict[FlowKey, dict[str, Window | None]] = field(default_factory=lambda: defaultdict(dict))
    births: list[tuple[Flow, Execution]] = field(default_factory=list)
    entries: list[LogEntry] = field(default_factory=list)

    def windows(self, flow: FlowKey) -> dict[str, Window]:
        """Those of a flow as they are by now."""
        now = {**self.before.get(flow, {}), **self.after.get(flow, {})}
        return {name: window for name, window in now.items() if window is not None}


class FlowTriggers:
    """Delivers these messages. `hears` tells beforehand which states nobody waits for."""

    def __init__(
        self,
        db: Database,
        shelf: Shelf,
        lives: Lives,
        worlds: Worlds,
        context: Context,
        around: Callable[[], Surroundings],
    ) -> None:
        self._db = db
        self._shelf = shelf
        self._lives = lives
        self._worlds = worlds
        self._context = context
        self._around = around
        self._known: dict[FlowKey, _Listener] = {}
        self._lines: defaultdict[TenantId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def hears(self, tenant: TenantId, revision: Revision, state: State) -> bool:
        """May a trigger of this flow wait for this state? Yes, as long as the revision was not looked at."""
        known = self._known.get((tenant, *revision[:2]))
        return known is None or known.number != revision[2] or state.value in known.states

    async def deliver(self, message: Message) -> None:
        """Start what an execution starts by the state it has come to."""
        tenant, execution = key_in(message)
        async with self._lines[tenant]:
            await patiently(partial(self._deliver, message), execution)

    async def _deliver(self, message: Message) -> None:
        try:
            source = (await self._lives.execution(key_in(message))).at(message.body["entry"])
        except NotFound:
            await self._db.transact(outbox.sent, [message.seq])
            return
        heard = await self._heard(source)
        for flow, written in await afresh(partial(self._act, message, source, heard)):
            self._lives.adopt(flow, written)

    # Hearing ---------------------------------------------------------------------------------------------------------

    async def _heard(self, source: Execution) -> list[Heard]:
        """The triggers whose conditions hold for the execution."""
        found: list[Heard] = []
        for revision in await self._db.read(flows.listening, source.tenant):
            # A flow never starts itself; through another one it may.
            if revision[:2] != (source.namespace, source.flow_id):
                listener = await self._listener((source.tenant, *revision[:2]), revision[2])
                found += [] if listener is None else await self._heard_by(listener, source)
        return found

    async def _heard_by(self, listener: _Listener, source: Execution) -> list[Heard]:
        found: list[Heard] = []
        for trigger in listener.triggers:
            awaited = source.state.value in trigger.states
            if awaited and not await is_stopped(self._db, listener.flow, trigger.trigger):
                found += await self._asked(listener.flow, trigger, source)
        return found

    async def _listener(self, key: FlowKey, number: int) -> _Listener | None:
        """A flow that has Flow triggers, read once for each revision; None if it is valid no more."""
        known = self._known.get(key)
        if known is not None and known.number == number:
            return known
        flow = await self._flow(key, number)
        if flow is None:
            return None
        self._known[key] = _listener_of(flow)
        return self._known[key]

    async def _flow(self, key: FlowKey, number: int) -> Flow | None:
        """A revision with all its tasks; None if it is valid no more."""
        try:
            return await self._shelf.revision(*key, number)
        except (Refused, NotFound) as error:
            log.warning("flow_trigger.flow_unreadable", namespace=key[1], flow=key[2], error=str(error))
            return None

    async def _asked(self, flow: Flow, trigger: FlowTrigger, source: Execution) -> list[Heard]:
        try:
            heard = hearing.at_once(flow, trigger, source)
        except hearing.NeedsRendering:
            ask = partial(hearing.heard, flow, trigger, source, self._context)
            heard = await self._worlds.within(whose_listener(flow, source), ask)
        return [] if heard is None else [heard]

    # Acting ----------------------------------------------------------------------------------------------------------

    async def _act(
        self, message: Message, source: Execution, heard: Sequence[Heard]
    ) -> tuple[tuple[Flow, Written], ...]:
        """Write what follows. Raises the store's `Conflict` if someone else has changed a window meanwhile."""
        around = self._around()
        outcome = _Outcome()
        for each in heard:
            await self._consider(each, source, outcome, around.now)
        written = await self._db.transact(_write, message.seq, source.tenant, outcome, around)
        return tuple(zip((flow for flow, _ in outcome.births), written, strict=False))

    async def _consider(self, heard: Heard, source: Execution, outcome: _Outcome, now: datetime) -> None:
        key = (heard.flow.tenant, heard.flow.namespace, heard.flow.id)
        if heard.trigger.groups and key not in outcome.before:
            outcome.before[key] = await self._db.read(windows.of_flow, *key)
        found = consider(heard.trigger, heard.met, outcome.windows(key), source.outputs or {}, now, self._context.zone)
        if found.windows:
            outcome.after[key] |= found.windows
        if found.fires:
            await self._bear(heard, source, found.outputs, outcome)

    async def _bear(self, heard: Heard, source: Execution, outputs: Mapping[str, object], outcome: _Outcome) -> None:
        around = self._around()
        flow = await self._flow((heard.flow.tenant, heard.flow.namespace, heard.flow.id), heard.flow.revision)
        if flow is None:
            return
        make = partial(hearing.born, replace(heard, flow=flow), source, outputs, self._context, around)
        born = await self._worlds.within(whose_listener(flow, source), make)
        if isinstance(born, Refusal):
            outcome.entries += born.entries(around.now)
        else:
            outcome.births.append((flow, born))


def _write(tx: Tx, seq: int, tenant: TenantId, outcome: _Outcome, around: Surroundings) -> tuple[Written, ...]:
    """Write all of it; nothing if the message was delivered before. Raises `Conflict` if a window has changed."""
    if not outbox.take(tx, seq):
        return ()
    for flow, before in outcome.before.items():
        if windows.of_flow(tx, *flow) != before:
            raise Conflict(f"The windows of flow {flow[1]}.{flow[2]} were changed by someone else")
        windows.save(tx, *flow, outcome.after.get(flow, {}))
    if outcome.before:
        windows.purge(tx, tenant, around.now)
    logs.append(tx, outcome.entries)
    return tuple(applying.begin(tx, flow, execution, around) for flow, execution in outcome.births)
