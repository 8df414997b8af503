"""What cannot go on ends with its reason, and keeps nobody else from going on."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from casemate.dispatch import Ask
from casemate.executions import State
from casemate.identifiers import MAIN
from casemate.jobs import Heartbeat
from casemate.orchestrator.errors import NotFound
from casemate.orchestrator.patience import patiently
from casemate.store import StoreUnavailable, Tx, executions, logs, outbox

from .parts import ONE, TWO, Clock, Plane, claimed, finished, plane

pytestmark = pytest.mark.anyio


async def spoil(service: Plane, statement: str) -> None:
    def apply(tx: Tx) -> None:
        tx.execute(text(statement))

    await service.db.transact(apply)


async def messages(service: Plane, execution) -> str:
    return "\n".join(entry.message for entry in await service.db.read(logs.of_execution, MAIN, execution.id))


async def test_an_error_of_the_engine_ends_the_execution_with_its_reason(tmp_path: Path, clock: Clock):
    async with plane(tmp_path, clock) as before:
        execution = await before.orchestrator.create(await before.save(TWO))
        await claimed(await before.link())
        await spoil(before, "UPDATE task_runs SET document = replace(document, '\"first\"', '\"nowhere\"')")
    async with plane(tmp_path, clock) as after:
        ended = await after.orchestrator.get(MAIN, execution.id)
        told = await messages(after, execution)
        assert "The execution can't go on: KeyError" in told
        assert "nowhere" not in told, "the text of an error may hold any value"
        clock.forward(seconds=60)
        await after.orchestrator.tend()
        states = await after.db.read(lambda tx: tx.scalars(text("SELECT state FROM jobs")).all())
        assert set(states) <= {"done", "dropped"}
    assert ended.state is State.FAILED
    assert [run.state for run in ended.task_runs.values()] == [State.FAILED]


async def test_an_error_of_the_engine_during_a_report_is_no_reason_to_run_the_task_again(service: Plane):
    execution = await service.orchestrator.create(await service.save(TWO))
    link = await service.link()
    grant = await claimed(link)
    await spoil(service, "UPDATE task_runs SET document = replace(document, '\"first\"', '\"nowhere\"')")
    # Someone else's change is noticed by the version; what is read then cannot be decided on.
    await spoil(service, "UPDATE executions SET version = version + 1")
    assert not await link.report(finished(grant, outputs={"value": "x"}))
    assert (await service.ended(execution)).state is State.FAILED
    assert (grant.job, grant.fence) in [
        (kill.job, kill.fence)
        for kill in await link.heartbeat(Heartbeat(worker=link.worker, holds=((grant.job, grant.fence),)))
    ]


async def test_an_execution_whose_flow_is_valid_no_more_ends_and_is_shown(tmp_path: Path):
    async with plane(tmp_path) as before:
        execution = await before.orchestrator.create(await before.save(TWO))
        await spoil(before, "UPDATE flows SET source = replace(source, 'log.Log', 'log.Gone')")
    async with plane(tmp_path) as after:
        assert (await after.ended(execution)).state is State.FAILED
        assert "io.kestra.plugin.core.log.Gone" in await messages(after, execution)


CALLER = """
id: caller
namespace: company.team
tasks:
  - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: company.team, flowId: two, wait: true}
"""


async def test_news_for_an_execution_whose_flow_is_valid_no_more_are_dropped(tmp_path: Path):
    async with plane(tmp_path) as before:
        await before.save(TWO)
        execution = await before.orchestrator.create(await before.save(CALLER))
        await claimed(await before.link())
        await spoil(before, "UPDATE flows SET source = replace(source, 'flow.Subflow', 'flow.Gone')")
        (subflow,) = await before.db.read(executions.called_by, MAIN, execution.id)
    async with plane(tmp_path) as after:
        assert (await after.ended(execution)).state is State.FAILED
        assert (await after.ended(await after.orchestrator.get(MAIN, subflow))).state is State.KILLED
        async with asyncio.timeout(10):
            while await after.db.read(outbox.pending):  # noqa: ASYNC110 - nothing to await
                await asyncio.sleep(0.05)


async def test_a_row_that_cannot_be_read_keeps_no_other_execution_from_going_on(tmp_path: Path):
    async with plane(tmp_path) as before:
        flow = await before.save(ONE)
        lost, fine = [await before.orchestrator.create(flow) for _ in range(2)]
        await spoil(before, f"UPDATE executions SET document = '[]' WHERE id = '{lost.id}'")
    async with plane(tmp_path) as after:
        link = await after.link()
        heard = False
        while not heard:
            with contextlib.suppress(TypeError):
                heard = await link.report(finished(await claimed(link)))
        assert (await after.ended(fine)).state is State.SUCCESS


async def test_after_a_leap_of_the_calendar_workers_may_say_that_they_live(tmp_path: Path):
    clock = Clock()
    async with plane(tmp_path, clock, tending=timedelta(milliseconds=50)) as service:
        execution = await service.orchestrator.create(await service.save(ONE))
        link = await service.link()
        grant = await claimed(link)
        with capture_logs() as told:
            clock.forward(hours=1)
            async with asyncio.timeout(10):
                while not any(entry["event"] == "clock.leapt" for entry in told):  # noqa: ASYNC110 - nothing to await
                    await asyncio.sleep(0.01)
            beat = Heartbeat(worker=link.worker, holds=((grant.job, grant.fence),))
            assert await link.heartbeat(beat) == ()
        await asyncio.sleep(0.15)
        assert await link.report(finished(grant))
        assert (await service.ended(execution)).state is State.SUCCESS


async def test_who_is_gone_is_missed_in_the_round_after_a_leap(tmp_path: Path):
    clock = Clock()
    async with plane(tmp_path, clock, tending=timedelta(milliseconds=50)) as service:
        await service.orchestrator.create(await service.save(ONE))
        gone = await claimed(await service.link("w1"))
        clock.forward(hours=1)
        assert (await claimed(await service.link("w2"))).fence > gone.fence


async def test_what_is_deleted_while_it_reports_does_not_live_on(service: Plane):
    flow, link = await service.save(TWO), await service.link()
    for _ in range(20):
        execution = await service.orchestrator.create(flow)
        grant = await claimed(link)
        await asyncio.gather(
            service.orchestrator.delete(MAIN, execution.id),
            link.report(finished(grant, outputs={"value": "x"})),
            service.orchestrator.kill(MAIN, execution.id),
            link.ask(grant.job, grant.fence, Ask("error_logs")),
            return_exceptions=True,
        )
        with pytest.raises(NotFound):
            await service.orchestrator.get(MAIN, execution.id)


async def test_patience_lasts_until_the_database_is_back():
    tries = iter([StoreUnavailable(), None])

    async def work() -> str:
        if error := next(tries):
            raise error
        return "done"

    assert await patiently(work, "e") == "done"
