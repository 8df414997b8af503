"""The parts together: what one of them takes down with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemate import app
from casemate.identifiers import WorkerId
from casemate.sandbox import Sandboxes
from casemate.worker import Worker
from tests.worker.conftest import CATALOG, policy_for
from tests.worker.plane import Plane

pytestmark = pytest.mark.anyio


async def test_a_worker_that_dies_takes_the_service_with_it(tmp_path: Path):
    plane = Plane()
    async with Sandboxes.open(tmp_path / "work", slots=1) as sandboxes:
        link = await plane.dispatch.link(WorkerId("worker"))
        gone = tmp_path / "gone"
        worker = Worker(link, sandboxes, CATALOG, folder=gone, slots=1, policy_for=policy_for)

        async def serve() -> None:
            async with app._in_background(worker):
                await asyncio.Event().wait()

        async with asyncio.timeout(10):
            with pytest.raises(FileNotFoundError, match="gone"):
                await asyncio.create_task(serve())
