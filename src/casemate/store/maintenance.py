"""Is the instance in maintenance? One row as long as it is, so that every start of the service finds it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from casemate.store.database import Tx
from casemate.store.schema import maintenance as table

_SINCE = select(table.c.since)


def on(tx: Tx) -> bool:
    """Is nothing new to be started?"""
    return tx.execute(_SINCE).first() is not None


def enter(tx: Tx, now: datetime) -> None:
    """From now on; where it is so already nothing changes."""
    if not on(tx):
        tx.execute(table.insert().values(since=now))


def leave(tx: Tx) -> None:
    """No longer."""
    tx.execute(table.delete())
