"""Every attack is tried on a worker that is root and on one that is an ordinary user."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from tests.attacks.workers import NOBODY, Worker, delegated, sources_for_everybody, worker_running

IDENTITIES = ["root", "user"] if os.geteuid() == 0 else ["user"]


@pytest.fixture(scope="session", autouse=True)
def _copies_are_removed() -> Iterator[None]:
    yield
    if sources_for_everybody.cache_info().currsize:
        shutil.rmtree(sources_for_everybody())


@pytest.fixture(scope="session", params=IDENTITIES)
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    with worker_running(as_user=request.param == "user") as running:
        yield running


@pytest.fixture
def delegated_worker() -> Iterator[Worker]:
    """An ordinary user whom root has given control groups of his own to be in."""
    with delegated(NOBODY), worker_running(as_user=True) as running:
        yield running


@pytest.fixture(params=IDENTITIES)
def doomed_worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """One of its own, for a test that kills it."""
    with worker_running(as_user=request.param == "user") as running:
        yield running
