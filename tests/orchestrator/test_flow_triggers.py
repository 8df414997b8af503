"""Executions that start flows by the states they come to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.executions import Context, Execution, State
from casemate.flows import Flow, Label, read_flow
from casemate.identifiers import MAIN, FlowId, Namespace, TenantId
from casemate.keys import Keyring
from casemate.sealed import Sealed
from casemate.secret import Secret
from casemate.store import Filter, executions, flows, logs, outbox, windows

from .parts import CATALOG, Clock, Plane, finished, plane, working

pytestmark = pytest.mark.anyio

SOURCE = """
id: source
namespace: company.team
labels: {team: data, cost.centre: "7"}
inputs:
  - id: who
    type: STRING
    defaults: Ada
tasks:
  - id: make
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.who }}"
outputs:
  - id: greeting
    type: STRING
    value: "Hello {{ inputs.who }}"
"""

LISTENER = """
id: listener
namespace: company.other
labels: {own: "yes", system.readOnly: "true"}
variables: {mine: here}
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "{{ trigger.executionId }}"
triggers:
  - id: listen
    type: io.kestra.plugin.core.trigger.Flow
"""

OTHER = SOURCE.replace("id: source", "id: other")


def when(*conditions: str) -> str:
    listed = "".join(f"\n      - {{type: io.kestra.plugin.core.condition.{each}}}" for each in conditions)
    return f"{LISTENER}    conditions:{listed}\n"


async def begun(service: Plane, source: str = SOURCE, *others: str, **more) -> Execution:
    for other in others or (LISTENER,):
        await service.save(other)
    return await service.orchestrator.create(await service.save(source), **more)


async def of_flow(service: Plane, flow: str = "listener") -> list[Execution]:
    """The executions of a flow, oldest first, once nobody is to hear of anything any more."""
    await heard(service)
    found, _ = await service.db.read(executions.search, MAIN, (Filter("flowId", "EQUALS", flow),))
    return sorted(found, key=lambda each: each.history.start)


async def heard(service: Plane) -> None:
    async with asyncio.timeout(20):
        while any(message.kind == "changed" for message in await service.db.read(outbox.pending)):  # noqa: ASYNC110 - rows ring no bell
            await asyncio.sleep(0.005)


def states(found: list[Execution]) -> list[object]:
    """All in one instant, as the clock stands still: in the order of the alphabet."""
    return sorted((each.trigger or {})["variables"]["state"] for each in found)  # type: ignore[index] # it was triggered


async def warnings(service: Plane) -> list[tuple[str, str | None, str]]:
    found, _ = await service.db.read(logs.search, MAIN, (Filter("level", "GREATER_THAN_OR_EQUAL_TO", "WARN"),))
    return [(each.flow_id, each.trigger_id, each.message) for each in found]


async def test_the_end_of_an_execution_starts_another_flow(service: Plane):
    async with working(await service.link()):
        source = await service.ended(await begun(service))
        (started,) = await of_flow(service)
        ended = await service.ended(started)
    assert ended.state is State.SUCCESS
    assert started.trigger == {
        "id": "listen",
        "type": "io.kestra.plugin.core.trigger.Flow",
        "variables": {
            "executionId": source.id,
            "executionLabels": {"team": "data", "cost": {"centre": "7"}},
            "namespace": "company.team",
            "flowId": "source",
            "flowRevision": 1,
            "state": "SUCCESS",
            "outputs": {"greeting": "Hello Ada"},
        },
    }
    assert started.labels == (Label("own", "yes"), Label("system.correlationId", source.id))


async def test_every_new_state_is_heard(service: Plane):
    listener = f"{LISTENER}    states: [CREATED, RUNNING, PAUSED, RESTARTED, KILLING, KILLED, SUCCESS]\n"
    paused = SOURCE.replace("tasks:\n", "tasks:\n  - {id: wait, type: io.kestra.plugin.core.flow.Pause}\n")
    source = await begun(service, paused, listener)
    await service.orchestrator.actions.resume(MAIN, source.id)
    link = await service.link()
    async with working(link):
        assert (await service.ended(source)).state is State.SUCCESS
    assert states(await of_flow(service)) == ["PAUSED", "RESTARTED", "RUNNING", "RUNNING", "SUCCESS"]


async def test_a_flow_never_starts_itself(service: Plane):
    itself = LISTENER.replace("message: ", "message: x")
    await service.save(itself)
    async with working(await service.link()):
        await service.ended(await begun(service, itself, SOURCE))
        assert len(await of_flow(service)) == 1


async def test_flows_may_start_one_another(service: Plane):
    """A, then B, then A again, which ends the chain as it asks for a label that B's executions have not."""
    once = when('Expression, expression: "{{ labels.first is defined }}"').replace("id: listener", "id: source")
    async with working(await service.link()):
        await service.ended(await begun(service, once, LISTENER, labels=(Label("first", "yes"),)))
        (b,) = await of_flow(service)
        await service.ended(b)
        assert len(await of_flow(service, "source")) == 1


@pytest.mark.parametrize(
    ("conditions", "starts"),
    [
        (["ExecutionNamespace, namespace: company.team", "ExecutionStatus, in: [FAILED]"], False),
        (["ExecutionFlow, namespace: \"{{ 'company.team' }}\", flowId: source"], True),
        (["Expression, expression: \"{{ outputs.make.value == 'Ada' }}\""], True),
        (["Expression, expression: \"{{ vars.mine == 'here' and flow.id == 'listener' }}\""], True),
        (["Not, conditions: [{type: io.kestra.plugin.core.condition.Expression, expression: '{{ nothing }}'}]"], False),
        (["ExecutionOutputs, expression: \"{{ trigger.outputs.greeting == 'Hello Ada' }}\""], True),
        (["FlowCondition, namespace: company.other, flowId: listener"], True),
    ],
)
async def test_plain_conditions(service: Plane, conditions: list[str], starts: bool):
    async with working(await service.link(), lambda grant: finished(grant, outputs={"value": "Ada"})):
        await service.ended(await begun(service, SOURCE, when(*conditions)))
        assert len(await of_flow(service)) == starts


async def test_inputs_see_what_the_source_has_made(service: Plane):
    listener = f"""{LISTENER}    inputs:
      task: "{{{{ outputs.make.value }}}}"
      flow: "{{{{ trigger.outputs.greeting }}}} of {{{{ trigger.flowId }}}} in {{{{ vars.mine }}}}"
      list: ["{{{{ inputs.who }}}}", 1]
"""
    async with working(await service.link(), lambda grant: finished(grant, outputs={"value": "made"})):
        await service.ended(await begun(service, SOURCE, listener))
        (started,) = await of_flow(service)
    assert started.inputs == {"task": "made", "flow": "Hello Ada of source in here", "list": ["Ada", 1]}


async def test_inputs_that_must_be_given_stop_nobody(service: Plane):
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, f"{LISTENER}inputs: [{{id: must, type: STRING}}]\n"))
        (started,) = await of_flow(service)
        assert (await service.ended(started)).state is State.SUCCESS


async def test_inputs_that_cannot_be_made_are_told_and_start_nothing(service: Plane):
    listener = f'{LISTENER}    inputs: {{x: "{{{{ outputs.nobody.value }}}}"}}\n'
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, listener))
        assert await of_flow(service) == []
    told = await warnings(service)
    assert (
        "listener",
        "listen",
        "Failed to trigger flow company.other.listener for trigger listen, invalid inputs",
    ) in told
    assert any("Unable to find `outputs`" in message or "nobody" in message for _, _, message in told)


async def test_secrets_are_those_of_who_listens_and_stay_sealed(tmp_path: Path, clock: Clock):
    keys = Keyring({"default": Secret("I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK")}, "default", named=False)
    context = Context(seal=keys.seal, unseal=keys.unseal)
    source = SOURCE.replace("type: STRING\n    defaults: Ada", "type: SECRET\n    defaults: swordfish")
    listener = f"""{LISTENER}    inputs: {{own: "{{{{ secret('TOKEN') }}}}", theirs: "{{{{ inputs.who }}}}"}}
inputs: [{{id: own, type: SECRET}}]
"""
    async with plane(tmp_path, clock, context) as service, working(await service.link()):
        await service.ended(await begun(service, source.replace("Hello {{ inputs.who }}", "x"), listener))
        (started,) = await of_flow(service)
        assert keys.unseal(Sealed(str(started.inputs["own"]))) == "opensesame"
        assert "opensesame" not in str(started)
        assert "swordfish" not in str(started)
        assert keys.unseal(Sealed(str(started.inputs["theirs"]))) == "swordfish"  # as sealed as it was


async def test_without_a_key_no_clear_secret_is_stored(service: Plane):
    listener = f"{LISTENER}    inputs: {{own: \"{{{{ secret('TOKEN') }}}}\"}}\ninputs: [{{id: own, type: SECRET}}]\n"
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, listener))
        assert await of_flow(service) == []
    told = str(await warnings(service))
    assert "encryption is not configured" in told
    assert "opensesame" not in told


async def test_flows_of_other_tenants_hear_nothing(service: Plane):
    other = TenantId("other")
    flow = read_flow(LISTENER, CATALOG, other)
    assert isinstance(flow, Flow)
    await service.db.transact(flows.save, flow, service.clock())
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, SOURCE))
        await heard(service)
    assert await service.db.read(executions.search, other) == ((), 0)


async def test_labels_of_the_trigger_are_rendered_and_one_that_fails_is_left_out(service: Plane):
    listener = f"""{LISTENER}    labels:
      of: "{{{{ trigger.flowId }}}}"
      empty: "{{{{ null }}}}"
      gone: "{{{{ nothing }}}}"
"""
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, listener))
        (started,) = await of_flow(service)
    assert started.labels[:3] == (Label("own", "yes"), Label("of", "source"), Label("empty", ""))
    assert started.labels[3].key == "system.correlationId"


async def test_every_trigger_of_every_flow_starts_its_own(service: Plane):
    two = f"{LISTENER}  - {{id: again, type: io.kestra.plugin.core.trigger.Flow}}\n"
    second = when("ExecutionFlow, namespace: company.team, flowId: source").replace("id: listener", "id: second")
    async with working(await service.link()):
        only = when("ExecutionFlow, namespace: company.team, flowId: source")
        await service.ended(await begun(service, SOURCE, only.replace("id: listener", "id: first"), second))
        assert len(await of_flow(service, "first")) == len(await of_flow(service, "second")) == 1
        await service.ended(await begun(service, OTHER, two))
        of_other = [each.trigger for each in await of_flow(service) if each.trigger]
        started = {each["id"] for each in of_other if each["variables"]["flowId"] == "other"}
        assert started == {"listen", "again"}


@pytest.mark.parametrize("change", ["    disabled: true\n", "disabled: true\n"])
async def test_what_is_disabled_hears_nothing(service: Plane, change: str):
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, LISTENER, f"{LISTENER}{change}"))
        assert await of_flow(service) == []


async def test_a_deleted_flow_hears_nothing_and_its_windows_are_gone(service: Plane):
    place = (MAIN, Namespace("company.other"), FlowId("listener"))
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, PAIR))
        await heard(service)
        assert await service.db.read(windows.of_flow, *place)
        await service.db.transact(flows.delete, *place, service.clock())
        assert await service.db.read(windows.of_flow, *place) == {}
        await service.ended(await begun(service, OTHER, SOURCE))
        assert await of_flow(service) == []


async def test_without_anyone_who_waits_for_it_a_state_is_not_told(service: Plane):
    """The first time it is: only then the flow is looked at."""
    place = (Namespace("company.other"), FlowId("listener"))
    async with working(await service.link()):
        await service.ended(await begun(service))
        await heard(service)
    hears = service.orchestrator._around().hears
    assert hears(MAIN, (*place, 1), State.SUCCESS)
    assert not hears(MAIN, (*place, 1), State.RUNNING)
    assert hears(MAIN, (*place, 2), State.RUNNING)  # a revision that nobody has looked at
    assert hears(TenantId("other"), (*place, 1), State.RUNNING)


async def test_a_new_revision_hears_what_it_asks_for(service: Plane):
    async with working(await service.link()):
        await service.ended(await begun(service))
        assert states(await of_flow(service)) == ["SUCCESS"]
        await service.ended(await begun(service, SOURCE, f"{LISTENER}    states: [RUNNING]\n"))
        assert states(await of_flow(service)) == ["RUNNING", "SUCCESS"]


async def test_a_trigger_is_stopped_by_the_end_of_what_it_started(service: Plane):
    listener = f"{LISTENER}    stopAfter: [SUCCESS]\n"
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, listener))
        (first,) = await of_flow(service)
        await service.ended(first)
        await service.ended(await begun(service, SOURCE, SOURCE))
        assert len(await of_flow(service)) == 1
        await service.ended(await begun(service, SOURCE, f"# saved anew\n{listener}"))
        assert len(await of_flow(service)) == 2


async def test_a_flow_that_cannot_be_read_any_more_starts_nothing_and_stops_nobody(service: Plane):
    flow = await service.save(LISTENER.replace("id: listener", "id: broken"))
    await service.db.transact(
        flows.save, replace(flow, source=flow.source.replace("log.Log", "gone.Gone")), service.clock()
    )
    async with working(await service.link()):
        await service.ended(await begun(service))
        assert len(await of_flow(service)) == 1
        assert await of_flow(service, "broken") == []


PAIR = f"""{LISTENER}    preconditions:
      id: pair
      flows:
        - {{namespace: company.team, flowId: source, labels: {{team: data}}}}
        - {{namespace: company.team, flowId: other, states: [SUCCESS, WARNING]}}
"""


async def test_preconditions_are_met_by_several_executions(service: Plane):
    async with working(await service.link()):
        await service.ended(await begun(service, SOURCE, PAIR))
        assert await of_flow(service) == []
        await service.ended(await begun(service, SOURCE, PAIR))
        assert await of_flow(service) == []
        other = await service.ended(await begun(service, OTHER, PAIR))
        (started,) = await of_flow(service)
        assert started.trigger is not None
        assert started.trigger["variables"]["executionId"] == other.id
        assert await service.db.read(windows.of_flow, MAIN, "company.other", "listener") == {}


async def test_windows_that_are_over_are_purged(service: Plane):
    elsewhere = PAIR.replace("id: listener", "id: elsewhere").replace("flowId: source", "flowId: nobody")
    async with working(await service.link()):
        await service.ended(await begun(service, OTHER, elsewhere))
        await heard(service)
        assert await service.db.read(windows.of_flow, MAIN, "company.other", "elsewhere")
        service.clock.forward(days=1)
        await service.ended(await begun(service, SOURCE, PAIR))
        await heard(service)
        assert await service.db.read(windows.of_flow, MAIN, "company.other", "elsewhere") == {}


async def test_a_limit_of_the_source_is_heard_as_states(service: Plane):
    limited = f"{SOURCE}concurrency: {{limit: 1}}\n"
    listener = f"{LISTENER}    states: [QUEUED, RUNNING, SUCCESS]\n"
    first = await begun(service, limited, listener)
    second = await begun(service, limited, listener)
    async with working(await service.link()):
        await service.ended(first)
        await service.ended(second)
    assert states(await of_flow(service)) == ["QUEUED", "RUNNING", "RUNNING", "SUCCESS", "SUCCESS"]


async def test_what_is_started_keeps_to_the_limit_of_its_own_flow(service: Plane):
    limited = f"{LISTENER}concurrency: {{limit: 1, behavior: CANCEL}}\n".replace(
        "    type: io.kestra.plugin.core.trigger.Flow",
        "    type: io.kestra.plugin.core.trigger.Flow\n    states: [RUNNING]",
    )
    await begun(service, SOURCE, limited)
    await begun(service, OTHER, limited)
    assert {each.state for each in await of_flow(service)} == {State.RUNNING, State.CANCELLED}


async def test_executions_of_subflows_are_heard_as_any_other(service: Plane):
    call = """
id: caller
namespace: company.team
tasks:
  - id: call
    type: io.kestra.plugin.core.flow.Subflow
    namespace: company.team
    flowId: source
"""
    async with working(await service.link()):
        await service.ended(await begun(service, call, SOURCE, LISTENER))
        found = await of_flow(service)
    assert {each.trigger and each.trigger["variables"]["flowId"] for each in found} == {"source", "caller"}


async def test_a_killed_execution_is_heard_and_takes_along_what_it_has_started(service: Plane):
    listener = f"{LISTENER}    states: [RUNNING, KILLED]\n"
    source = await begun(service, SOURCE, listener)
    (started,) = await of_flow(service)
    await service.orchestrator.kill(MAIN, source.id)
    assert (await service.ended(source)).state is State.KILLED
    assert (await service.ended(started)).state is State.KILLED
    assert states(await of_flow(service)) == ["KILLED", "RUNNING"]


async def test_a_restart_is_heard_again_and_a_replay_only_from_where_it_begins(service: Plane):
    link = await service.link()
    async with working(link, lambda grant: finished(grant, "FAILED")):
        source = await service.ended(await begun(service))
        await heard(service)
    async with working(link):
        await service.orchestrator.actions.restart(MAIN, source.id)
        await service.ended(source)
        assert states(await of_flow(service)) == ["FAILED", "SUCCESS"]
        (run,) = (await service.orchestrator.get(MAIN, source.id)).task_runs
        again = await service.orchestrator.actions.replay(MAIN, source.id, task_run=run)
        await service.ended(again)
        found = await of_flow(service)
    assert states(found) == ["FAILED", "SUCCESS", "SUCCESS"]
    heard_of = [each.trigger and each.trigger["variables"]["executionId"] for each in found]
    assert sorted(heard_of) == sorted([source.id, source.id, again.id])


async def test_a_deleted_source_starts_nothing(service: Plane):
    await service.save(LISTENER)
    source = await service.orchestrator.create(await service.save(SOURCE))
    await service.db.transact(_told_of, source, 1)
    await service.orchestrator.delete(MAIN, source.id)
    await service.orchestrator.tend()
    assert await of_flow(service) == []


def _told_of(tx, execution: Execution, entry: int) -> None:
    outbox.add(tx, "changed", {"tenant": execution.tenant, "execution": execution.id, "entry": entry})


async def test_a_message_that_was_left_is_delivered_at_the_next_start_and_once(tmp_path: Path, clock: Clock):
    async with plane(tmp_path, clock) as service:
        await service.save(SOURCE)
        source = await begun(service, SOURCE, SOURCE)
        await service.save(f"{LISTENER}    states: [RUNNING]\n")
        await service.db.transact(_told_of, source, 1)
    async with plane(tmp_path, clock) as service:
        assert states(await of_flow(service)) == ["RUNNING"]
        await service.orchestrator.tend()
        assert states(await of_flow(service)) == ["RUNNING"]


async def test_many_at_once_fill_a_window_once(service: Plane):
    many = [f"source{number}" for number in range(12)]
    wanted = "".join(f"\n        - {{namespace: company.team, flowId: {name}}}" for name in many)
    listener = f"{LISTENER}    preconditions:\n      id: all\n      flows:{wanted}\n"
    async with working(await service.link()):
        await service.save(listener)
        started = [
            await service.orchestrator.create(await service.save(SOURCE.replace("id: source", f"id: {name}")))
            for name in many
        ]
        for one in started:
            await service.ended(one)
        assert len(await of_flow(service)) == 1
