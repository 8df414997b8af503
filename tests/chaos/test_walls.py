"""kill -9 of whatever holds the walls, with fifty task runs alive: a second later nothing of them is left."""

import asyncio
import contextlib
import ctypes
import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.running import Server

from casemate.sandbox import Body, Command, Egress, Launch, Policy, Rights, Running, Sandboxes, folders

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MANY, CONNECTING = 50, 6
SECOND = max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
"""Two hundred processes that end need some processor time; others on this machine may be at it as well."""
CONFIGURATION = "casemate: {{worker: {{slots: {many}}}, isolation: {{egress: {{allow: [127.0.0.1/32]}}}}}}"
FLOW = """
id: {id}
namespace: chaos
tasks:
  - id: all
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
{tasks}
"""
LATER = "if test '{{{{ kv('gate', errorOnMissing=false) }}}}' = open; then exit 0; fi\n"
PATIENT = LATER + "trap '' TERM; sleep 600 & sleep 600 & wait"
CONNECT = (
    LATER
    + """python3 -c "
import socket, time
while True:
    try: socket.create_connection(('127.0.0.1', {port}), 5).close()
    except OSError: pass
    time.sleep(0.02)
" """
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def listener() -> Iterator[int]:
    """Accepts whatever comes, for the tasks' brokers to have something to do."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()


class Site:
    """A server with fifty task runs at work, and what the kernel and the disk have of them."""

    def __init__(self, folder: Path, port: int) -> None:
        self.state, self.port = folder / "state", port
        (folder / "casemate.yml").write_text(CONFIGURATION.format(many=MANY))
        self.options = ("-c", str(folder / "casemate.yml"))
        self.server = Server(self.state, *self.options)

    def crowd(self) -> str:
        """An execution, of which all fifty task runs are alive."""
        scripts = [CONNECT] * CONNECTING + [PATIENT] * (MANY - CONNECTING)
        execution = self.start("walls", [script.format(port=self.port) for script in scripts])
        until(lambda: len(self.everybody()) >= 3 * MANY, 60)
        return execution

    def start(self, flow: str, scripts: list[str]) -> str:
        kind = "io.kestra.plugin.scripts.shell.Script"
        tasks = [json.dumps({"id": f"t{n}", "type": kind, "script": script}) for n, script in enumerate(scripts)]
        source = FLOW.format(id=flow, tasks="\n".join(f"      - {task}" for task in tasks))
        assert self.server.save(source).ok
        return str(self.server.start("chaos", flow)["id"])

    def open_gate(self) -> None:
        """Whatever is rendered from now on ends at once."""
        gate = f"{self.server.api}/namespaces/chaos/kv/gate"
        assert requests.put(gate, data='"open"', headers={"Content-Type": "text/plain"}, timeout=30).ok

    def zygotes(self) -> list[int]:
        return [child for child in children(self.server.process.pid) if command_line(child) == "sandbox"]

    def first_processes(self) -> list[int]:
        return [child for zygote in self.zygotes() for child in children(zygote)]

    def everybody(self) -> list[int]:
        """All processes inside sandboxes."""
        return [each for first in self.first_processes() for each in (first, *descendants(first))]

    def groups(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return [Path(path) for path, _ in json.loads((self.state / "sandboxes" / ".cgroups").read_text())]
        return []

    def launches(self) -> list[Path]:
        """All but the lock, and the place where roots are built while there is a worker."""
        return [
            path for path in (self.state / "sandboxes").iterdir() if path.name not in (".lock", ".root", ".cgroups")
        ]


def test_a_killed_worker_leaves_nothing_and_its_executions_go_on(tmp_path: Path, listener: int):
    site = Site(tmp_path, listener)
    try:
        execution = site.crowd()
        processes, groups = site.everybody(), site.groups()
        networks = set(filter(None, map(network, processes)))
        assert len(networks) >= MANY
        site.open_gate()
        time.sleep(random.uniform(0, 0.2))
        site.server.kill()
        assert within(SECOND, lambda: [*filter(lives, processes), *filter(Path.exists, groups), *site.launches()]) == []
        assert not networks & set(map(network, all_processes()))
        site.server = Server(site.state, *site.options)
        ended = site.server.until_ended(execution)
        assert ended["state"]["current"] == "SUCCESS"
        assert len(ended["taskRunList"]) == MANY + 1
    finally:
        site.server.stop()
    assert site.launches() == []
    assert not any(group.exists() for group in groups)


def test_a_killed_zygote_takes_its_sandboxes_along_and_another_takes_its_place(tmp_path: Path, listener: int):
    site = Site(tmp_path, listener)
    try:
        execution = site.crowd()
        doomed = site.everybody()
        time.sleep(random.uniform(0, 0.2))
        for zygote in site.zygotes():
            os.kill(zygote, signal.SIGKILL)
        assert within(SECOND, lambda: [*filter(lives, doomed)]) == []
        ended = site.server.until_ended(execution)
        assert {run["state"]["current"] for run in ended["taskRunList"][1:]} == {"FAILED"}
        until(lambda: not site.launches(), 10)
        assert not any(members(slot) for group in site.groups() for slot in group.glob("slot-*"))
        after = site.server.until_ended(site.start("after", ["echo on"]))
        assert after["state"]["current"] == "SUCCESS"
    finally:
        site.server.stop()


@pytest.mark.parametrize("seed", range(3))
async def test_sandboxes_that_are_being_made_die_with_their_zygote_too(tmp_path: Path, seed: int):
    """Whoever makes himself die with his parent must look whether that one still lives."""
    policy = Policy(rights=Rights(threads=True, processes=True))
    chance = random.Random(seed)
    async with Sandboxes.open(tmp_path, slots=24) as sandboxes:
        works = [folders.make(tmp_path, f"work-{number}") for number in range(20)]
        what = Command(argv=("sleep", "600"), env={})
        launching = [
            asyncio.create_task(sandboxes.launch(Launch(name=work.name, policy=policy, work=work, what=what)))
            for work in works
        ]
        await asyncio.sleep(chance.uniform(0.01, 0.06))
        zygotes = [child for child in children(os.getpid()) if command_line(child) == "sandbox"]
        born = [child for zygote in zygotes for child in children(zygote)]
        for zygote in zygotes:
            os.kill(zygote, signal.SIGKILL)
        launched = await asyncio.wait_for(asyncio.gather(*launching, return_exceptions=True), 20)
        for one in launched:
            if isinstance(one, Running) and one._box.zygote.lost:
                await asyncio.wait_for(one.end(), 10)
        assert within(SECOND, lambda: [*filter(lives, born)]) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_task_whose_broker_dies_is_told_and_ends(tmp_path: Path, listener: int):
    policy = Policy(rights=Rights(threads=True, processes=True), egress=Egress(open=True, allow=("127.0.0.1/32",)))
    script = (
        f"import socket\nprint('ready', flush=True)\n"
        f"while True: socket.create_connection(('127.0.0.1', {listener}), 5).close()"
    )
    async with Sandboxes.open(tmp_path, slots=2) as sandboxes:
        before = len(os.listdir("/proc/self/fd"))
        work = folders.make(tmp_path, "work")
        what = Command(argv=("python3", "-c", script), env={})
        running = await sandboxes.launch(Launch(name="broken", policy=policy, work=work, what=what))
        said = []
        async for event in running.events():
            said.append(event.text)
            if event.text == "ready":
                await asyncio.sleep(random.uniform(0.05, 0.2))
                die([thread for thread in threading.enumerate() if thread.name.startswith("egress broker")])
        end = await asyncio.wait_for(running.end(), 10)
        assert end.exit_code == 1
        assert "Function not implemented" in said[-1]
        folders.remove(work)
        once = Command(argv=("python3", "-c", script.replace("while True: ", "")), env={})
        work = folders.make(tmp_path, "after")
        after = await sandboxes.launch(Launch(name="after", policy=policy, work=work, what=once))
        assert (await asyncio.wait_for(after.end(), 10)).exit_code == 0
        folders.remove(work)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("egress broker")]
    assert len(os.listdir("/proc/self/fd")) <= before


DESCRIPTORS_OF_A_SPARE = 3
"""Its channel and its two streams."""


async def test_no_descriptor_and_no_folder_is_left_of_task_runs(tmp_path: Path):
    async with Sandboxes.open(tmp_path, slots=4) as sandboxes:
        for number in range(40):
            await _done(sandboxes, tmp_path, number)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(160):
            await _done(sandboxes, tmp_path, number)
        more = len(os.listdir("/proc/self/fd")) - before
        assert more <= 2 * DESCRIPTORS_OF_A_SPARE, "two spares more may wait than before"
        assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == []


async def _done(sandboxes: Sandboxes, folder: Path, number: int) -> None:
    work = folders.make(folder, f"work-{number}")
    body = Body(module="casemate.inside.core_debug_return", job={"properties": {"format": "x"}})
    running = await sandboxes.launch(Launch(name=str(number), policy=Policy(), work=work, what=body))
    assert (await running.end()).exit_code == 0
    folders.remove(work)


def die(threads: list[threading.Thread]) -> None:
    """Have threads end by an exception wherever they are, as one that nobody thought of would."""
    for thread in threads:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))


def children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{process}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]
    return []


def descendants(process: int) -> list[int]:
    found = children(process)
    return [*found, *(each for child in found for each in descendants(child))]


def command_line(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().rstrip(b"\0").decode(errors="replace")
    return ""


def lives(process: int) -> bool:
    """False also for one that is dead but was not buried by its new parent yet, which is init's business."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def network(process: int) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{process}/ns/net")
    return ""


def members(group: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return (group / "cgroup.procs").read_text().split()
    return []


def all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def within(seconds: float, left) -> list:
    """What is still left after this time, or at once when nothing is."""
    deadline = time.monotonic() + seconds
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
