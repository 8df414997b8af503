"""A server on loopback over a real control plane, with a worker that carries out three kinds of tasks by itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from casemate.api import Deps, app, serve
from casemate.dispatch import WorkerLink
from casemate.expressions import Unanswerable, render
from casemate.jobs import Finished, Grant, Kill, LogLine
from casemate.orchestrator import Orchestrator

from ..orchestrator.parts import CATALOG, plane


@dataclass(frozen=True)
class Live:
    url: str
    orchestrator: Orchestrator

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1/main"

    def call(self, verb: str, path: str, **more) -> requests.Response:
        """An operation of the tenant."""
        return requests.request(verb, f"{self.api}/{path}", timeout=30, **more)

    def save(self, source: str, path: str = "flows", verb: str = "POST") -> dict:
        """A flow from its source."""
        answer = self.call(verb, path, data=source.encode(), headers={"content-type": "application/x-yaml"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reached(self, execution: str, *states: str) -> dict:
        """The execution once it has one of these states."""
        until = time.monotonic() + 20
        while (found := self.call("GET", f"executions/{execution}").json())["state"]["current"] not in states:
            assert time.monotonic() < until, f"{found['state']}, not {states}"
            time.sleep(0.01)
        return found


@contextmanager
def live(folder: Path, **more) -> Iterator[Live]:
    """The server in a thread of its own, so that tests can be clients like any other."""
    started, ended, found = threading.Event(), asyncio.Event(), {}

    async def run() -> None:
        async with plane(folder, now) as parts:
            deps = Deps(
                db=parts.db,
                orchestrator=parts.orchestrator,
                storage=parts.storage,
                catalog=CATALOG,
                version="0.0.0-test",
                **more,
            )

            def ready(url: str) -> None:
                found.update(live=Live(url, parts.orchestrator), loop=asyncio.get_running_loop())
                started.set()

            working = asyncio.create_task(work(await parts.link()))
            serving = asyncio.create_task(serve(app(deps), "127.0.0.1", 0, ready))
            await ended.wait()
            for task in (serving, working):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(10), "the server did not start"
    try:
        yield found["live"]
    finally:
        found["loop"].call_soon_threadsafe(ended.set)
        thread.join()


def now() -> datetime:
    return datetime.now(UTC)


async def work(link: WorkerLink) -> None:
    """Log writes, Return returns, Sleep sleeps until it is killed."""
    asleep: dict[str, Grant] = {}
    while True:
        match await link.next():
            case Kill(job=job):
                if job in asleep:
                    await link.report(_end(asleep.pop(job), "KILLED"))
            case hint:
                grant = await link.claim(hint)
                if not isinstance(grant, Grant):
                    continue
                if grant.task.canonical.endswith(".Sleep"):
                    asleep[grant.job] = grant
                else:
                    await link.report(_carried_out(grant))


def _carried_out(grant: Grant) -> Finished:
    given = grant.task.properties.get("message") or grant.task.properties.get("format")
    text = str(render(given, grant.variables, Unanswerable(now=now())))
    if grant.task.canonical.endswith(".Log"):
        return _end(grant, "SUCCESS", lines=(LogLine(at=now(), level="INFO", message=text),))
    return _end(grant, "SUCCESS", outputs={"value": text})


def _end(grant: Grant, state: str, **more) -> Finished:
    return Finished(job=grant.job, fence=grant.fence, state=state, **more)
