"""Starting the product as a user does, for the tests that judge it from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def casemate(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, folder: Path | None = None, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "casemate", *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        cwd=folder or ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Server:
    """`casemate server local` on a free port of loopback; `within` is what stands before the command."""

    def __init__(self, state: Path, *arguments: str, within: Sequence[str] = (), python: str = sys.executable) -> None:
        # A pipe that nobody reads would fill up and stop the server.
        self.log = state.with_name(f"{state.name}.log")
        command = [python, "-m", "casemate", "server", "local"]
        self.process = subprocess.Popen(
            [*within, *command, "--port", "0", "--state", str(state), *arguments],
            stdout=subprocess.PIPE,
            stderr=self.log.open("a"),
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, line + self.log.read_text()
        self.url = line[line.index("http://") :].split()[0].rstrip("/")
        self.api = f"{self.url}/api/v1/main"

    def kill(self) -> None:
        """SIGKILL, as a crash or the kernel's memory reaper would."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def _wait(self) -> int:
        status = self.process.wait(timeout=30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def save(self, source: str) -> requests.Response:
        """Create a flow."""
        return requests.post(
            f"{self.api}/flows", data=source.encode(), headers={"Content-Type": "application/x-yaml"}, timeout=30
        )

    def start(self, namespace: str, flow: str, **query: str) -> dict[str, Any]:
        """Create an execution."""
        answer = requests.post(f"{self.api}/executions/{namespace}/{flow}", params=query, timeout=60)
        assert answer.ok, answer.text
        return dict(answer.json())

    def execution(self, identifier: str) -> dict[str, Any]:
        """One execution as it is now."""
        answer = requests.get(f"{self.api}/executions/{identifier}", timeout=30)
        assert answer.ok, answer.text
        return dict(answer.json())

    def file(self, identifier: str, uri: str) -> bytes:
        """The content of a file of an execution."""
        answer = requests.get(f"{self.api}/executions/{identifier}/file", params={"path": uri}, timeout=30)
        assert answer.ok, answer.text
        return answer.content

    def until_ended(self, identifier: str, limit: float = 90) -> dict[str, Any]:
        """The execution once it has ended."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            found = self.execution(identifier)
            if found["state"]["current"] in ("SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"not ended after {limit} s: {found['state']}")


@contextlib.contextmanager
def server(state: Path, *arguments: str) -> Iterator[Server]:
    """A server for the length of a test."""
    running = Server(state, *arguments)
    try:
        yield running
    finally:
        running.stop()
