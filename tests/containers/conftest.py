"""One engine for all tests in containers, and workers behind the walls of level container."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.workers import DRIVER, SECRET, Worker, worker_running
from tests.docker import Engine, NoEngine, engine_running

USERS = {"root": "", "user": "1000:1000"}
IDENTITIES = ["root", "user"] if os.geteuid() == 0 else ["user"]
LAUNCHES = "/tmp/launches"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    try:
        with engine_running() as running:
            yield running
    except NoEngine as why:
        pytest.skip(f"NOT TESTED: what Casemate does in a container. {why}")


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest) -> str:
    return USERS[request.param]


@pytest.fixture(scope="module", params=USERS)
def worker(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Worker]:
    """A worker in a container of the default profile, at level container."""
    with _in_a_container(engine, USERS[request.param]) as running:
        yield running


@contextlib.contextmanager
def _in_a_container(engine: Engine, user: str) -> Iterator[Worker]:
    command = (sys.executable, str(DRIVER), LAUNCHES, "container")
    running = Worker(engine.talk_to(*command, user=user, env={"DATABASE_PASSWORD": SECRET}), Path(LAUNCHES))
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module", params=IDENTITIES)
def bare_worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """The same outside of a container, where what is left of its sandboxes can be looked for."""
    with worker_running(as_user=request.param == "user", contained=True) as running:
        yield running


@pytest.fixture(params=IDENTITIES)
def doomed_worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """One of its own, for a test that kills it."""
    with worker_running(as_user=request.param == "user", contained=True) as running:
        yield running
