"""In whatever order claims, reports, kills, lost workers, doubled hints and crashes come: what fences promise holds."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.executions import Execution, State
from casemate.identifiers import MAIN, JobId
from casemate.jobs import Grant, Heartbeat, Hint, Kill
from casemate.store import executions, jobs

from .parts import Clock, Plane, claimed, finished, plane

FLOW = """
id: wild
namespace: company.team
tasks:
  - id: all
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: a, type: io.kestra.plugin.core.log.Log, message: a}
      - {id: b, type: io.kestra.plugin.core.log.Log, message: b}
      - {id: c, type: io.kestra.plugin.core.log.Log, message: c, retry: {type: constant, interval: PT1S, maxAttempt: 2}}
  - {id: last, type: io.kestra.plugin.core.log.Log, message: d}
"""

WORKERS = ("ann", "bob", "cat")

LEASE = 45


class Chaos:
    """Plays workers and disasters, and keeps its own account of who may do what."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.hints: dict[JobId, None] = {}
        self.grants: list[tuple[str, Grant]] = []
        self.newest: dict[JobId, Grant] = {}
        self.until: dict[JobId, float] = {}
        self.ended: set[JobId] = set()
        self.results: defaultdict[JobId, int] = defaultdict(int)
        self.killed = False

    async def open(self) -> None:
        self.stack = AsyncExitStack()
        self.service: Plane = await self.stack.enter_async_context(plane(self.folder, self.clock))
        self.links = {name: await self.service.link(name) for name in WORKERS}

    async def begin(self) -> None:
        await self.open()
        self.execution: Execution = await self.service.orchestrator.create(await self.service.save(FLOW))

    async def act(self, action: str, who: int, which: int) -> None:
        worker = WORKERS[who % len(WORKERS)]
        await self.listen()
        match action:
            case "claim" if self.hints:
                await self.claim(worker, list(self.hints)[which % len(self.hints)])
            case "finish" | "fail" if self.grants:
                owner, grant = self.grants[which % len(self.grants)]
                await self.report(owner, grant, "SUCCESS" if action == "finish" else "FAILED")
            case "steal" if self.grants:
                _, grant = self.grants[which % len(self.grants)]
                await self.report(worker, grant, "SUCCESS")
            case "beat":
                await self.beat(worker)
            case "time":
                self.clock.forward(seconds=20)
                await self.service.orchestrator.tend()
            case "kill" if not await self.over():
                self.killed = True
                await self.service.orchestrator.kill(MAIN, self.execution.id)
            case "crash":
                await self.stack.aclose()
                self.until.clear()
                await self.open()

    async def listen(self) -> None:
        """Hear every hint there is; each stays known, so that it is used late and more than once."""
        link = self.links[WORKERS[0]]
        while link._hints:
            match await link.next():
                case Hint(job=job):
                    self.hints[job] = None
                case Kill():
                    pass

    async def claim(self, worker: str, job: JobId) -> None:
        outcome = await self.links[worker].claim(Hint(job))
        if not isinstance(outcome, Grant):
            return
        before = self.newest.get(job)
        assert not self.killed, "killed jobs are never granted"
        assert job not in self.ended, "what is over is never granted"
        assert before is None or outcome.fence > before.fence, "fences grow"
        assert self.until.get(job, 0) < self.now(), "at most one live fence"
        self.grants.append((worker, outcome))
        self.newest[job] = outcome
        self.until[job] = self.now() + LEASE

    async def report(self, worker: str, grant: Grant, state: str) -> None:
        heard = await self.links[worker].report(finished(grant, state))
        if heard:
            owner = next(name for name, each in self.grants if each is grant)
            assert worker == owner, "only the holder is heard"
            assert self.newest[grant.job] is grant, "only the newest fence is heard"
            self.results[grant.job] += 1
            self.ended.add(grant.job)
            self.until.pop(grant.job, None)

    async def beat(self, worker: str) -> None:
        mine = [grant for owner, grant in self.grants if owner == worker]
        holds = tuple((grant.job, grant.fence) for grant in mine)
        stop = await self.links[worker].heartbeat(Heartbeat(worker=worker, holds=holds))
        for grant in mine:
            if Kill(grant.job, grant.fence) not in stop:
                assert self.newest[grant.job] is grant, "only the newest fence is renewed"
                self.until[grant.job] = self.now() + LEASE

    async def over(self) -> bool:
        return (await self.service.orchestrator.get(MAIN, self.execution.id)).state.terminated

    def now(self) -> float:
        return self.clock.time.timestamp()

    async def settle(self) -> Execution:
        """Let good workers finish what is left."""
        for _ in range(40):
            if await self.over():
                break
            self.clock.forward(seconds=LEASE + 1)
            await self.service.orchestrator.tend()
            await self.listen()
            for job in tuple(self.hints):
                await self.claim("ann", job)
            for owner, grant in tuple(self.grants):
                await self.report(owner, grant, "SUCCESS")
        return await self.service.orchestrator.get(MAIN, self.execution.id)


ACTIONS = ("claim", "claim", "claim", "finish", "finish", "fail", "steal", "beat", "time", "kill", "crash")

steps = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2), st.integers(0, 7))


async def wreak(script: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder))
        await chaos.begin()
        try:
            for action, who, which in script:
                await chaos.act(action, who, which)
            await check(chaos, await chaos.settle())
        finally:
            await chaos.stack.aclose()


async def check(chaos: Chaos, ended: Execution) -> None:
    """The end: nothing hangs, nothing was applied twice, and what was heard is what is stored."""
    assert ended.state.terminated
    assert all(count == 1 for count in chaos.results.values()), "no result is applied twice"
    stored = await chaos.service.db.read(executions.get, MAIN, ended.id)
    assert list(stored.task_runs.values()) == list(ended.task_runs.values())
    attempts = Counter(
        jobs.named(run.id, number + 1)
        for run in ended.task_runs.values()
        for number, attempt in enumerate(run.attempts)
        if attempt.history.current in (State.SUCCESS, State.FAILED)
    )
    given_up = {job.id for job in await chaos.service.db.read(jobs.of_execution, MAIN, ended.id) if job.deliveries >= 5}
    assert set(attempts) - given_up == set(chaos.results) - given_up, "what was heard is what is stored"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=5, max_size=40))
def test_fences_hold_in_any_order_of_events(script: list[tuple[str, int, int]]):
    asyncio.run(wreak(script))


def test_claims_reports_and_a_kill_at_the_same_time():
    async def race() -> None:
        for _ in range(10):
            with tempfile.TemporaryDirectory() as folder:
                chaos = Chaos(Path(folder))
                await chaos.begin()
                link = chaos.links["ann"]
                grant = await claimed(link)
                waiting = [await link.next(), await link.next()]
                outcomes = await asyncio.gather(
                    *(link.claim(hint) for hint in waiting),
                    link.report(finished(grant)),
                    chaos.service.orchestrator.kill(MAIN, chaos.execution.id),
                    *(chaos.links["bob"].claim(hint) for hint in waiting),
                    link.report(finished(grant, "FAILED")),
                )
                assert sum(outcome is True for outcome in outcomes) == 1
                granted = [outcome for outcome in outcomes if isinstance(outcome, Grant)]
                assert len({each.job for each in granted}) == len(granted)
                for each in granted:
                    await link.report(finished(each, "KILLED"))
                assert (await chaos.service.ended(chaos.execution)).state is State.KILLED
                await chaos.stack.aclose()

    asyncio.run(race())
