"""Revisions of flows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casemate.errors import Refused
from casemate.flows import Flow, Label
from casemate.store import Database, Filter, Page, StoredFlow, flows

pytestmark = pytest.mark.anyio

PLACE = ("main", "company.team", "hello")


def flow(
    source: str = "id: hello", name: str = "hello", namespace: str = "company.team", tenant="main", **more
) -> Flow:
    return Flow(tenant=tenant, namespace=namespace, id=name, tasks=(), source=source, document={}, **more)


async def test_each_text_is_a_revision(db: Database, now):
    first = await db.transact(flows.save, flow("one"), now)
    second = await db.transact(flows.save, flow("two"), now)
    assert (first.revision, second.revision) == (1, 2)
    assert await db.read(flows.latest, *PLACE) == second
    assert await db.read(flows.revision, *PLACE, 1) == first
    assert await db.read(flows.revisions, *PLACE) == (first, second)


async def test_the_same_text_again_is_no_revision(db: Database, now):
    first = await db.transact(flows.save, flow("one"), now)
    assert await db.transact(flows.save, flow("one"), now + timedelta(days=1)) == first


async def test_a_deleted_flow_is_hidden_but_its_revisions_stay(db: Database, now):
    await db.transact(flows.save, flow("one"), now)
    gone = await db.transact(flows.delete, *PLACE, now)
    assert gone.deleted
    assert gone.revision == 2
    assert await db.read(flows.latest, *PLACE) is None
    assert await db.read(flows.revision, *PLACE, 1) is not None
    assert await db.read(flows.search, "main") == ((), 0)
    assert await db.transact(flows.delete, *PLACE, now) is None


async def test_a_deleted_flow_that_comes_back_counts_on(db: Database, now):
    await db.transact(flows.save, flow("one"), now)
    await db.transact(flows.delete, *PLACE, now)
    assert (await db.transact(flows.save, flow("one"), now)).revision == 3


async def test_everything_of_a_flow_comes_back(db: Database, now):
    labels = (Label("team", "data:eng"), Label("x", ""))
    saved = await db.transact(flows.save, flow("one", labels=labels, description="Says é", disabled=True), now)
    assert (
        await db.read(flows.latest, *PLACE)
        == saved
        == StoredFlow(
            tenant="main",
            namespace="company.team",
            id="hello",
            revision=1,
            source="one",
            updated=now,
            disabled=True,
            description="Says é",
            labels=labels,
        )
    )


async def test_tenants_do_not_see_each_other(db: Database, now):
    await db.transact(flows.save, flow("one", tenant="acme"), now)
    assert await db.read(flows.latest, *PLACE) is None
    assert await db.read(flows.search, "main") == ((), 0)
    assert await db.read(flows.namespaces, "main") == ()
    assert await db.read(flows.namespaces, "acme") == ("company.team",)


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ((), ["a", "b", "c"]),
        ((Filter("namespace", "EQUALS", "company"),), ["a"]),
        ((Filter("namespace", "PREFIX", "company"),), ["a", "b"]),
        ((Filter("namespace", "STARTS_WITH", "compan"),), ["a", "b", "c"]),
        ((Filter("namespace", "IN", ["company", "companion"]),), ["a", "c"]),
        ((Filter("q", "EQUALS", "TEAM"),), ["b"]),
        ((Filter("q", "EQUALS", "%"),), []),
        ((Filter("labels", "EQUALS", "env:prod"),), ["b", "c"]),
        ((Filter("labels", "EQUALS", ["env:prod", "team:x"]),), ["c"]),
        ((Filter("labels", "NOT_EQUALS", {"env": "prod"}),), ["a"]),
        ((Filter("source", "CONTAINS", "needle"),), ["c"]),
        ((Filter("namespace", "PREFIX", "company"), Filter("labels", "EQUALS", "env:prod")), ["b"]),
    ],
)
async def test_search(db: Database, now, filters, ids):
    prod = Label("env", "prod")
    for each in (
        flow("1", name="a", namespace="company", labels=(Label("env", "production"),)),
        flow("2", name="b", labels=(prod,)),
        flow("a needle", name="c", namespace="companion", labels=(prod, Label("team", "x"))),
    ):
        await db.transact(flows.save, each, now)
    rows, total = await db.read(flows.search, "main", filters, Page(sort=("id:asc",)))
    assert [row.id for row in rows] == ids
    assert total == len(ids)


async def test_pages(db: Database, now):
    for number in range(7):
        await db.transact(flows.save, flow(name=f"f{number}"), now)
    rows, total = await db.read(flows.search, "main", (), Page(number=2, size=3, sort=("id:desc",)))
    assert [row.id for row in rows] == ["f3", "f2", "f1"]
    assert total == 7


@pytest.mark.parametrize("wrong", [Filter("colour", "EQUALS", "red"), Filter("namespace", "GREATER_THAN", "x")])
async def test_an_unknown_filter_is_refused(db: Database, wrong):
    with pytest.raises(Refused):
        await db.read(flows.search, "main", (wrong,))


async def test_an_unknown_order_is_refused(db: Database):
    with pytest.raises(Refused):
        await db.read(flows.search, "main", (), Page(sort=("source; drop table flows:asc",)))


async def test_what_is_asked_of_all_flows_stays_within_the_tenant(db: Database, now):
    for tenant in ("main", "other"):
        await db.transact(flows.save, flow(f"type: x.Subflow # {tenant}", tenant=tenant), now)
    await db.transact(flows.save, flow("type: x.Sub_flow", "second"), now)
    assert await db.read(flows.names, "main") == (("company.team", "hello"), ("company.team", "second"))
    assert await db.read(flows.names, "nobody") == ()
    mentioning = await db.read(flows.mentioning, "main", ["Subflow", "%"])
    assert [one.source for one in mentioning] == ["type: x.Subflow # main"]
    assert await db.read(flows.mentioning, "main", []) == ()


async def test_old_revisions_can_be_deleted_but_not_the_last_one_nor_those_of_others(db: Database, now):
    for source in ("one", "two", "three"):
        for tenant in ("main", "other"):
            await db.transact(flows.save, flow(source, tenant=tenant), now)
    assert await db.transact(flows.delete_revisions, *PLACE, [1, 3, 9]) == 1
    assert [one.revision for one in await db.read(flows.revisions, *PLACE)] == [2, 3]
    assert len(await db.read(flows.revisions, "other", *PLACE[1:])) == 3
    assert (await db.transact(flows.save, flow("four"), now)).revision == 4
