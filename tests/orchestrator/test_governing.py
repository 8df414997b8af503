"""Rules that change while flows are read: nothing that was read by the old ones is kept."""

from __future__ import annotations

import asyncio
from asyncio import Event
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casemate.flows import Flow
from casemate.governance import Placed, Rulebook, Scope, read_policy_text
from casemate.identifiers import MAIN, FlowId, Namespace
from casemate.orchestrator.governing import Governing
from casemate.orchestrator.shelf import Shelf
from casemate.store import Database, PolicyPlace, StoredPolicy, policies, templates

from .parts import CATALOG, START, Plane
from .test_templates import FLOW, saved

pytestmark = pytest.mark.anyio

LOUD = """
id: {id}
rules:
  - {{type: io.kestra.plugin.ee.rules.Add, on: PLUGIN, override: true, values: {{description: {id}}}}}
"""


class Held:
    """A database whose answers to one kind of question are held back, the last one asked excepted."""

    def __init__(self, db: Database, question: Callable[..., Any], times: int = 1) -> None:
        self._db, self._question, self._times = db, question, times
        self.asked, self.free = Event(), Event()

    async def read(self, question: Callable[..., Any], *args: Any) -> Any:
        answer = await self._db.read(question, *args)
        if question is self._question and self._times:
            self._times -= 1
            self.asked.set()
            await self.free.wait()
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@pytest.fixture
async def flow(service: Plane) -> Flow:
    await saved(service)
    return await service.save(FLOW)


def rules(*ids: str) -> Rulebook:
    found = [read_policy_text(LOUD.format(id=each)) for each in ids]
    return Rulebook(placed=tuple(Placed(policy=each.policy, scope=Scope.INSTANCE) for each in found))


async def test_a_flow_with_templates_is_not_kept_under_rules_that_changed_meanwhile(service: Plane, flow: Flow):
    catalog = CATALOG.with_rules(rules("old"))
    db = Held(service.db, templates.as_of)
    shelf = Shelf(db, catalog, 10, templates=True)
    reading = asyncio.create_task(shelf.latest(MAIN, Namespace("company.team"), FlowId("flow")))
    async with asyncio.timeout(10):
        await db.asked.wait()
        catalog.enforce(rules("new"))
        shelf.clear()
        db.free.set()
        for found in (await reading, await shelf.latest(MAIN, flow.namespace, flow.id)):
            (greet,) = found.tasks
            assert {task.description for task in (greet, *greet.children())} == {"new"}


async def test_of_two_renewals_the_older_one_does_not_win(service: Plane, tmp_path: Path):
    catalog = CATALOG.with_rules(Rulebook())
    db = Held(service.db, policies.every)
    governing = Governing(db, catalog, Shelf(db, catalog, 10))
    first = asyncio.create_task(governing.renew())
    async with asyncio.timeout(10):
        await db.asked.wait()
        made = StoredPolicy(place=PolicyPlace(), id="made", source=LOUD.format(id="made"), updated=START)
        await service.db.transact(policies.put, made)
        second = asyncio.create_task(governing.renew())
        await asyncio.wait([second], timeout=0.2)
        db.free.set()
        await asyncio.gather(first, second)
    assert [each.policy.id for each in catalog.rules.placed] == ["made"]
