"""Log entries that go to a file of the internal storage."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.disks import full_disk
from tests.worker.conftest import CORE, SCRIPTS
from tests.worker.plane import Plane, grant

from casemate.identifiers import JobId
from casemate.jobs import Finished, LogLine
from casemate.worker import logfile
from casemate.worker.logfile import LogFile

pytestmark = pytest.mark.anyio

SHELL = f"{SCRIPTS}.shell.Commands"
NOON = datetime(2026, 5, 1, 12, 0, 0, 1000, tzinfo=UTC)


def kept(plane: Plane, end: Finished) -> list[str]:
    assert end.log_file is not None
    return plane.files[end.log_file].decode().splitlines()


async def test_entries_go_to_the_file_and_nowhere_else(plane: Plane, worker: Path):
    job = await plane.give(f"{CORE}.log.Log", properties={"message": "Hello"}, log_to_file=True)
    end = await plane.end_of(job)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO main flow\.flow\.task Hello", *kept(plane, end))
    assert plane.messages() == []


async def test_a_failed_attempt_has_its_file(plane: Plane, worker: Path):
    job = await plane.give(SHELL, properties={"commands": ["echo on", "exit 3"]}, log_to_file=True)
    end = await plane.end_of(job)
    assert end.state == "FAILED"
    assert kept(plane, end)[-1].endswith(" ERROR main flow.flow.task Command failed with exit code 3")
    assert plane.messages() == []


async def test_a_killed_attempt_has_its_file(plane: Plane, worker: Path):
    commands = ["echo on", """echo '::{"metrics":[{"name":"begun","type":"counter","value":1}]}::'""", "sleep 60"]
    job = await plane.give(SHELL, properties={"commands": commands}, log_to_file=True)
    await plane.until(lambda: bool(plane.metrics))
    await plane.kill(job)
    end = await plane.end_of(job)
    assert end.state == "KILLED"
    assert any(line.endswith(" on") for line in kept(plane, end))
    assert plane.messages() == []


async def test_secrets_are_masked_in_the_file(plane: Plane, worker: Path):
    properties = {"message": "it is {{ secret('TOKEN') }}"}
    job = await plane.give(
        f"{CORE}.log.Log", properties=properties, secrets={"TOKEN": "hunter2secret"}, log_to_file=True
    )
    assert kept(plane, await plane.end_of(job))[0].endswith(" it is ********")


async def test_many_entries_arrive_in_order(plane: Plane, worker: Path):
    job = await plane.give(SHELL, properties={"commands": ["seq 5000"]}, log_level="INFO", log_to_file=True)
    written = kept(plane, await plane.end_of(job))
    assert [line.rpartition(" ")[2] for line in written] == [str(number) for number in range(1, 5001)]


async def test_a_file_that_cannot_be_kept_is_told_of(plane: Plane, worker: Path, monkeypatch: pytest.MonkeyPatch):
    async def full(*_: object) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(plane, "put", full)
    end = await plane.end_of(await plane.give(f"{CORE}.log.Log", properties={"message": "x"}, log_to_file=True))
    assert (end.state, end.log_file) == ("SUCCESS", None)
    assert plane.messages() == ["Unable to store the log file: no space left"]


async def test_a_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logfile, "LARGEST", 1 << 20)
    file = LogFile(tmp_path, grant(JobId("job"), "any", log_to_file=True))
    for _ in range(3):
        file.append([LogLine(at=NOON, level="INFO", message="x" * 10_000)] * 100)
    content = b"".join([chunk async for chunk in file.content()])
    assert 900_000 < len(content) < (1 << 20) + 200
    assert content.endswith(b"flow.flow.task The log file has reached its limit of 1 MiB; what follows is not kept.\n")
    assert os.listdir(tmp_path) == []


async def test_a_full_disk_is_told_of_when_the_file_is_wanted(tmp_path: Path):
    file = LogFile(tmp_path, grant(JobId("job"), "any", log_to_file=True))
    with full_disk(1 << 16):
        for _ in range(3):
            file.append([LogLine(at=NOON, level="INFO", message="x" * 10_000)] * 10)
        with pytest.raises(OSError, match="File too large"):
            [chunk async for chunk in file.content()]
        file.close()
