"""What people do with triggers that are scheduled (spec/engine 9.5): each is one change of one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from casemate.executions import sealed_inputs
from casemate.flows import Label
from casemate.orchestrator.dating import Dating
from casemate.orchestrator.errors import Conflict, NotFound
from casemate.orchestrator.patience import afresh
from casemate.sealed import Seal, envelope
from casemate.store import Database, Tx
from casemate.store import triggers as rows
from casemate.triggers import (
    TriggerKey,
    TriggerState,
    backfilled,
    paused,
    restarted,
    switched,
    unlocked,
    unpaused,
    without_backfill,
)


class Triggers:
    """All of them. Each gives the record as it is then, and raises `NotFound` where there is none.

    Those about backfills raise `Refused` where they make no sense.
    """

    def __init__(self, db: Database, dating: Dating, now: Callable[[], datetime], seal: Seal) -> None:
        self._seal = seal
        self._db = db
        self._dating = dating
        self._now = now

    async def switch(self, key: TriggerKey, *, disabled: bool, recover: bool = False) -> TriggerState:
        """Switch it off, or on: from now on, with `recover` from the first date that it missed meanwhile."""
        return await self._change(key, partial(switched, disabled=disabled, recover=recover))

    async def unlock(self, key: TriggerKey) -> TriggerState:
        """Let it be evaluated though its last execution, or an evaluation, seems to go on."""
        return await self._change(key, unlocked)

    async def restart(self, key: TriggerKey) -> TriggerState:
        """Unlock it, switch it on, and find out its next date anew."""
        return await self._change(key, restarted)

    async def delete(self, key: TriggerKey) -> None:
        """Forget its record; the next revision of its flow makes one as new."""
        if not await self._db.transact(rows.delete, key):
            raise _missing(key)

    async def backfill(
        self,
        key: TriggerKey,
        start: datetime,
        end: datetime | None = None,
        inputs: Mapping[str, object] | None = None,
        labels: Sequence[Label] = (),
    ) -> TriggerState:
        """Make up for every date from start to end, by default until now, with these inputs and labels added.

        Raises `Conflict` for a trigger that does not go by dates, `Refused` for one that has a backfill, and for a
        SECRET input without a key.
        """
        return await afresh(partial(self._backfill, key, start, end, inputs or {}, labels))

    async def _backfill(
        self,
        key: TriggerKey,
        start: datetime,
        end: datetime | None,
        inputs: Mapping[str, object],
        labels: Sequence[Label],
    ) -> TriggerState:
        state = await self._db.read(rows.get, key)
        if state is None:
            raise _missing(key)
        found = await self._dating.find(state)
        schedule = found.schedule
        if schedule is None:
            raise Conflict("Only triggers that go by dates can be backfilled")
        # They wait in the record until its dates come.
        kept = sealed_inputs(found.flow, inputs, self._seal, envelope)
        after = backfilled(state, schedule, start, end or self._now(), kept, labels)
        return await self._db.transact(rows.save, state, after)

    async def pause_backfill(self, key: TriggerKey) -> TriggerState:
        """Let its backfill wait; its ordinary dates go on."""
        return await self._change(key, paused)

    async def unpause_backfill(self, key: TriggerKey) -> TriggerState:
        """Let its backfill go on where it was paused."""
        return await self._change(key, unpaused)

    async def delete_backfill(self, key: TriggerKey) -> TriggerState:
        """Give up the rest of its backfill."""
        return await self._change(key, without_backfill)

    async def _change(self, key: TriggerKey, change: Callable[[TriggerState], TriggerState]) -> TriggerState:
        return await self._db.transact(changed, key, change)


def changed(tx: Tx, key: TriggerKey, change: Callable[[TriggerState], TriggerState]) -> TriggerState:
    """Change a record; what is the same after it stays as it is. Raises `NotFound`, and what the change raises."""
    state = rows.get(tx, key)
    if state is None:
        raise _missing(key)
    after = change(state)
    return state if after == state else rows.save(tx, state, after)


def _missing(key: TriggerKey) -> NotFound:
    _, namespace, flow, trigger = key
    return NotFound(f"Unable to find trigger {trigger} for the flow {namespace}.{flow}")
