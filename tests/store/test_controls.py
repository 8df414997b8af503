"""Rows of kill switches, quotas, banners and maintenance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from casemate.executions import KillSwitch
from casemate.flows import Quota
from casemate.identifiers import MAIN, ExecutionId, FlowId, Namespace, TenantId
from casemate.store import Banner, Filter, QuotaPlace, banners, kill_switches, maintenance, quotas

pytestmark = pytest.mark.anyio

HOUR = Quota(duration=timedelta(hours=1), limit=2, behavior="CANCEL")
FLOW = QuotaPlace(tenant=MAIN, namespace=Namespace("a.b"), flow=FlowId("f"))
ABOVE = QuotaPlace(tenant=MAIN, namespace=Namespace("a"))
TENANT = QuotaPlace(tenant=MAIN)


async def test_a_kill_switch_is_kept_changed_and_deleted(db, now):
    switch = KillSwitch(
        id="1",
        name="one",
        evaluation="KILL",
        start=now,
        end=now + timedelta(days=1),
        tenant=MAIN,
        namespace=Namespace("a.b"),
        flow=FlowId("f"),
        executions=frozenset((ExecutionId("e"),)),
        description="why",
        immediate=True,
    )
    await db.transact(kill_switches.add, switch)
    assert await db.read(kill_switches.active) == (switch,)
    off = replace(switch, enabled=False, end=None)
    assert await db.transact(kill_switches.replace, off)
    assert await db.read(kill_switches.active) == ()
    assert await db.read(kill_switches.all_of_instance) == (off,)
    assert await db.transact(kill_switches.delete, "1")
    assert not await db.transact(kill_switches.delete, "1")
    assert await db.read(kill_switches.all_of_instance) == ()
    # A change that comes late must not bring back what was deleted.
    assert not await db.transact(kill_switches.replace, switch)
    assert await db.read(kill_switches.active) == ()


async def test_a_kill_switch_has_a_banner_while_it_is_enabled(db, now):
    switch = KillSwitch(id="1", name="one", evaluation="KILL", start=now, tenant=MAIN, namespace=Namespace("a.b"))
    await db.transact(kill_switches.add, switch)
    (banner,) = await db.read(banners.search, [Filter("tenantId", "EQUALS", "main")])
    assert (banner.message, banner.type) == (
        "Kill switch 'one': executions in the namespace a.b are killed.",
        "WARNING",
    )
    assert (banner.start, banner.end, banner.tenant) == (now, None, MAIN)
    end = now + timedelta(hours=1)
    await db.transact(kill_switches.replace, replace(switch, evaluation="CANCEL", end=end, description="Ask Ada."))
    (banner,) = await db.read(banners.search)
    assert banner.message.endswith("are cancelled. Ask Ada.")
    assert banner.end == end
    for quiet in (replace(switch, enabled=False), replace(switch, evaluation="PASS")):
        await db.transact(kill_switches.replace, switch)
        await db.transact(kill_switches.replace, quiet)
        assert await db.read(banners.search) == ()
    await db.transact(kill_switches.replace, switch)
    await db.transact(kill_switches.delete, "1")
    assert await db.read(banners.search) == ()


async def test_around_the_border_of_a_stretch_no_quota_begins_anew_twice(db, now):
    border = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    before, after = border - timedelta(milliseconds=1), border + timedelta(milliseconds=1)
    dates = [after, before, after, before, after]
    used_up = [await db.transact(quotas.consume, [(FLOW, HOUR)], date) is not None for date in dates]
    assert used_up == [False, False, True, True, True]


async def test_a_counter_from_a_far_future_holds_nobody_up(db, now):
    for _ in range(2):
        await db.transact(quotas.consume, [(FLOW, HOUR)], now + timedelta(days=1000))
    assert await db.transact(quotas.consume, [(FLOW, HOUR)], now) is None


async def test_a_quota_counts_up_to_its_limit_and_anew_in_the_next_stretch(db, now):
    for _ in range(2):
        assert await db.transact(quotas.consume, [(FLOW, HOUR)], now) is None
    assert await db.transact(quotas.consume, [(FLOW, HOUR)], now) == (FLOW, HOUR)
    assert [counter.count for counter in await db.read(quotas.counters, MAIN)] == [2]
    later = now + timedelta(hours=1)
    assert await db.transact(quotas.consume, [(FLOW, HOUR)], later) is None
    (counter,) = await db.read(quotas.counters, MAIN)
    assert (counter.place, counter.id, counter.count, counter.start) == (FLOW, "PT1H", 1, later)


async def test_a_breach_consumes_nothing_of_what_comes_after_it(db, now):
    levels = [(FLOW, replace(HOUR, limit=10)), (ABOVE, replace(HOUR, limit=1)), (TENANT, HOUR)]
    assert await db.transact(quotas.consume, levels, now) is None
    assert await db.transact(quotas.consume, levels, now) == (ABOVE, replace(HOUR, limit=1))
    found = {str(counter.place): counter.count for counter in await db.read(quotas.counters, MAIN)}
    assert found == {"tenant main": 1, "namespace a": 1, "flow a.b.f": 2}


async def test_a_counter_is_reset_by_any_spelling_of_its_length(db, now):
    await db.transact(quotas.consume, [(FLOW, HOUR)], now)
    assert not await db.transact(quotas.reset, TENANT, "PT1H")
    assert not await db.transact(quotas.reset, FLOW, "P1D")
    assert not await db.transact(quotas.reset, replace(FLOW, tenant=TenantId("other")), "PT1H")
    assert await db.transact(quotas.reset, FLOW, "PT60M")
    assert [counter.count for counter in await db.read(quotas.counters, MAIN)] == [0]


async def test_banners_are_shown_in_their_time_and_found_by_what_they_say(db, now):
    first = Banner(id="1", message="soon", start=now + timedelta(hours=1), end=now + timedelta(hours=2))
    second = Banner(id="2", message="for good", type="ERROR", tenant=MAIN)
    for banner in (first, second):
        await db.transact(banners.add, banner)
    assert await db.read(banners.search) == (first, second)
    assert await db.read(banners.search, [Filter("type", "EQUALS", "ERROR")]) == (second,)
    assert [first.active(now + timedelta(minutes=minutes)) for minutes in (59, 60, 119, 120)] == [
        False,
        True,
        True,
        False,
    ]
    assert second.active(now)
    assert await db.transact(banners.put, replace(first, message="later"))
    assert not await db.transact(banners.put, replace(first, id="3"))
    assert await db.transact(banners.delete, "1")
    assert not await db.transact(banners.delete, "1")


async def test_maintenance_is_entered_once_and_left(db, now):
    for _ in range(2):
        await db.transact(maintenance.enter, now)
    assert await db.read(maintenance.on)
    await db.transact(maintenance.leave)
    assert not await db.read(maintenance.on)
