"""The product as a benchmark sees it: a server of its own, spoken to over HTTP, and what it weighs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ENDED = ("SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED")
API = "/api/v1/main"


@dataclass(frozen=True)
class Weight:
    """Memory of the server and everything it started, in bytes. PSS counts shared pages once, RSS in every process."""

    processes: int
    pss: int
    rss: int


class Server:
    """`casemate server local` on a free port.

    `ready`: seconds from the start to the first answer, `ready_spent`: of processor time.
    """

    def __init__(self, state: Path) -> None:
        command = [sys.executable, "-m", "casemate", "server", "local", "--port", "0", "--state", str(state)]
        self._state = state
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "http://" in line:
                address = urlsplit(line[line.index("http://") :].split()[0])
                break
        else:
            raise SystemExit("the server did not start; run `scripts/casemate server local` to see why")
        # What it prints later must not fill the pipe.
        threading.Thread(target=self._process.stdout.read, daemon=True).start()
        self.host, self.port = str(address.hostname), int(address.port or 80)
        self._local = threading.local()
        self.call("GET", "/ping")
        self.ready = time.perf_counter() - begun
        self.ready_spent = self.spent()

    def call(self, verb: str, path: str, body: bytes | None = None, kind: str = "application/json") -> object:
        """One request on this thread's own connection; the JSON of the answer, or its text."""
        answer = self._answer(verb, path, body, {"Content-Type": kind} if body is not None else {})
        text = answer.read().decode()
        if answer.status >= 400:
            raise SystemExit(f"{verb} {path}: {answer.status} {text[:500]}")
        return json.loads(text) if "json" in (answer.getheader("Content-Type") or "") else text

    def _answer(self, verb: str, path: str, body: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = getattr(self._local, "connection", None)
        if connection is None or time.monotonic() - self._local.used > 2:  # the server closes idle ones
            connection = self._local.connection = http.client.HTTPConnection(self.host, self.port, timeout=3600)
        self._local.used = time.monotonic()
        connection.request(verb, path, body=body, headers=headers)
        return connection.getresponse()

    def save(self, flow: str) -> None:
        """Create a flow."""
        self.call("POST", f"{API}/flows", flow.encode(), "application/x-yaml")

    def run(self, namespace: str, flow: str) -> dict:
        """Start an execution and wait for its end, without asking again and again: that would be measured too."""
        return _successful(self.call("POST", f"{API}/executions/{namespace}/{flow}?wait=true"))

    def until_ended(self, execution: str) -> dict:
        """The execution once it has ended; asks now and then."""
        while (found := self.call("GET", f"{API}/executions/{execution}"))["state"]["current"] not in ENDED:
            time.sleep(0.1)
        return _successful(found)

    def spent(self) -> float:
        """Seconds of processor time so far, of the server and all that it started: says more on a busy machine."""
        ticks = 0
        for process in descendants(self._process.pid):
            with contextlib.suppress(OSError):
                after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, after_name[11:15]))  # its own, and of its children that have ended
        return ticks / os.sysconf("SC_CLK_TCK")

    def weight(self) -> Weight:
        """What the server and its descendants hold right now."""
        family = list(descendants(self._process.pid))
        sums = {"Pss": 0, "Rss": 0}
        for process in family:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
                name, _, size = line.partition(":")
                if name in sums:
                    sums[name] += int(size.split()[0]) * 1024
        return Weight(len(family), sums["Pss"], sums["Rss"])

    def peak(self) -> int:
        """The most bytes of memory that the server itself, without its sandboxes, has held so far."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024

    def disk(self) -> int:
        """Bytes of its database, what is not merged into it yet included."""
        return sum(file.stat().st_size for file in self._state.glob("casemate.db*"))

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _successful(execution: dict) -> dict:
    if execution["state"]["current"] != "SUCCESS":
        raise SystemExit(f"{execution['flowId']} ended {execution['state']['current']}")
    return execution


def environment() -> dict[str, str]:
    """Ours without the switches of this Python: one that forbids to keep compiled modules would slow every start."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def descendants(root: int) -> Iterator[int]:
    """A process and all that it started, as far as they still have their parents."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(after_name[1]), []).append(int(entry.name))
    waiting = [root]
    while waiting:
        yield (process := waiting.pop())
        waiting += parents.get(process, [])


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """A server with an empty state, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as folder:
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.stop()
