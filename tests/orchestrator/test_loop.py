"""The loop: create, hint, claim, report, decide again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from casemate.dispatch import LinkLost
from casemate.errors import Refused
from casemate.executions import State
from casemate.flows import Label
from casemate.identifiers import MAIN
from casemate.jobs import Heartbeat, Kill, Logged, LogLine, Metric, Stale
from casemate.orchestrator import Conflict, NotFound
from casemate.store import executions, jobs, logs, metrics, outbox

from .parts import ONE, START, TWO, Plane, claimed, finished, plane, working

pytestmark = pytest.mark.anyio


async def test_a_flow_runs_to_its_end(service: Plane):
    flow = await service.save(TWO)
    async with working(await service.link()) as done:
        execution = await service.orchestrator.create(flow, labels=(Label("env", "prod"),))
        ended = await service.ended(execution)
    assert ended.state is State.SUCCESS
    assert [grant.task.id for grant in done] == ["first", "second"]
    assert Label("env", "prod") in ended.labels
    stored = await service.db.read(executions.get, MAIN, execution.id)
    assert stored.history == ended.history
    assert list(stored.task_runs.values()) == list(ended.task_runs.values())


async def test_a_grant_holds_what_the_task_needs_and_no_secret(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    grant = await claimed(await service.link())
    assert grant.place.execution == execution.id
    assert grant.place.attempt == 1
    assert "opensesame" not in repr(grant)
    assert grant.variables["execution"]["id"] == execution.id
    assert grant.variables["taskrun"]["id"] == grant.place.task_run
    assert grant.storage == (f"kestra:///company/team/one/executions/{execution.id}/tasks/say/{grant.place.task_run}")


async def test_outputs_of_one_task_are_variables_of_the_next(service: Plane):
    execution = await service.orchestrator.create(await service.save(TWO))
    link = await service.link()
    await link.report(finished(await claimed(link), outputs={"value": {"deep": [1]}}))
    grant = await claimed(link)
    assert grant.variables["outputs"]["first"]["value"] == {"deep": [1]}
    await link.report(finished(grant, "FAILED"))
    assert (await service.ended(execution)).state is State.FAILED


async def test_a_claimed_task_is_running(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    grant = await claimed(await service.link())
    stored = await service.db.read(executions.get, MAIN, execution.id)
    assert stored.task_runs[grant.place.task_run].state is State.RUNNING


async def test_a_job_is_granted_to_one_of_two_workers(service: Plane):
    await service.orchestrator.create(await service.save(ONE))
    ann, bob = await service.link("ann"), await service.link("bob")
    hint = await ann.next()
    outcomes = await asyncio.gather(ann.claim(hint), bob.claim(hint), ann.claim(hint))
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 2


async def test_a_result_counts_once(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    reports = await asyncio.gather(*(link.report(finished(grant, state)) for state in ("SUCCESS", "FAILED", "SUCCESS")))
    assert sorted(reports) == [False, False, True]
    ended = await service.ended(execution)
    assert ended.state is State.SUCCESS
    assert service.orchestrator.desk.late == 2


@pytest.mark.parametrize("wrong", ["fence", "worker", "job"])
async def test_a_report_from_the_wrong_hands_is_not_heard(service: Plane, wrong: str):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    report = finished(await claimed(link))
    if wrong == "fence":
        report = replace(report, fence=report.fence + 1)
    if wrong == "job":
        report = replace(report, job="other")
    assert not await (await service.link("thief") if wrong == "worker" else link).report(report)
    assert not (await service.orchestrator.get(MAIN, execution.id)).state.terminated


async def test_logs_and_measurements_are_kept(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    line = LogLine(at=START, level="WARN", message="careful", thread="t-1")
    metric = Metric(name="rows", kind="counter", value=3, tags={"a": "b"})
    assert await link.report(Logged(job=grant.job, fence=grant.fence, lines=(line,), metrics=(metric,)))
    assert await link.report(finished(grant, "SUCCESS", "bye"))
    await service.ended(execution)
    first, second = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert (first.message, first.level, first.thread, first.task_id, first.attempt) == (
        "careful",
        "WARN",
        "t-1",
        "say",
        1,
    )
    assert second.message == "bye"
    (measured,) = await service.db.read(metrics.of_execution, MAIN, execution.id)
    assert (measured.name, measured.value, measured.tags) == ("rows", 3, {"a": "b"})
    assert not await link.report(Logged(job=grant.job, fence=grant.fence, lines=(line,)))


async def test_a_long_message_is_cut_into_entries_a_millisecond_apart(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    await link.report(finished(await claimed(link), "SUCCESS", "x" * 10_240 + "y" * 10_240 + "z"))
    entries = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert [entry.message[0] for entry in entries] == ["x", "y", "z"]
    assert (entries[2].at - entries[0].at).total_seconds() == 0.002


async def test_outputs_that_are_too_large_fail_the_task(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    await link.report(finished(await claimed(link), outputs={"value": "x" * 1_048_576}))
    ended = await service.ended(execution)
    assert ended.state is State.FAILED
    assert next(iter(ended.task_runs.values())).outputs is None
    (entry,) = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert entry.message == (
        "Unable to emit the worker task result to the queue: "
        "Message of size 1048588 has exceeded the configured limit of 1048576"
    )


EACH = """
id: each
namespace: company.team
inputs: [{id: text, type: STRING}]
tasks:
  - id: for-each
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b, c, d]
    tasks: [{id: work, type: io.kestra.plugin.core.debug.Return, format: "{{ inputs.text }}"}]
"""


async def test_an_execution_whose_outputs_grow_without_end_fails(service: Plane):
    execution = await service.orchestrator.create(await service.save(EACH), {"text": "x" * 400_000})
    link = await service.link()
    for _ in range(2):
        await link.report(finished(await claimed(link), outputs={"value": "x" * 400_000}))
    ended = await service.ended(execution)
    assert ended.state is State.FAILED
    states = [run.state for run in ended.task_runs.values()]
    assert states == [State.KILLED, State.SUCCESS, State.SUCCESS, State.FAILED]
    entries = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert "Message of size 1200035 has exceeded the configured limit of 1048576" in entries[-1].message


async def test_an_execution_has_as_many_task_runs_as_it_wants(service: Plane):
    values = ", ".join(map(str, range(40)))
    flow = await service.save(EACH.replace("a, b, c, d", values))
    execution = await service.orchestrator.create(flow, {"text": "x" * 1_000_000})
    async with working(await service.link()):
        assert (await service.ended(execution)).state is State.SUCCESS


async def test_a_killed_execution_stops_what_runs_and_never_grants_what_waits(service: Plane):
    flow = await service.save("""
id: both
namespace: company.team
tasks:
  - id: parallel
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: a, type: io.kestra.plugin.core.log.Log, message: a}
      - {id: b, type: io.kestra.plugin.core.log.Log, message: b}
""")
    execution = await service.orchestrator.create(flow)
    link = await service.link()
    grant, waiting = await claimed(link), await link.next()
    await service.orchestrator.kill(MAIN, execution.id)
    assert isinstance(await link.claim(waiting), Stale)
    assert await link.next() == Kill(grant.job, grant.fence)
    assert await link.heartbeat(Heartbeat(worker="w1", holds=((grant.job, grant.fence),))) == (
        Kill(grant.job, grant.fence),
    )
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.KILLING
    assert await link.report(finished(grant, "KILLED"))
    ended = await service.ended(execution)
    assert ended.state is State.KILLED
    assert all(run.state is State.KILLED for run in ended.task_runs.values())
    with pytest.raises(Conflict, match="Execution is already finished, can't kill it"):
        await service.orchestrator.kill(MAIN, execution.id, cascade=False)
    await service.orchestrator.kill(MAIN, execution.id)
    assert await service.orchestrator.get(MAIN, execution.id) == ended


async def test_a_kill_while_the_job_waits_for_a_second_worker_ends_the_execution(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    await claimed(await service.link())
    service.clock.forward(seconds=46)
    await service.orchestrator.tend()
    await service.orchestrator.kill(MAIN, execution.id)
    assert (await service.ended(execution)).state is State.KILLED


async def test_the_files_of_a_job(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    uri = await link.put(grant.job, grant.fence, "out/a.txt", b"hello")
    assert uri == f"{grant.storage}/out/a.txt"
    assert b"".join([chunk async for chunk in link.fetch(grant.job, grant.fence, uri)]) == b"hello"
    await link.report(finished(grant))
    await service.ended(execution)
    await service.orchestrator.delete(MAIN, execution.id)
    assert not await service.storage.exists(MAIN, uri)


async def test_the_log_file_of_an_attempt_is_one_of_its_own(service: Plane):
    flow = await service.save(TWO)
    execution = await service.orchestrator.create(flow)
    link = await service.link()
    first = await claimed(link)
    own = await link.put(first.job, first.fence, "attempt-1-1.log", b"one line\n")
    assert await link.report(finished(first, log_file=own))
    second = await claimed(link)
    assert await link.report(finished(second, log_file="kestra:///company/team/other/executions/x/secret.txt"))
    ended = await service.ended(execution)
    assert [run.attempts[-1].log_file for run in ended.task_runs.values()] == [own, None]


async def test_deleting_removes_everything_and_stops_the_worker(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    link = await service.link()
    grant = await claimed(link)
    await service.orchestrator.delete(MAIN, execution.id)
    assert await link.next() == Kill(grant.job, grant.fence)
    assert not await link.report(finished(grant, "SUCCESS", "late"))
    assert await link.heartbeat(Heartbeat(worker="w1", holds=((grant.job, grant.fence),)))
    for rows in (logs.of_execution, jobs.of_execution):
        assert await service.db.read(rows, MAIN, execution.id) == ()
    for call in (service.orchestrator.delete, service.orchestrator.kill, service.orchestrator.get):
        with pytest.raises(NotFound):
            await call(MAIN, execution.id)


async def test_an_execution_of_another_tenant_is_not_there(service: Plane):
    execution = await service.orchestrator.create(await service.save(ONE))
    for call in (service.orchestrator.get, service.orchestrator.kill, service.orchestrator.delete):
        with pytest.raises(NotFound):
            await call("acme", execution.id)


async def test_a_disabled_flow_is_not_started(service: Plane):
    with pytest.raises(Conflict, match="disabled"):
        await service.orchestrator.create(await service.save(f"{ONE}\ndisabled: true"))


async def test_wrong_inputs_are_refused_and_right_ones_kept(service: Plane):
    flow = await service.save(f"{ONE}\ninputs: [{{id: age, type: INT, min: 18}}, {{id: name, type: STRING}}]")
    with pytest.raises(Refused) as refused:
        await service.orchestrator.create(flow, {"age": "17"})
    assert len(refused.value.problems) == 2
    execution = await service.orchestrator.create(flow, {"age": "42", "name": "Zoë"})
    assert execution.inputs == {"age": 42, "name": "Zoë"}


async def test_a_flow_without_work_ends_at_once(service: Plane):
    execution = await service.orchestrator.create(
        await service.save(ONE.replace("message:", "disabled: true\n    message:"))
    )
    assert execution.state is State.SUCCESS


async def test_the_outbox_is_empty_once_everything_is_sent(service: Plane):
    flow = await service.save(TWO)
    async with working(await service.link()):
        await service.ended(await service.orchestrator.create(flow))
    async with asyncio.timeout(5):
        while await service.db.read(outbox.pending):
            pass


async def test_a_hundred_executions_side_by_side(service: Plane):
    flow = await service.save(TWO)
    async with working(await service.link("a")), working(await service.link("b")), working(await service.link("c")):
        started = await asyncio.gather(*(service.orchestrator.create(flow) for _ in range(100)))
        ended = await asyncio.gather(*(service.ended(each) for each in started))
    assert {each.state for each in ended} == {State.SUCCESS}


async def test_whoever_waits_when_the_service_stops_is_told(tmp_path):
    async with plane(tmp_path) as service:
        execution = await service.orchestrator.create(await service.save(ONE))
        link = await service.link()
        grant = await claimed(link)
        waiting = asyncio.create_task(link.report(finished(grant)))
        await asyncio.sleep(0)
        await service.orchestrator.stop()
        with pytest.raises(LinkLost):
            await waiting
    assert execution.state is State.RUNNING
