"""What Casemate offers in a container, shown with a real engine."""

from __future__ import annotations

import pytest
from tests.docker import PYTHON, REPOSITORY, UNCONFINED, Engine

WELCOME = str(REPOSITORY / "examples" / "welcome.yaml")
USERS = {"root": "", "ordinary user": "1000:1000"}


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest) -> str:
    return USERS[request.param]


def test_the_default_profile_is_refused_with_instructions(engine: Engine, user: str):
    done = engine.run(*PYTHON, "run", WELCOME, user=user)
    assert done.returncode == 3
    assert not done.stdout
    assert done.stderr.startswith("casemate: Isolation level 'full' is required")
    for option in UNCONFINED:
        assert f"--security-opt {option}" in done.stderr


def test_with_the_documented_options_every_wall_stands(engine: Engine, user: str):
    done = engine.run(*PYTHON, "run", WELCOME, security=UNCONFINED, user=user)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 task runs in sandboxes: 7 at level full" in done.stdout


def test_the_doctor_finds_every_wall_with_the_documented_options(engine: Engine, user: str):
    done = engine.run(*PYTHON, "doctor", security=UNCONFINED, user=user)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("own kernel user" in done.stdout) == (not user)
