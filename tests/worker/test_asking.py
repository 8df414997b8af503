"""Bodies that ask while they run, in real sandboxes."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from tests.worker.conftest import CORE
from tests.worker.plane import Plane

from casemate.dispatch import LinkLost, Reply

pytestmark = pytest.mark.anyio

FOUND = Reply({"found": True, "value": {"a": [1, "é"]}, "namespace": "examples"})
MISSING = Reply({"found": False, "value": None, "namespace": "examples"})


async def test_a_body_gets_the_answer_to_its_question(plane: Plane, worker: Path):
    questions: list[object] = []
    plane.answers["kv.get"] = lambda arguments: questions.append(arguments) or FOUND
    ended = await plane.end_of(await plane.give(f"{CORE}.kv.Get", properties={"key": "k"}))
    assert (ended.state, ended.outputs) == ("SUCCESS", {"value": {"a": [1, "é"]}})
    assert questions == [{"key": "k", "namespace": None}]


async def test_a_refusal_is_the_failure_of_the_task(plane: Plane, worker: Path):
    plane.answers["kv.get"] = lambda _: Reply(error="not for you")
    ended = await plane.end_of(await plane.give(f"{CORE}.kv.Get", properties={"key": "k"}))
    assert ended.state == "FAILED"
    assert plane.messages("ERROR") == ["not for you"]


async def test_a_body_says_itself_what_it_misses(plane: Plane, worker: Path):
    plane.answers["kv.get"] = lambda _: MISSING
    wanted = {"key": "k", "errorOnMissing": "true"}
    ended = await plane.end_of(await plane.give(f"{CORE}.kv.Get", properties=wanted))
    assert ended.state == "FAILED"
    assert plane.messages("ERROR") == [
        "No value found for key 'k' in namespace 'examples' and `errorOnMissing` is set to true"
    ]


async def test_what_the_manifest_does_not_list_is_not_even_asked(plane: Plane, worker: Path):
    plane.answers["kv.delete"] = lambda _: pytest.fail("it was asked")
    ended = await plane.end_of(await plane.give(f"{CORE}.kv.Delete", properties={"key": "k"}))
    assert ended.state == "FAILED"
    assert plane.messages("ERROR") == ["This task must not ask for 'kv.delete'."]


async def test_a_control_plane_that_is_away_is_waited_for(plane: Plane, worker: Path):
    asked = 0

    def answer(_: object) -> Reply:
        nonlocal asked
        asked += 1
        if asked < 2:
            raise LinkLost
        return FOUND

    plane.answers["kv.get"] = answer
    ended = await plane.end_of(await plane.give(f"{CORE}.kv.Get", properties={"key": "k"}))
    assert (ended.state, asked) == ("SUCCESS", 2)


async def test_a_job_that_waits_for_an_answer_can_be_killed(plane: Plane, worker: Path):
    asked = anyio.Event()

    def answer(_: object) -> Reply:
        asked.set()
        raise LinkLost

    plane.answers["kv.get"] = answer
    job = await plane.give(f"{CORE}.kv.Get", properties={"key": "k"})
    await asked.wait()
    await plane.kill(job)
    assert (await plane.end_of(job)).state == "KILLED"
