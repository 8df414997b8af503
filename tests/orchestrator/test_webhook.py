"""Starting flows by web requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.errors import Refused
from casemate.identifiers import MAIN
from casemate.orchestrator import Conflict, NotFound, WebRequest
from casemate.store import flows

from .parts import ONE, Plane, finished, working

pytestmark = pytest.mark.anyio

HOOK = f"""{ONE}
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: abcdef
  - id: sealed
    type: io.kestra.plugin.core.trigger.Webhook
    key: "{{{{ secret('TOKEN') }}}}"
  - id: off
    type: io.kestra.plugin.core.trigger.Webhook
    key: switched-off
    disabled: true
"""

PLACE = (MAIN, "company.team", "one")

REQUEST = WebRequest(body={"a": 1}, headers={"x-y": ["z"]}, parameters={"q": ["1", "2"]})


@pytest.mark.parametrize(("key", "trigger"), [("abcdef", "hook"), ("opensesame", "sealed")])
async def test_the_right_key_starts_the_flow(service: Plane, key: str, trigger: str):
    await service.save(HOOK)
    execution = await service.orchestrator.webhook(*PLACE, key, REQUEST)
    assert execution.trigger == {
        "id": trigger,
        "type": "io.kestra.plugin.core.trigger.Webhook",
        "variables": {"body": {"a": 1}, "headers": {"x-y": ["z"]}, "parameters": {"q": ["1", "2"]}},
    }
    assert await service.orchestrator.get(MAIN, execution.id) == execution


@pytest.mark.parametrize("key", ["", "wrong", "abcde", "abcdefg", "switched-off", "{{ secret('TOKEN') }}", "\ud800"])
async def test_a_wrong_key_is_not_found(service: Plane, key: str):
    await service.save(HOOK)
    with pytest.raises(NotFound, match="Webhook not found"):
        await service.orchestrator.webhook(*PLACE, key, REQUEST)


async def test_an_unknown_flow_is_not_found(service: Plane):
    with pytest.raises(NotFound, match="Flow not found"):
        await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)


async def test_without_the_key_nothing_else_about_the_flow_is_told(service: Plane):
    flow = await service.save(f"{HOOK}disabled: true\ninputs: [{{id: must, type: STRING}}]\n")
    with pytest.raises(NotFound, match="Webhook not found"):
        await service.orchestrator.webhook(*PLACE, "wrong", REQUEST)
    gone = replace(flow, source=HOOK.replace("log.Log", "gone.Gone"))
    await service.db.transact(flows.save, gone, service.clock())
    with pytest.raises(NotFound, match="Webhook not found"):
        await service.orchestrator.webhook(*PLACE, "wrong", REQUEST)


async def test_a_flow_whose_inputs_must_be_given_is_refused_to_who_has_the_key(service: Plane):
    await service.save(f"{HOOK}inputs: [{{id: must, type: STRING}}]\n")
    with pytest.raises(Refused, match="must"):
        await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)


async def test_a_disabled_flow_is_a_conflict(service: Plane):
    await service.save(f"{HOOK}disabled: true\n")
    with pytest.raises(Conflict):
        await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)


async def test_a_key_that_cannot_be_rendered_opens_nothing(service: Plane):
    await service.save(HOOK.replace("secret('TOKEN')", "secret('ABSENT')"))
    with pytest.raises(NotFound):
        await service.orchestrator.webhook(*PLACE, "", REQUEST)


@pytest.mark.parametrize(
    ("expression", "starts"),
    [("{{ trigger.body.a == 1 }}", True), ("{{ trigger.body.a == 2 }}", False), ("{{ trigger.body.b }}", False)],
)
async def test_conditions(service: Plane, expression: str, starts: bool):
    condition = f'[{{type: io.kestra.plugin.core.condition.Expression, expression: "{expression}"}}]'
    await service.save(HOOK.replace("key: abcdef", f"key: abcdef\n    conditions: {condition}"))
    execution = await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)
    assert (execution is not None) == starts


@pytest.mark.parametrize(
    ("condition", "starts"),
    [
        ("{type: io.kestra.plugin.core.condition.Weekend, date: '2021-08-07'}", True),
        ("{type: io.kestra.plugin.core.condition.Weekend, date: '2021-08-09'}", False),
        ("{type: io.kestra.plugin.core.condition.Weekend}", False),  # a web request has no trigger.date
        ("{type: io.kestra.plugin.core.condition.ExecutionNamespace, namespace: company, comparison: PREFIX}", True),
        ("{type: io.kestra.plugin.core.condition.ExecutionNamespace, namespace: other}", False),
    ],
)
async def test_conditions_of_other_kinds(service: Plane, condition: str, starts: bool):
    await service.save(HOOK.replace("key: abcdef", f"key: abcdef\n    conditions: [{condition}]"))
    assert (await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST) is not None) == starts


async def test_labels_are_those_of_the_flow_and_the_trigger_and_one_that_fails_is_left_out(service: Plane):
    labels = """
    labels:
      who: "{{ trigger.parameters.q[0] }}"
      nobody: "{{ trigger.nobody }}"
      nothing: "{{ null }}"
      plain: text
      "{{ 'system.secretly' }}": mine
"""
    await service.save(HOOK.replace("key: abcdef", f"key: abcdef{labels}") + "labels: {own: flow}\n")
    execution = await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)
    assert [(one.key, one.value) for one in execution.labels] == [
        ("own", "flow"),
        ("who", "1"),
        ("nothing", ""),
        ("plain", "text"),
        ("system.correlationId", execution.id),
    ]


async def test_a_webhook_is_stopped_by_the_end_of_what_it_started(service: Plane):
    source = HOOK.replace("key: abcdef", "key: abcdef\n    stopAfter: [FAILED]")
    await service.save(source)
    link = await service.link()
    for state in ("SUCCESS", "FAILED"):
        async with working(link, lambda grant, state=state: finished(grant, state)):
            await service.ended(await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST))
    with pytest.raises(NotFound, match="Webhook not found"):
        await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)
    await service.save(f"# saved anew\n{source}")
    assert await service.orchestrator.webhook(*PLACE, "abcdef", REQUEST)
