"""Disks that are full, read-only or gone under a running server: it says so, loses nothing and goes on afterwards."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.disks import as_seen_by, can_mount, filled, on_small_disk
from tests.running import ROOT, Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_mount(), reason="this user may not mount disks, not even for itself"),
]

STEPS = """
id: steps
namespace: chaos
tasks:
  - id: first
    type: io.kestra.plugin.scripts.shell.Script
    script: echo begun && sleep 3
  - id: second
    type: io.kestra.plugin.core.debug.Return
    format: done
"""

WRITER = """
id: writer
namespace: chaos
tasks:
  - id: write
    type: io.kestra.plugin.scripts.shell.Script
    outputFiles: [result.txt]
    script: "head -c 300000 /dev/zero > result.txt"
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def small(state: Path) -> Iterator[Server]:
    """A server whose state lies on a disk of 32 MiB."""
    running = Server(state, within=on_small_disk(state, 32))
    try:
        yield running
    finally:
        running.stop()


def disk_of(server: Server, state: Path) -> Path:
    return as_seen_by(server.process.pid, state)


def messages(server: Server, execution: str) -> list[str]:
    entries = requests.get(f"{server.api}/logs/{execution}", timeout=30).json()
    return [entry["message"] for entry in entries]


def test_a_full_disk_holds_executions_up_and_no_longer(small: Server, state: Path):
    assert small.save(STEPS).ok
    execution = str(small.start("chaos", "steps")["id"])
    while "begun" not in messages(small, execution):
        time.sleep(0.02)
    with filled(disk_of(small, state)):
        refused = requests.post(f"{small.api}/executions/chaos/steps", timeout=30)
        assert refused.status_code == 503, refused.text
        assert "the database cannot be used just now" in refused.text
        time.sleep(4)
    # The sandbox was ended, for tasks must not fill the disk, and the report of that is not lost.
    ended = small.until_ended(execution)
    assert ended["state"]["current"] == "FAILED"
    assert [len(run["attempts"]) for run in ended["taskRunList"]] == [1]
    assert messages(small, execution)[-1] == "killed: the disk of the worker is nearly full"
    after = small.until_ended(str(small.start("chaos", "steps")["id"]))
    assert after["state"]["current"] == "SUCCESS"


@pytest.mark.parametrize(
    ("before", "said"),
    [("true", "Read-only file system"), ("mkdir {0}/sandboxes && touch {0}/casemate.db", "it cannot be written to")],
)
def test_a_state_folder_that_cannot_be_written_is_told_at_the_start(state: Path, before: str, said: str):
    command = [sys.executable, "-m", "casemate", "server", "local", "--port", "0", "--state", str(state)]
    within = on_small_disk(state, 8, then=f"{before.format(state)} && mount -o remount,ro {state}")
    started = subprocess.run([*within, *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert started.returncode == 1
    assert started.stderr.splitlines() == [f"casemate: {state}: cannot be used as state folder: {said}"]


def test_files_for_which_the_storage_has_no_room_fail_their_task(tmp_path: Path, state: Path):
    storage = tmp_path / "storage"
    storage.mkdir()
    config = tmp_path / "conf.yml"
    config.write_text(f"kestra: {{storage: {{type: local, local: {{base-path: {storage}}}}}}}")
    server = Server(state, "-c", str(config), within=on_small_disk(storage, 2))
    try:
        assert server.save(WRITER).ok
        with filled(disk_of(server, storage)):
            ended = server.until_ended(str(server.start("chaos", "writer")["id"]))
            assert ended["state"]["current"] == "FAILED"
            assert any("cannot be read or written" in line for line in messages(server, ended["id"]))
        ended = server.until_ended(str(server.start("chaos", "writer")["id"]))
        assert ended["state"]["current"] == "SUCCESS"
    finally:
        server.stop()


def test_a_storage_that_is_gone_is_made_again_and_what_was_in_it_is_missed(state: Path):
    server = Server(state)
    try:
        assert server.save(WRITER).ok
        first = server.until_ended(str(server.start("chaos", "writer")["id"]))
        uri = first["taskRunList"][0]["outputs"]["outputFiles"]["result.txt"]
        assert len(server.file(first["id"], uri)) == 300_000
        shutil.rmtree(state / "storage")
        asked = {"path": uri}
        missing = requests.get(f"{server.api}/executions/{first['id']}/file", params=asked, timeout=30)
        assert missing.status_code == 404, missing.text
        second = server.until_ended(str(server.start("chaos", "writer")["id"]))
        assert second["state"]["current"] == "SUCCESS"
    finally:
        server.stop()


def test_a_state_folder_that_is_gone_fails_tasks_at_once(state: Path):
    server = Server(state)
    try:
        assert server.save(STEPS).ok
        shutil.rmtree(state / "sandboxes")
        begun = time.monotonic()
        ended = server.until_ended(str(server.start("chaos", "steps")["id"]))
        assert ended["state"]["current"] == "FAILED"
        assert time.monotonic() - begun < 20
        assert any("No such file or directory" in line for line in messages(server, ended["id"]))
    finally:
        server.stop()
