"""One engine for all tests in containers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.docker import Engine, NoEngine, engine_running


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    try:
        with engine_running() as running:
            yield running
    except NoEngine as why:
        pytest.skip(f"NOT TESTED: what Casemate does in a container. {why}")
