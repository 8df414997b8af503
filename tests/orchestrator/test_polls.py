"""Triggers that poll: a job on a worker without an execution, and what its answer comes to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casemate.dispatch import Ask, NotHeld, Reply
from casemate.executions import Context, Execution, State
from casemate.identifiers import MAIN
from casemate.jobs import Grant, Heartbeat, Hint, Logged, LogLine, Stale
from casemate.sealed import Sealed
from casemate.store import Filter, executions, logs, triggers

from .parts import START, Clock, Plane, claimed, finished, plane

pytestmark = pytest.mark.anyio

PLACE = (MAIN, "company.team", "polling")
KEY = (*PLACE, "poll")
URI = "http://example.com/?key={{ secret('TOKEN') }}"

FLOW = f"""
id: polling
namespace: company.team
variables: {{name: value}}
tasks:
  - {{id: say, type: io.kestra.plugin.core.log.Log, message: "{{{{ trigger.body }}}}"}}
triggers:
  - id: poll
    type: io.kestra.plugin.core.http.Trigger
    uri: "{URI}"
    interval: PT30S
"""

ANSWER = {"uri": "http://example.com/", "code": 200, "headers": {"x": ["y"]}, "body": '{"id": 1}'}


async def polling(service: Plane, more: str = "") -> Grant:
    """The job of the first evaluation."""
    await service.save(FLOW + more)
    await service.orchestrator.scheduler.round()
    return await claimed(await service.link())


async def answered(service: Plane, grant: Grant, state: str = "SUCCESS", **outputs: object) -> bool:
    link = await service.link()
    return await link.report(finished(grant, state, "a line", outputs={**ANSWER, **outputs}))


async def started(service: Plane) -> list[Execution]:
    found, _ = await service.db.read(executions.search, MAIN)
    return list(found)


async def record(service: Plane):
    return await service.db.read(triggers.get, KEY)


async def logged(service: Plane) -> list[str]:
    entries, _ = await service.db.read(logs.search, MAIN, (Filter("triggerId", "EQUALS", "poll"),))
    return sorted(f"{entry.level} {entry.message}" for entry in entries)


async def test_an_evaluation_is_a_job_with_the_request_and_what_it_names(service: Plane, clock: Clock):
    grant = await polling(service)
    assert grant.task.canonical == "io.kestra.plugin.core.http.Trigger"
    assert grant.task.properties["allowFailed"] is True
    assert grant.task.properties["uri"] == URI
    assert "interval" not in grant.task.properties
    assert "responseCondition" not in grant.task.properties
    assert "opensesame" not in repr(grant)
    assert grant.variables["vars"] == {"name": "value"}
    assert (await record(service)).evaluating_since == clock()
    assert await started(service) == []


async def test_an_answer_starts_an_execution_with_it_as_trigger(service: Plane, clock: Clock):
    grant = await polling(service, "    labels: {code: '{{ trigger.code }}'}\n")
    assert await answered(service, grant)
    (execution,) = await started(service)
    assert execution.trigger == {"id": "poll", "type": "io.kestra.plugin.core.http.Trigger", "variables": ANSWER}
    assert execution.id == grant.place.execution
    assert [label.value for label in execution.labels] == ["200", execution.id]
    state = await record(service)
    assert (state.execution_id, state.evaluating_since) == (execution.id, None)
    assert state.next_date == clock() + timedelta(seconds=30)
    assert await logged(service) == ["DEBUG http://example.com/ respond with status code '200'", "INFO a line"]


@pytest.mark.parametrize(
    ("condition", "outputs", "starts"),
    [
        ("", {"code": 404}, False),
        ("", {"code": 399}, True),
        ("{{ response.statusCode == 404 }}", {"code": 404}, True),
        ("{{ json(response.body).id == 1 }}", {}, True),
        ("{{ json(response.body).id == 2 }}", {}, False),
        ("{{ response.headers.x[0] == 'y' }}", {}, True),
        ("{{ response.body is null }}", {"body": None}, True),
        ("{{ null }}", {}, False),
        ("0", {}, False),
    ],
)
async def test_the_response_condition(service: Plane, condition: str, outputs: dict, starts: bool):
    grant = await polling(service, f'    responseCondition: "{condition}"\n' if condition else "")
    assert await answered(service, grant, **outputs)
    assert (len(await started(service)) == 1) == starts
    state = await record(service)
    assert (state.evaluating_since, state.next_date) == (None, START + timedelta(seconds=30))


async def test_conditions_are_asked_after_it(service: Plane):
    conditions = (
        "conditions: [{type: io.kestra.plugin.core.condition.Expression, expression: '{{ trigger.code == 1 }}'}]"
    )
    assert await answered(service, await polling(service, f"    {conditions}\n"))
    assert await started(service) == []


async def test_a_condition_that_fails_is_seen_as_an_execution_that_failed(service: Plane):
    conditions = "conditions: [{type: io.kestra.plugin.core.condition.Expression, expression: '{{ nothing }}'}]"
    assert await answered(service, await polling(service, f"    {conditions}\n"))
    (execution,) = await started(service)
    assert execution.state is State.FAILED
    assert "ERROR Unable to evaluate the trigger 'poll'" in await logged(service)


@pytest.mark.parametrize("way", ["request", "condition"])
async def test_a_request_without_answer_starts_nothing_and_is_told_in_the_log(service: Plane, way: str):
    grant = await polling(service, "    responseCondition: '{{ nothing }}'\n" if way == "condition" else "")
    assert await answered(service, grant, "FAILED" if way == "request" else "SUCCESS")
    assert await started(service) == []
    assert "ERROR Unable to evaluate the trigger 'poll'" in await logged(service)
    assert (await record(service)).next_date == START + timedelta(seconds=30)


async def test_the_next_comes_after_the_interval_and_the_end_of_the_execution(service: Plane, clock: Clock):
    await answered(service, await polling(service))
    clock.forward(seconds=60)
    await service.orchestrator.scheduler.round()
    link = await service.link()
    (execution,) = await started(service)
    await link.report(finished(await claimed(link)))
    await service.ended(execution)
    await service.orchestrator.scheduler.round()
    grant = await claimed(link)
    assert grant.job.endswith("-poll")


async def test_it_is_granted_once_and_heard_from_its_holder_only(service: Plane):
    grant = await polling(service)
    other = await service.link("w2")
    assert isinstance(await other.claim(Hint(grant.job)), Stale)
    assert not await other.report(finished(grant, outputs=ANSWER))
    with pytest.raises(NotHeld):
        await other.ask(grant.job, grant.fence, Ask("kv", {"key": "a"}))
    assert await started(service) == []
    assert await answered(service, grant)
    assert not await answered(service, grant)
    assert len(await started(service)) == 1


async def test_it_may_ask_the_world_and_nothing_else(service: Plane):
    grant = await polling(service)
    link = await service.link()
    assert (await link.ask(grant.job, grant.fence, Ask("secret", {"key": "TOKEN"}))).value == "opensesame"
    refused = await link.ask(grant.job, grant.fence, Ask("kv.set", {"key": "a", "value": "b"}))
    assert "can not be answered here" in str(refused.error)
    unsealed = await link.ask(grant.job, grant.fence, Ask("text.seal", {"text": "clear"}))
    assert unsealed == Reply(error="Unable to encrypt the output as encryption is not configured")
    with pytest.raises(NotHeld):
        await link.put(grant.job, grant.fence, "file", b"content")


async def test_a_sealed_body_is_open_for_the_condition_only(tmp_path, clock: Clock):
    keys = Context(
        seal=lambda clear: Sealed(f"sealed {clear}"), unseal=lambda sealed: sealed.cipher.removeprefix("sealed ")
    )
    condition = "{{ response.body == 'clear' }}"
    async with plane(tmp_path, clock, keys) as service:
        grant = await polling(service, f'    encryptBody: true\n    responseCondition: "{condition}"\n')
        link = await service.link()
        sealed = await link.ask(grant.job, grant.fence, Ask("text.seal", {"text": "clear"}))
        outputs = {"uri": "u", "code": 200, "headers": {}, "encryptedBody": sealed.value}
        assert await link.report(finished(grant, outputs=outputs))
        (execution,) = await started(service)
    assert execution.trigger is not None
    assert execution.trigger["variables"]["encryptedBody"]["value"] == "sealed clear"


async def test_an_answer_that_comes_after_the_flow_has_changed_is_dropped(service: Plane):
    grant = await polling(service)
    await service.save(FLOW.replace("PT30S", "PT40S"))
    assert await answered(service, grant)
    assert await started(service) == []


async def test_a_lost_worker_is_not_waited_for(service: Plane, clock: Clock):
    grant = await polling(service)
    link = await service.link()
    clock.forward(seconds=40)
    await link.heartbeat(Heartbeat(worker=link.worker, holds=((grant.job, grant.fence),)))
    clock.forward(seconds=40)
    await service.orchestrator.scheduler.round()
    assert (await record(service)).evaluating_since is not None
    clock.forward(seconds=10)
    await service.orchestrator.scheduler.round()
    state = await record(service)
    assert (state.evaluating_since, state.next_date) == (None, clock() + timedelta(seconds=30))
    assert await link.heartbeat(Heartbeat(worker=link.worker, holds=((grant.job, grant.fence),)))
    assert not await answered(service, grant)


async def test_log_entries_of_a_running_evaluation_are_those_of_the_trigger(service: Plane):
    grant = await polling(service)
    link = await service.link()
    line = LogLine(at=START, level="WARN", message="slow")
    assert await link.report(Logged(job=grant.job, fence=grant.fence, lines=(line,)))
    assert await logged(service) == ["WARN slow"]


async def test_an_evaluation_that_a_crash_has_ended_comes_again(tmp_path, clock: Clock):
    async with plane(tmp_path, clock) as service:
        await polling(service)
    async with plane(tmp_path, clock) as service:
        await service.orchestrator.scheduler.recover()
        await service.orchestrator.scheduler.round()
        assert await answered(service, await claimed(await service.link()))
        assert len(await started(service)) == 1
