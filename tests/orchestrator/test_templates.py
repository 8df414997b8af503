"""Executions of flows that take in templates."""

from __future__ import annotations

import pytest

from casemate.errors import Refused
from casemate.executions import Context, State
from casemate.flows import Template, read_template
from casemate.identifiers import MAIN, Namespace, TemplateId
from casemate.store import logs, templates

from .parts import CATALOG, Clock, Plane, claimed, finished, plane, working

pytestmark = pytest.mark.anyio

ALLOWED = Context(templates=True)

GREETING = """
id: greeting
namespace: company.team
tasks:
  - {id: first, type: io.kestra.plugin.core.log.Log, message: "{{ parent.outputs.args.who }}"}
  - {id: second, type: io.kestra.plugin.core.log.Log, message: bye}
errors:
  - {id: sorry, type: io.kestra.plugin.core.log.Log, message: sorry}
"""

FLOW = """
id: flow
namespace: company.team
tasks:
  - id: greet
    type: io.kestra.plugin.core.flow.Template
    namespace: company.team
    templateId: greeting
    args: {who: "{{ flow.id }}"}
"""


async def saved(service: Plane, text: str = GREETING) -> None:
    template = read_template(text, CATALOG, MAIN)
    assert isinstance(template, Template), template
    await service.db.transact(templates.save, template, service.clock())


def runs_of(execution):
    return {run.task_id: run.state for run in execution.task_runs.values()}


async def test_the_tasks_of_a_template_run_in_order_and_see_its_arguments(tmp_path):
    async with plane(tmp_path, context=ALLOWED) as service:
        await saved(service)
        flow = await service.save(FLOW)
        async with working(await service.link()) as done:
            execution = await service.ended(await service.orchestrator.create(flow))
    assert [grant.task.id for grant in done] == ["first", "second"]
    assert done[0].variables["parent"]["outputs"]["args"] == {"who": "flow"}
    assert runs_of(execution) == dict.fromkeys(("greet", "first", "second"), State.SUCCESS)


async def test_a_failure_in_a_template_runs_its_errors(tmp_path):
    async with plane(tmp_path, context=ALLOWED) as service:
        await saved(service)
        flow = await service.save(FLOW)
        fate = {"first": "FAILED"}
        async with working(await service.link(), lambda grant: finished(grant, fate.get(grant.task.id, "SUCCESS"))):
            execution = await service.ended(await service.orchestrator.create(flow))
    assert runs_of(execution) == {"greet": State.FAILED, "first": State.FAILED, "sorry": State.SUCCESS}
    assert execution.state is State.FAILED


@pytest.mark.parametrize("context", [ALLOWED, Context()])
async def test_a_template_that_is_not_there_fails_its_task(tmp_path, context):
    async with plane(tmp_path, context=context) as service:
        flow = await service.save(FLOW)
        execution = await service.ended(await service.orchestrator.create(flow))
        entries = await service.db.read(logs.of_execution, MAIN, execution.id)
    assert runs_of(execution) == {"greet": State.FAILED}
    assert [entry.message for entry in entries][-1].endswith("Can't find flow template 'company.team.greeting'")


async def test_an_execution_goes_on_with_the_template_that_it_began_with(tmp_path):
    clock = Clock()
    async with plane(tmp_path, clock, ALLOWED) as service:
        await saved(service)
        flow = await service.save(FLOW)
        clock.forward(seconds=1)
        execution = await service.orchestrator.create(flow)
        clock.forward(seconds=1)
        await saved(service, GREETING.replace("second", "other"))
        await service.db.transact(templates.delete, MAIN, Namespace("company.team"), TemplateId("greeting"), clock())
    async with plane(tmp_path, clock, ALLOWED) as service, working(await service.link()):
        execution = await service.ended(execution)
    assert list(runs_of(execution)) == ["greet", "first", "second"]
    assert execution.state is State.SUCCESS


async def test_a_template_is_taken_in_twice_each_time_with_arguments_of_its_own(tmp_path):
    async with plane(tmp_path, context=ALLOWED) as service:
        await saved(service)
        again = FLOW.partition("tasks:")[2].replace("id: greet\n", "id: again\n").replace("{{ flow.id }}", "two")
        flow = await service.save(FLOW + again)
        async with working(await service.link()) as done:
            execution = await service.ended(await service.orchestrator.create(flow))
    assert execution.state is State.SUCCESS
    seen = [(grant.task.id, grant.variables["parent"]["outputs"]["args"]["who"]) for grant in done]
    assert seen == [("first", "flow"), ("second", "flow"), ("first", "two"), ("second", "two")]


@pytest.mark.parametrize("kind", ["flow", "template"])
async def test_an_id_that_would_mean_two_tasks_starts_nothing(tmp_path, kind):
    async with plane(tmp_path, context=ALLOWED) as service:
        await saved(service)
        await saved(service, GREETING.replace("id: greeting", "id: other"))
        own = "\n  - {id: second, type: io.kestra.plugin.core.log.Log, message: mine}\n"
        other = FLOW.partition("tasks:")[2].replace("id: greet\n", "id: again\n").replace(": greeting", ": other")
        with pytest.raises(Refused) as refusal:
            await service.save(FLOW + (own if kind == "flow" else other))
    assert "Duplicate task id with name [second]" in str(refusal.value)


async def test_a_new_execution_takes_the_newest_template(tmp_path):
    async with plane(tmp_path, context=ALLOWED) as service:
        await saved(service)
        flow = await service.save(FLOW)
        link = await service.link()
        await service.orchestrator.create(flow)
        assert (await claimed(link)).task.id == "first"
        service.clock.forward(seconds=1)
        await saved(service, GREETING.replace("first", "newer"))
        await service.orchestrator.create(await service.orchestrator.flow_of(MAIN, flow.namespace, flow.id))
        assert (await claimed(link)).task.id == "newer"
