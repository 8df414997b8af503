"""The relay: sends the messages of the outbox, then removes them.

A crash in between sends them twice, which does no harm: a hint carries no authority, a kill names its fence. All other
messages are for executions; each goes in the transaction that applies it, which is how it is applied once.
"""

from __future__ import annotations

import asyncio
from asyncio import Event, Task
from collections.abc import Callable, Iterable, Sequence

import structlog

from casemate.dispatch import Dispatch
from casemate.identifiers import Fence, JobId, WorkerId
from casemate.jobs import Hint, Kill
from casemate.store import Database, StoreUnavailable, outbox
from casemate.store.outbox import Message

log = structlog.get_logger()

_CLEARING = 0.25
"""Seconds that a message which was sent stays in the outbox."""


class Relay:
    """Two loops: one sends, one clears. `take` gives it what was just committed, `sweep` what was left over.

    `deliver` begins to bring a message to its execution.
    """

    def __init__(self, db: Database, dispatch: Dispatch, deliver: Callable[[Message], Task[None]]) -> None:
        self._db = db
        self._dispatch = dispatch
        self._deliver = deliver
        self._carried: set[int] = set()
        self._waiting: dict[int, Message] = {}
        self._sent: dict[int, None] = {}
        self._to_send = Event()
        self._to_clear = Event()

    def take(self, messages: Iterable[Message]) -> None:
        """Send these soon."""
        known = self._sent.keys() | self._carried
        self._waiting |= {message.seq: message for message in messages if message.seq not in known}
        if self._waiting:
            self._to_send.set()

    async def sweep(self) -> None:
        """Send whatever the outbox still holds."""
        self.take(await self._db.read(outbox.pending))

    async def send(self) -> None:
        """Send until cancelled."""
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            messages, self._waiting = tuple(self._waiting.values()), {}
            self._sent |= dict.fromkeys(await self._send(messages))
            self._to_clear.set()

    async def clear(self) -> None:
        """Remove what was sent until cancelled; not at once, or each claim would wait for that commit too."""
        while True:
            await self._to_clear.wait()
            self._to_clear.clear()
            await asyncio.sleep(_CLEARING)
            await self._clear(tuple(self._sent))

    async def _clear(self, seqs: Sequence[int]) -> None:
        try:
            await self._db.transact(outbox.sent, seqs)
        except StoreUnavailable as error:
            log.warning("outbox.not_cleared", error=str(error))
            self._to_clear.set()
            return
        for seq in seqs:
            del self._sent[seq]

    async def _send(self, messages: Sequence[Message]) -> list[int]:
        """What was sent; the rest stays in the outbox and is swept up later."""
        hints = [message for message in messages if message.kind == "hint"]
        taken = await self._dispatch.offer([_hint(message) for message in hints])
        kills = [message for message in messages if message.kind == "kill"]
        for kill in kills:
            # Sent once: a worker that is away hears of it in the answer to its next heartbeat.
            await self._dispatch.kill(WorkerId(kill.body["worker"]), _kill(kill))
        for message in messages:
            if message.kind not in ("hint", "kill"):
                self._carry(message)
        return [message.seq for message in (*hints[:taken], *kills)]

    def _carry(self, message: Message) -> None:
        self._carried.add(message.seq)
        self._deliver(message).add_done_callback(lambda _: self._carried.discard(message.seq))


def _hint(message: Message) -> Hint:
    return Hint(JobId(message.body["job"]), message.body["queue"])


def _kill(message: Message) -> Kill:
    return Kill(JobId(message.body["job"]), Fence(message.body["fence"]))
