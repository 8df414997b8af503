"""Crashes: whatever was going on is taken up again from the rows."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from casemate.dispatch import LinkLost
from casemate.executions import State
from casemate.identifiers import MAIN
from casemate.jobs import Heartbeat, Kill, Stale
from casemate.store import Tx, executions, jobs, logs

from .parts import ONE, TWO, Clock, Plane, claimed, finished, plane, working

pytestmark = pytest.mark.anyio

FAN_OUT = """
id: fan
namespace: company.team
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    concurrencyLimit: 0
    values: "[{}]"
    tasks:
      - {{id: say, type: io.kestra.plugin.core.debug.Return, format: "{{{{ taskrun.value }}}}"}}
""".format(", ".join(str(number) for number in range(40)))


async def test_a_job_that_nobody_claimed_is_hinted_again(tmp_path: Path):
    async with plane(tmp_path) as before:
        execution = await before.orchestrator.create(await before.save(ONE))
    async with plane(tmp_path) as after, working(await after.link()):
        assert (await after.ended(execution)).state is State.SUCCESS


async def test_a_job_whose_worker_died_with_the_process_is_free_at_once(tmp_path: Path):
    async with plane(tmp_path) as before:
        execution = await before.orchestrator.create(await before.save(ONE))
        old = await claimed(await before.link("w1"))
    async with plane(tmp_path) as after:
        link = await after.link("w2")
        new = await claimed(link)
        assert new.job == old.job
        assert new.fence > old.fence
        assert new.place.attempt == old.place.attempt == 1
        assert not await (await after.link("w1")).report(finished(old, "FAILED"))
        assert await link.report(finished(new))
        ended = await after.ended(execution)
    assert ended.state is State.SUCCESS
    assert [len(run.attempts) for run in ended.task_runs.values()] == [1]


async def test_between_two_tasks(tmp_path: Path):
    async with plane(tmp_path) as before:
        execution = await before.orchestrator.create(await before.save(TWO))
        link = await before.link()
        await link.report(finished(await claimed(link), outputs={"value": "x"}))
    async with plane(tmp_path) as after, working(await after.link()) as done:
        assert (await after.ended(execution)).state is State.SUCCESS
    assert [grant.task.id for grant in done] == ["second"]
    assert done[0].variables["outputs"]["first"]["value"] == "x"


async def test_while_being_killed(tmp_path: Path):
    async with plane(tmp_path) as before:
        execution = await before.orchestrator.create(await before.save(ONE))
        await claimed(await before.link())
        await before.orchestrator.kill(MAIN, execution.id)
    async with plane(tmp_path) as after:
        assert (await after.ended(execution)).state is State.KILLED


async def test_a_retry_that_was_due_meanwhile(tmp_path: Path, clock: Clock):
    source = ONE.replace("message:", "retry: {type: constant, interval: PT1H, maxAttempt: 2}\n    message:")
    async with plane(tmp_path, clock) as before:
        execution = await before.orchestrator.create(await before.save(source))
        link = await before.link()
        await link.report(finished(await claimed(link), "FAILED"))
        assert (await before.orchestrator.get(MAIN, execution.id)).state is State.RETRYING
    clock.forward(hours=2)
    async with plane(tmp_path, clock) as after, working(await after.link()) as done:
        ended = await after.ended(execution)
    assert ended.state is State.SUCCESS
    assert [grant.place.attempt for grant in done] == [2]


async def test_a_lost_hint_is_given_again(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    await link.next()
    service.clock.forward(seconds=31)
    await service.orchestrator.tend()
    await link.report(finished(await claimed(link)))
    assert (await service.ended(execution)).state is State.SUCCESS


async def test_a_job_whose_lease_is_over_goes_to_another_worker(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    ann, bob = await service.link("ann"), await service.link("bob")
    old = await claimed(ann)
    service.clock.forward(seconds=46)
    await service.orchestrator.tend()
    new = await claimed(bob)
    assert new.fence > old.fence
    assert await ann.heartbeat(Heartbeat(worker="ann", holds=((old.job, old.fence),))) == (Kill(old.job, old.fence),)
    assert not await ann.report(finished(old, "FAILED"))
    assert await bob.report(finished(new))
    assert (await service.ended(execution)).state is State.SUCCESS


async def test_a_heartbeat_keeps_the_lease(service: Plane):
    await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    for _ in range(5):
        service.clock.forward(seconds=40)
        assert await link.heartbeat(Heartbeat(worker="w1", holds=((grant.job, grant.fence),))) == ()
        await service.orchestrator.tend()
    assert await link.report(finished(grant))


async def test_a_job_that_kills_its_workers_is_given_up(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    for _ in range(5):
        await claimed(link)
        service.clock.forward(seconds=46)
        await service.orchestrator.tend()
    ended = await service.ended(execution)
    assert ended.state is State.FAILED
    (entry,) = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert entry.level == "ERROR"
    assert "given to a worker 5 times" in entry.message


async def test_a_worker_lost_while_killing_ends_the_execution(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    await service.orchestrator.kill(MAIN, execution.id)
    service.clock.forward(seconds=46)
    await service.orchestrator.tend()
    assert (await service.ended(execution)).state is State.KILLED
    assert not await link.report(finished(grant))


async def test_a_change_by_someone_else_is_noticed_and_built_upon(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)

    def save_again(tx: Tx) -> None:
        stored = executions.get(tx, MAIN, execution.id)
        executions.save(tx, stored, stored, ())

    for _ in range(3):
        await service.db.transact(save_again)
    assert await link.report(finished(grant))
    ended = await service.ended(execution)
    assert ended.state is State.SUCCESS
    assert ended.version == 6


async def test_a_worker_waits_while_the_database_is_unavailable(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)

    def limit(tx: Tx, pages: int) -> None:
        tx.execute(text(f"PRAGMA max_page_count = {pages}")).close()

    await service.db.transact(limit, 1)
    with pytest.raises(LinkLost):
        await link.report(finished(grant, "SUCCESS", *["x" * 10_000] * 50))
    await service.db.transact(limit, 1_000_000)
    assert await link.report(finished(grant, "SUCCESS", "x"))
    assert (await service.ended(execution)).state is State.SUCCESS


async def test_stale_hints_of_finished_jobs_are_refused(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    hint = await link.next()
    grant = await link.claim(hint)
    await link.report(finished(grant))
    await service.ended(execution)
    assert isinstance(await link.claim(hint), Stale)


VICTIM = """
import asyncio, sys
from pathlib import Path
from tests.orchestrator.parts import plane, working

async def main():
    async with plane(Path(sys.argv[1])) as service:
        links = [await service.link(f"w{number}") for number in range(3)]
        async with working(links[0]), working(links[1]), working(links[2]):
            print("up", flush=True)
            await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_killed_at_random_moments_it_still_does_everything_once(tmp_path: Path):
    async with plane(tmp_path) as first:
        execution = await first.orchestrator.create(await first.save(FAN_OUT))
    for _ in range(3):
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", VICTIM, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        while await victim.stdout.readline() != b"up\n":
            pass
        await asyncio.sleep(random.uniform(0, 0.08))
        victim.send_signal(signal.SIGKILL)
        assert await victim.wait() == -signal.SIGKILL
    async with plane(tmp_path) as last, working(await last.link()):
        ended = await last.ended(execution)
        done = await last.db.read(jobs.of_execution, MAIN, execution.id)
    assert ended.state is State.SUCCESS
    values = [run.value for run in ended.task_runs.values() if run.value is not None]
    assert sorted(values, key=int) == [str(number) for number in range(40)]
    assert all(len(run.attempts) == 1 for run in ended.task_runs.values() if run.value is not None)
    assert len(done) == 40
    assert {job.state for job in done} == {jobs.JobState.DONE}
