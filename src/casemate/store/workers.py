"""Workers that are or were connected, and the start of the service ("boot") they belong to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from casemate.identifiers import WorkerId
from casemate.store.database import Tx
from casemate.store.schema import workers as table

_RUNNING, _GONE = "RUNNING", "NOT_RUNNING"


def join(tx: Tx, worker: WorkerId, boot: str, now: datetime) -> None:
    """A worker connects; under a name that is known already it replaces the earlier one."""
    values = {"boot": boot, "state": _RUNNING, "seen_at": now}
    if tx.execute(table.update().where(table.c.id == worker).values(**values)).rowcount == 0:
        tx.execute(table.insert().values(id=worker, **values))


def seen(tx: Tx, worker: WorkerId, now: datetime) -> None:
    """A worker gave a sign of life."""
    tx.execute(table.update().where(table.c.id == worker).values(seen_at=now))


def running(tx: Tx) -> tuple[WorkerId, ...]:
    """Workers that are not known to be gone."""
    return tuple(tx.scalars(select(table.c.id).where(table.c.state == _RUNNING)))


def retire(tx: Tx, boot: str, now: datetime) -> None:
    """The workers of every other start of the service are gone: they lived in a process that is dead."""
    others = (table.c.boot != boot) & (table.c.state == _RUNNING)
    tx.execute(table.update().where(others).values(state=_GONE, seen_at=now))
