"""What nobody expected is told by kind and place. Its text stays untold, whoever tells it: us, Python, a library."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

CANARY = "canary-7f3a-sings"

BEFORE = """
import asyncio, logging, sys, threading
import structlog
from casemate.cli.logging import log_to_standard_error
log_to_standard_error("info")
log = structlog.get_logger()
def sing(kind=ValueError):
    raise kind("canary-" + "7f3a-sings")
"""

WAYS = {
    "an event": """
try:
    sing()
except ValueError:
    log.exception("thing.failed")
""",
    "an event with an error": """
try:
    sing()
except ValueError as error:
    log.error("thing.failed", exc_info=error)
""",
    "what it came from": """
try:
    try:
        sing(KeyError)
    except KeyError as error:
        raise RuntimeError(str(error)) from error
except RuntimeError:
    log.exception("thing.failed")
""",
    "what came before it": """
try:
    try:
        sing(KeyError)
    finally:
        sing(RuntimeError)
except RuntimeError:
    log.exception("thing.failed")
""",
    "several at once": """
async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(sing))
try:
    asyncio.run(main())
except ExceptionGroup:
    log.exception("thing.failed")
""",
    "a note": """
try:
    sing()
except ValueError as error:
    error.add_note("canary-" + "7f3a-sings")
    log.exception("thing.failed")
""",
    "the end of a thread": """
thread = threading.Thread(target=sing)
thread.start()
thread.join()
""",
    "a task that nobody waited for": """
async def main():
    asyncio.create_task(asyncio.to_thread(sing))
    await asyncio.sleep(0.1)
asyncio.run(main())
""",
    "a callback": """
async def main():
    asyncio.get_running_loop().call_soon(lambda _: sing(), "canary-" + "7f3a-sings")
    await asyncio.sleep(0.01)
asyncio.run(main())
""",
    "a library": """
try:
    sing()
except ValueError:
    logging.getLogger("library").exception("it is %s", "canary-" + "7f3a-sings")
""",
    "a warning": """
logging.getLogger("library").warning("the pool is full\\nand more")
try:
    sing()
except ValueError:
    log.exception("thing.failed")
""",
    "the end of an object": """
class Thing:
    def __del__(self):
        sing()
Thing()
""",
    "the end of the program": "sing()",
}


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """What standard error got in each way, all of them in one program: a start takes most of the time."""
    parts = (f"print({way!r}, file=sys.stderr)\n{source}" for way, source in WAYS.items())
    program = [sys.executable, "-c", BEFORE + "\n".join(parts)]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert ran.stdout == ""
    said = re.split(f"^({'|'.join(WAYS)})$", ran.stderr, flags=re.MULTILINE)
    return dict(zip(said[1::2], said[2::2], strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_the_text_of_an_error_is_told_nowhere(told: dict[str, str], way: str):
    assert CANARY not in told[way]
    assert "level=error" in told[way]
    assert "in sing" in told[way]
    assert "Error" in told[way]


def test_what_libraries_warn_of_is_an_event(told: dict[str, str]):
    assert 'level=warning event=library.told library=library message="the pool is full"' in told["a warning"]
