"""Executions that start others: what they hand over, what they wait for, and how the end comes back."""

from __future__ import annotations

import pytest

from casemate.executions import Context, Execution, State
from casemate.flows import Label
from casemate.identifiers import MAIN
from casemate.keys import Keyring
from casemate.orchestrator import Conflict, NotFound
from casemate.secret import Secret
from casemate.store import Filter, executions, flows, logs, outbox

from .parts import Plane, allow, claimed, finished, plane, working

pytestmark = pytest.mark.anyio

PARENT = """
id: parent
namespace: company.team
labels:
  team: data
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: child
    inputs:
      name: "{{ flow.id }}"
    labels:
      launched: "{{ task.id }}"
"""

CHILD = """
id: child
namespace: company.team
labels:
  own: "yes"
inputs:
  - id: name
    type: STRING
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ inputs.name }}"
outputs:
  - id: greeting
    type: STRING
    value: "Hello {{ inputs.name }}"
"""


def with_line(source: str, line: str) -> str:
    return f"{source.rstrip()}\n    {line}\n"


async def started(service: Plane, source: str = PARENT, *others: str, **more) -> Execution:
    for other in others or (CHILD,):
        await service.save(other)
    return await service.orchestrator.create(await service.save(source), **more)


async def subflows(service: Plane, execution: Execution) -> tuple[Execution, ...]:
    wanted = (Filter("triggerExecutionId", "EQUALS", execution.id),)
    found, _ = await service.db.read(executions.search, MAIN, wanted)
    return found


async def entries(service: Plane, execution: Execution) -> list[tuple[str, str]]:
    return [(entry.level, entry.message) for entry in await service.db.read(logs.of_execution, MAIN, execution.id)]


async def only_run(service: Plane, execution: Execution):
    (run,) = (await service.orchestrator.get(MAIN, execution.id)).task_runs.values()
    return run


async def test_the_end_of_a_subflow_is_that_of_its_task_run(service: Plane):
    execution = await started(service)
    async with working(await service.link()):
        ended = await service.ended(execution)
    (child,) = await subflows(service, execution)
    (run,) = ended.task_runs.values()
    assert ended.state is State.SUCCESS
    assert run.outputs == {"executionId": child.id, "state": "SUCCESS", "outputs": {"greeting": "Hello parent"}}
    assert [[moment.state for moment in attempt.history.moments] for attempt in run.attempts] == [
        [State.CREATED, State.RUNNING, State.SUCCESS]
    ]
    link = f'link execution="{child.id}" flowId="child" namespace="company.team"'
    assert ("INFO", f"Created new execution [[{link}]]") in await entries(service, execution)


async def test_a_subflow_knows_who_started_it(service: Plane):
    execution = await started(service)
    await claimed(await service.link())
    (child,) = await subflows(service, execution)
    assert child.trigger == {
        "id": "call",
        "type": "io.kestra.plugin.core.flow.Subflow",
        "variables": {
            "executionId": execution.id,
            "namespace": "company.team",
            "flowId": "parent",
            "flowRevision": 1,
        },
    }
    assert child.labels == (
        Label("own", "yes"),
        Label("launched", "call"),
        Label("system.correlationId", execution.id),
    )


async def test_a_subflow_inherits_labels_where_that_is_asked_for(service: Plane):
    execution = await started(service, with_line(PARENT, "inheritLabels: true"))
    await claimed(await service.link())
    (child,) = await subflows(service, execution)
    assert Label("team", "data") in child.labels


async def test_the_correlation_is_that_of_the_topmost_execution(service: Plane):
    middle = PARENT.replace("id: parent", "id: middle")
    top = PARENT.replace("id: parent", "id: top").replace("flowId: child", "flowId: middle")
    execution = await started(service, top, middle, CHILD)
    async with working(await service.link()):
        assert (await service.ended(execution)).state is State.SUCCESS
    (between,) = await subflows(service, execution)
    (lowest,) = await subflows(service, between)
    assert Label("system.correlationId", execution.id) in lowest.labels
    assert lowest.caller is not None
    assert lowest.caller.depth == 2


@pytest.mark.parametrize(("state", "expected"), [("FAILED", State.FAILED), ("WARNING", State.WARNING)])
async def test_a_bad_end_is_transmitted(service: Plane, state: str, expected: State):
    execution = await started(service)
    async with working(await service.link(), lambda grant: finished(grant, state)):
        assert (await service.ended(execution)).state is expected


async def test_a_bad_end_is_not_transmitted_where_nobody_wants_it(service: Plane):
    execution = await started(service, with_line(PARENT, "transmitFailed: false"))
    async with working(await service.link(), lambda grant: finished(grant, "FAILED")):
        ended = await service.ended(execution)
    assert ended.state is State.SUCCESS
    assert (await only_run(service, execution)).outputs["state"] == "FAILED"


async def test_an_allowed_failure_of_a_subflow_is_a_warning(service: Plane):
    execution = await started(service, with_line(PARENT, "allowFailure: true"))
    async with working(await service.link(), lambda grant: finished(grant, "FAILED")):
        assert (await service.ended(execution)).state is State.WARNING


async def test_who_does_not_wait_is_done_at_once(service: Plane):
    execution = await started(service, with_line(PARENT, "wait: false"))
    ended = await service.ended(execution)
    (child,) = await subflows(service, execution)
    assert ended.state is State.SUCCESS
    assert child.state is State.RUNNING
    assert (await only_run(service, execution)).outputs == {"executionId": child.id, "state": "CREATED"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("flowId: child", "flowId: nobody"), "Unable to find flow 'company.team'.'nobody' with revision '0'"),
        (("flowId: child", "flowId: child\n    revision: 7"), "with revision '7'"),
        (("name: ", "other: "), "missing required input"),
        (("{{ flow.id }}", "{{ nothing }}"), "Unable to find `nothing`"),
        (("flowId: child", "flowId: '{{ ko }}'"), "Unable to find `ko`"),
    ],
)
async def test_what_cannot_be_started_fails_with_the_reason(service: Plane, change: tuple[str, str], reason: str):
    source = PARENT.replace(*change)
    execution = await started(service, source)
    assert (await service.ended(execution)).state is State.FAILED
    assert any(level == "ERROR" and reason in message for level, message in await entries(service, execution))
    assert await subflows(service, execution) == ()
    assert (await only_run(service, execution)).outputs is None


async def test_a_disabled_flow_is_not_started(service: Plane):
    execution = await started(service, PARENT, f"{CHILD}\ndisabled: true\n")
    assert (await service.ended(execution)).state is State.FAILED
    assert ("ERROR", "Cannot execute a flow which is disabled") in await entries(service, execution)


async def test_a_flow_of_a_namespace_that_lets_only_others_in_is_not_started(service: Plane):
    child = CHILD.replace("namespace: company.team", "namespace: closed")
    parent = PARENT.replace("    namespace: company.team", "    namespace: closed")
    await allow(service, "closed", "elsewhere")
    execution = await started(service, parent, child)
    assert (await service.ended(execution)).state is State.FAILED
    assert ("ERROR", "Namespace closed is not allowed.") in await entries(service, execution)
    assert await subflows(service, execution) == ()
    await allow(service, "closed", "company")
    async with working(await service.link()):
        assert (await service.ended(await started(service, parent, child))).state is State.SUCCESS


async def test_a_deleted_flow_is_not_started(service: Plane):
    child = await service.save(CHILD)
    await service.db.transact(flows.delete, MAIN, child.namespace, child.id, service.clock())
    execution = await service.orchestrator.create(await service.save(PARENT))
    assert (await service.ended(execution)).state is State.FAILED


async def test_flows_that_call_each_other_without_end_are_stopped(tmp_path):
    ping = PARENT.replace("id: parent", "id: ping").replace("flowId: child", "flowId: pong")
    pong = PARENT.replace("id: parent", "id: pong").replace("flowId: child", "flowId: ping")
    async with plane(tmp_path, subflow_depth=5) as service:
        execution = await started(service, ping, pong)
        assert (await service.ended(execution)).state is State.FAILED
        found, total = await service.db.read(executions.search, MAIN)
        assert total == 6
        assert all(one.state is State.FAILED for one in found)
        deepest = max(found, key=lambda one: one.caller.depth if one.caller else 0)
        assert any("nested 5 deep" in message for _, message in await entries(service, deepest))


async def test_a_failed_subflow_is_tried_again_as_a_new_execution(service: Plane):
    source = with_line(PARENT, "retry: {type: constant, interval: PT1S, maxAttempt: 2}")
    execution = await started(service, source)
    link = await service.link()
    await link.report(finished(await claimed(link), "FAILED"))
    async with working(link):
        while (await service.orchestrator.get(MAIN, execution.id)).state is not State.RETRYING:
            await service.orchestrator.tend()
        service.clock.forward(seconds=2)
        await service.orchestrator.tend()
        ended = await service.ended(execution)
    assert ended.state is State.SUCCESS
    assert len((await only_run(service, execution)).attempts) == 2
    assert sorted(one.state for one in await subflows(service, execution)) == ["FAILED", "SUCCESS"]


async def test_deprecated_outputs_are_rendered_with_what_the_subflow_has(service: Plane):
    source = with_line(PARENT, 'outputs: {said: "{{ inputs.name }} of {{ flow.id }}"}')
    execution = await started(service, source)
    async with working(await service.link()):
        await service.ended(execution)
    run = await only_run(service, execution)
    assert run.outputs["outputs"] == {"greeting": "Hello parent", "said": "parent of child"}


async def test_outputs_that_cannot_be_extracted_fail_the_task_run(service: Plane):
    execution = await started(service, with_line(PARENT, 'outputs: {said: "{{ outputs.nobody.value }}"}'))
    async with working(await service.link()):
        assert (await service.ended(execution)).state is State.FAILED
    warned = [message for level, message in await entries(service, execution) if level == "WARN"]
    assert warned[0].startswith("Failed to extract outputs with the error: 'Unable to find `nobody`")


async def test_extracting_outputs_does_not_reveal_what_is_sealed_in_the_subflow(tmp_path):
    keys = Keyring({"default": Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")}, "default", named=False)
    context = Context(seal=keys.seal, unseal=keys.unseal)
    child = CHILD.replace("type: STRING\ntasks", "type: SECRET\ntasks").replace("Hello {{ inputs.name }}", "x")
    source = with_line(PARENT, 'outputs: {said: "{{ inputs.name }}"}').replace("{{ flow.id }}", "opensesame")
    async with plane(tmp_path, context=context) as service:
        execution = await started(service, source, child)
        async with working(await service.link()):
            await service.ended(execution)
        assert "opensesame" not in str((await only_run(service, execution)).outputs)
        (subflow,) = await subflows(service, execution)
        assert "opensesame" not in str(subflow.inputs)


async def test_a_kill_goes_down_the_whole_tree(service: Plane):
    middle = PARENT.replace("id: parent", "id: middle")
    top = PARENT.replace("id: parent", "id: top").replace("flowId: child", "flowId: middle")
    execution = await started(service, top, middle, CHILD)
    link = await service.link()
    grant = await claimed(link)
    await service.orchestrator.kill(MAIN, execution.id)
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.KILLING
    await link.report(finished(grant, "KILLED"))
    assert (await service.ended(execution)).state is State.KILLED
    (between,) = await subflows(service, execution)
    (lowest,) = await subflows(service, between)
    assert (between.state, lowest.state) == (State.KILLED, State.KILLED)


async def test_a_kill_without_cascade_leaves_subflows_alone(service: Plane):
    execution = await started(service)
    link = await service.link()
    grant = await claimed(link)
    await service.orchestrator.kill(MAIN, execution.id, cascade=False)
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.KILLED
    await link.report(finished(grant))
    (child,) = await subflows(service, execution)
    assert (await service.ended(child)).state is State.SUCCESS
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.KILLED


async def test_a_killed_subflow_kills_the_task_run_that_waits(service: Plane):
    execution = await started(service)
    link = await service.link()
    grant = await claimed(link)
    (child,) = await subflows(service, execution)
    await service.orchestrator.kill(MAIN, child.id)
    await link.report(finished(grant, "KILLED"))
    assert (await service.ended(execution)).state is State.KILLED


async def test_a_deleted_subflow_does_not_keep_anyone_waiting(service: Plane):
    execution = await started(service)
    await claimed(await service.link())
    (child,) = await subflows(service, execution)
    await service.orchestrator.delete(MAIN, child.id)
    assert (await service.ended(execution)).state is State.KILLED


async def test_the_end_of_a_subflow_whose_caller_is_gone_is_no_news(service: Plane):
    execution = await started(service)
    link = await service.link()
    grant = await claimed(link)
    (child,) = await subflows(service, execution)
    await service.orchestrator.delete(MAIN, execution.id)
    await link.report(finished(grant))
    assert (await service.ended(child)).state is State.SUCCESS
    while await service.db.read(outbox.pending):
        await service.orchestrator.tend()
    with pytest.raises(NotFound):
        await service.orchestrator.get(MAIN, execution.id)


async def test_a_subflow_that_is_restarted_tells_its_end_only_once(service: Plane):
    execution = await started(service)
    link = await service.link()
    await link.report(finished(await claimed(link), "FAILED"))
    assert (await service.ended(execution)).state is State.FAILED
    (child,) = await subflows(service, execution)
    await service.orchestrator.actions.restart(MAIN, child.id)
    async with working(link):
        (child,) = await subflows(service, execution)
        assert (await service.ended(child)).state is State.SUCCESS
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.FAILED


async def test_who_takes_over_from_a_subflow_tells_the_end(service: Plane):
    retry = "retry: {type: constant, interval: PT1S, maxAttempt: 2, behavior: CREATE_NEW_EXECUTION}\n"
    execution = await started(service, PARENT, f"{CHILD}\n{retry}")
    link = await service.link()
    await link.report(finished(await claimed(link), "FAILED"))
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.RUNNING
    service.clock.forward(seconds=2)
    await service.orchestrator.tend()
    async with working(link):
        assert (await service.ended(execution)).state is State.SUCCESS
    assert sorted(one.state for one in await subflows(service, execution)) == ["RETRIED", "SUCCESS"]


async def test_a_failed_caller_that_is_restarted_starts_a_new_subflow(service: Plane):
    execution = await started(service)
    link = await service.link()
    await link.report(finished(await claimed(link), "FAILED"))
    assert (await service.ended(execution)).state is State.FAILED
    await service.orchestrator.actions.restart(MAIN, execution.id)
    async with working(link):
        assert (await service.ended(execution)).state is State.SUCCESS
    assert len(await subflows(service, execution)) == 2


async def test_a_caller_that_is_paused_hears_of_the_end_and_goes_on_when_it_is_resumed(service: Plane):
    execution = await started(service)
    link = await service.link()
    grant = await claimed(link)
    await service.orchestrator.actions.pause(MAIN, execution.id)
    await link.report(finished(grant))
    (child,) = await subflows(service, execution)
    await service.ended(child)
    while (await only_run(service, execution)).state is not State.SUCCESS:
        await service.orchestrator.tend()
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.PAUSED
    await service.orchestrator.actions.resume(MAIN, execution.id)
    assert (await service.ended(execution)).state is State.SUCCESS


async def test_after_a_crash_the_end_still_comes_back_once(tmp_path):
    async with plane(tmp_path) as before:
        execution = await started(before)
        grant = await claimed(await before.link())
    async with plane(tmp_path) as after:
        (child,) = await subflows(after, execution)
        async with working(await after.link("w2")):
            ended = await after.ended(execution)
        assert ended.state is State.SUCCESS
        (run,) = ended.task_runs.values()
        assert [moment.state for moment in run.history.moments] == [State.CREATED, State.RUNNING, State.SUCCESS]
        assert [one.id for one in await subflows(after, execution)] == [child.id]
        assert grant.place.execution == child.id


async def test_a_call_that_was_written_but_not_carried_out_is_taken_up_at_the_next_start(tmp_path):
    async with plane(tmp_path) as before:
        await before.save(CHILD)
        flow = await before.save(PARENT)
        execution = await before.orchestrator.create(flow)
        # The service stops at once: the call may or may not have been carried out.
    async with plane(tmp_path) as after, working(await after.link()):
        assert (await after.ended(execution)).state is State.SUCCESS
        assert len(await subflows(after, execution)) == 1


async def test_messages_are_applied_once_however_often_they_are_delivered(service: Plane):
    execution = await started(service)
    link = await service.link()
    grant = await claimed(link)
    (child,) = await subflows(service, execution)
    place = {"tenant": MAIN, "execution": execution.id, "task_run": child.caller.call.task_run, "attempt": 1}
    stale = outbox.Message(1, "subflow", {**place, "number": 0})
    for _ in range(3):
        await service.orchestrator._subflows.deliver(stale)
    assert [one.id for one in await subflows(service, execution)] == [child.id]
    await link.report(finished(grant))
    assert (await service.ended(execution)).state is State.SUCCESS


async def test_the_number_of_a_message_never_comes_back(service: Plane):
    first = await service.db.transact(outbox.add, "stop", {})
    await service.db.transact(outbox.take, first.seq)
    second = await service.db.transact(outbox.add, "stop", {})
    assert second.seq > first.seq


async def test_a_kill_of_an_ended_execution_goes_down_to_what_it_has_started(service: Plane):
    waiting = CHILD.replace("tasks:", "tasks:\n  - {id: hold, type: io.kestra.plugin.core.flow.Pause}", 1)
    execution = await started(service, with_line(PARENT, "wait: false"), waiting)
    assert (await service.ended(execution)).state is State.SUCCESS
    (child,) = await subflows(service, execution)
    with pytest.raises(Conflict):
        await service.orchestrator.kill(MAIN, execution.id, cascade=False)
    await service.orchestrator.kill(MAIN, execution.id)
    assert (await service.ended(child)).state is State.KILLED
    assert (await service.orchestrator.get(MAIN, execution.id)).state is State.SUCCESS
