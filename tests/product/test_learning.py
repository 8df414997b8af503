"""`run --learn`: what it writes lets the same flow pass and nothing new."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.running import casemate

FLOW = """
id: learns
namespace: tests.product
tasks:
  - {{id: says, type: io.kestra.plugin.core.log.Log, message: hello}}
  - {{id: shell, type: io.kestra.plugin.scripts.shell.Commands, commands: ["{shell}"]}}
  - id: python
    type: io.kestra.plugin.scripts.python.Script
    script: |
      import os, socket, subprocess, threading
      {python}
"""
THREAD = "started = threading.Thread(target=int); started.start(); started.join()"

STARTS_THREAD = "python3 -c 'import threading; threading.Thread(target=int).start()'"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the machine that no sandbox shows by itself."""
    place = Path("/srv") / f"casemate-learning-{os.getpid()}"
    try:
        place.mkdir()
    except OSError:
        pytest.skip("/srv cannot be written")
    for name in ("known", "new"):
        (place / name).write_text(f"content of {name}\n")
    yield place
    shutil.rmtree(place)


@pytest.fixture
def address() -> str:
    """An address of this machine that is not its loopback."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("203.0.113.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(asking.getsockname()[0])


@pytest.fixture
def ports(address: str) -> Iterator[tuple[int, int]]:
    """Two ports that take connections."""
    with socket.create_server((address, 0)) as one, socket.create_server((address, 0)) as other:
        for listener in (one, other):
            threading.Thread(target=_accept_all, args=(listener,), daemon=True).start()
        yield one.getsockname()[1], other.getsockname()[1]


def _accept_all(listener: socket.socket) -> None:
    try:
        while True:
            listener.accept()[0].close()
    except OSError:
        return


def written(place: Path, *, shell: str = "/bin/true; true", python: str = "pass") -> Path:
    place.write_text(FLOW.format(shell=shell, python=python))
    return place


def test_what_was_learned_lets_the_flow_pass_and_nothing_new(tmp_path, folder, address, ports):
    policy, known, new = tmp_path / "policy.yml", *ports
    usual = {
        "shell": f"cat {folder}/known; /bin/true; true",
        "python": f"socket.create_connection(('{address}', {known})).close(); {THREAD}",
    }
    flow = written(tmp_path / "flow.yaml", **usual)
    learned = casemate("run", flow, "--learn", policy)
    assert learned.returncode == 0, learned.stdout + learned.stderr
    assert f"reads {folder}/known" in learned.stdout
    assert f"connects to {address}:{known}" in learned.stdout
    again = casemate("run", flow, "-c", policy)
    assert (again.returncode, again.stderr) == (0, ""), again.stdout
    for name, text, expected in (
        ("shell", f"cat {folder}/new", "No such file"),
        ("python", f"socket.create_connection(('{address}', {new}))", "Permission denied"),
        ("python", "subprocess.run(['/bin/true'], check=True)", "Process creation is forbidden"),
        ("shell", f"{STARTS_THREAD}; true", "can't start new thread"),
    ):
        changed = written(tmp_path / "changed.yaml", **(usual | {name: text}))
        refused = casemate("run", changed, "-c", policy)
        assert expected in refused.stdout, refused.stdout


def test_a_run_that_fails_teaches_nothing(tmp_path):
    policy = tmp_path / "policy.yml"
    result = casemate("run", written(tmp_path / "flow.yaml", shell="exit 3"), "--learn", policy)
    assert result.returncode == 1
    assert "Nothing was learned: the flow ended as FAILED." in result.stdout
    assert list(tmp_path.glob("*policy*")) == []


def test_a_file_that_people_wrote_is_kept_unless_they_say_otherwise(tmp_path):
    policy, flow = tmp_path / "policy.yml", written(tmp_path / "flow.yaml")
    policy.write_text("casemate: {worker: {slots: 2}}\n")
    refused = casemate("run", flow, "--learn", policy)
    assert refused.returncode == 1
    assert f"{policy}: exists and was not written by --learn; --force writes over it" in refused.stderr
    assert policy.read_text() == "casemate: {worker: {slots: 2}}\n"
    assert casemate("run", flow, "--learn", policy, "--force").returncode == 0
    assert policy.read_text().startswith("# Written by casemate run --learn from tests.product.learns\n")
    assert casemate("run", flow, "--learn", policy).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if "policy" in path.name] == ["policy.yml"]


def test_learning_leaves_forbidden_paths_and_the_servers_own_where_they_are(tmp_path, folder):
    base, policy = folder / "base.yml", tmp_path / "policy.yml"
    base.write_text(f"kestra: {{ee: {{java-security: {{enabled: true, forbidden-paths: [{folder}/new]}}}}}}")
    script = f"cat {folder}/new {base} {folder}/state/casemate.db {folder}/known || true"
    flow = written(tmp_path / "flow.yaml", shell=script)
    result = casemate("run", flow, "--learn", policy, "-c", base, "--state", folder / "state")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "content of known" in result.stdout
    assert "content of new" not in result.stdout
    assert "java-security" not in result.stdout
    assert f'- "{folder}/known"' in policy.read_text()
    assert policy.read_text().count(str(folder)) == 1
    both = casemate("run", flow, "-c", base, "-c", policy)
    assert both.returncode == 0, both.stdout + both.stderr
