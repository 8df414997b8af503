"""Doing a thing again: while the database is unavailable, or because someone else was faster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from casemate.identifiers import ExecutionId
from casemate.store import Conflict, StoreUnavailable

T = TypeVar("T")

log = structlog.get_logger()

_LONGEST_WAIT = 30.0
"""Seconds between two tries."""

_TRIES = 5
"""How often a change is made because someone else was faster."""


async def patiently(work: Callable[[], Awaitable[T]], execution: ExecutionId) -> T:
    """Do this for an execution, again and again as long as the database is unavailable."""
    wait = 1.0
    while True:
        try:
            return await work()
        except StoreUnavailable as error:
            log.warning("execution.waits_for_store", execution=execution, error=str(error))
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


async def afresh(work: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[object]] | None = None) -> T:
    """Do this, a few times if someone else has changed meanwhile what it changes; each time after a new look.

    Raises the store's `Conflict` when it has to be given up.
    """
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except Conflict as conflict:
            log.debug("change.made_again", reason=str(conflict))
            if look is not None:
                await look()
    return await work()
