"""`trigger.Toggle`: a task switches triggers of its own tenant, and says what it does not find."""

from __future__ import annotations

import pytest

from casemate.dispatch import Ask, Reply
from casemate.identifiers import MAIN
from casemate.store import triggers

from .parts import Plane, claimed

pytestmark = pytest.mark.anyio

TIMED = """
id: timed
namespace: team.a
tasks:
  - {id: toggle, type: io.kestra.plugin.core.trigger.Toggle, trigger: daily}
triggers:
  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: "@daily"}
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abc}
"""

KEY = (MAIN, "team.a", "timed", "daily")


async def toggled(service: Plane, **arguments: object) -> Reply:
    """What the control plane answers to a running Toggle."""
    await service.orchestrator.create(await service.save(TIMED))
    link = await service.link()
    grant = await claimed(link)
    return await link.ask(grant.job, grant.fence, Ask("triggers.toggle", {"trigger": "daily", **arguments}))


async def is_disabled(service: Plane) -> bool:
    state = await service.db.read(triggers.get, KEY)
    assert state is not None
    return state.disabled


async def test_without_more_it_disables_a_trigger_of_its_own_flow(service: Plane):
    assert await toggled(service) == Reply()
    assert await is_disabled(service)


async def test_it_enables(service: Plane):
    await service.save(TIMED)
    await service.orchestrator.triggers.switch(KEY, disabled=True)
    assert await toggled(service, enabled=True) == Reply()
    assert not await is_disabled(service)


async def test_it_names_the_flow_of_another_namespace(service: Plane):
    await service.save(TIMED.replace("namespace: team.a", "namespace: team.b"))
    assert await toggled(service, namespace="team.b", flowId="timed") == Reply()
    assert not await is_disabled(service)
    other = await service.db.read(triggers.get, (MAIN, "team.b", "timed", "daily"))
    assert other is not None
    assert other.disabled


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"flowId": "gone"}, "Unable to find flow team.a.gone"),
        ({"namespace": "team.c"}, "Unable to find flow team.c.timed"),
        ({"trigger": "weekly"}, "Unable to find trigger weekly for the flow team.a.timed"),
        ({"trigger": "hook"}, "Unable to find trigger hook for the flow team.a.timed"),
    ],
)
async def test_what_is_not_there_is_refused(service: Plane, arguments: dict, refusal: str):
    assert await toggled(service, **arguments) == Reply(error=refusal)
    assert not await is_disabled(service)
