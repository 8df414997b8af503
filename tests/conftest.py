"""What every test may use."""

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow; how fast things are is measured in bench/.
settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("usual"), max_examples=3_000)
settings.load_profile("usual")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"
