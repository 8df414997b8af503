"""Waiting for a database that is unavailable: for what nobody else will do again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from casemate.identifiers import ExecutionId
from casemate.store import StoreUnavailable

T = TypeVar("T")

log = structlog.get_logger()

_LONGEST_WAIT = 30.0
"""Seconds between two tries."""


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
