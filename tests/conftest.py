"""What every test may use."""

import pytest
from hypothesis import settings

settings.register_profile("long", max_examples=3_000, deadline=None)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"
